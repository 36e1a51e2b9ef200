"""A runbook for every rule: the frame is fresh, and the words in it are written."""

import re
from typing import get_args

import pytest

from alerts.profile_book import packaged
from alerts.reasons import OutsideReason, Reason
from alerts.reference import EVERY_RULE
from alerts.rule import AnyRule
from alerts.runbook import SECTIONS, runbook, words_of
from schemas.action import ActionKind
from schemas.rejected import Reason as Refusal
from streams.grafana.golden import RUNBOOKS, runbooks

LIMITS = packaged().named("default")

each_rule = pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.name)


def section(words: str, title: str) -> str:
    """Return what stands under a heading."""
    _, _, rest = words.partition(f"## {title}\n")
    return rest.partition("\n## ")[0].strip()


def test_each_rule_has_its_runbook_and_its_frame_is_fresh() -> None:
    """``make boards`` was run after the last change of a rule; no runbook is of no rule."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in RUNBOOKS.iterdir()}
    assert kept == runbooks()


@each_rule
def test_every_section_is_written(rule: AnyRule) -> None:
    """Meaning, check, act, who to call and how to acknowledge are there, in this order."""
    words = words_of((RUNBOOKS / f"{rule.name}.md").read_text(encoding="utf-8"))
    assert re.findall(r"^## (.+)$", words, re.MULTILINE) == list(SECTIONS)
    for title in SECTIONS:
        least = 4 if title == "Who to call" else 12
        assert len(section(words, title).split()) >= least, title
    assert section(words, "Check").startswith("- ")
    assert section(words, "Act").startswith("1. ")


@each_rule
def test_it_never_goes_before_local_protocol(rule: AnyRule) -> None:
    """Each runbook opens with what goes before it."""
    text = (RUNBOOKS / f"{rule.name}.md").read_text(encoding="utf-8")
    assert text.index("go before every word here") < text.index("## What it means")


@each_rule
def test_rules_and_commands_that_it_names_exist(rule: AnyRule) -> None:
    """A rule that is renamed is renamed here as well, and so is a record's reason."""
    names = {one.name for one in EVERY_RULE}
    for kind in (OutsideReason, Reason, ActionKind, Refusal):
        names |= set(get_args(kind))
    words = words_of((RUNBOOKS / f"{rule.name}.md").read_text(encoding="utf-8"))
    for named in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", words):
        assert named in names, named


def test_words_written_by_hand_are_kept() -> None:
    """A new frame leaves what stands between the marks as it is; none gives empty sections."""
    rule = EVERY_RULE[0]
    empty = runbook(rule, LIMITS)
    assert all(f"## {title}" in words_of(empty) for title in SECTIONS)
    by_hand = empty.replace("## Check", "## Check\n\n- By hand, with $ and {braces}.")
    stale = by_hand.replace("Raised (default profile)", "Raised, once")
    assert runbook(rule, LIMITS, stale) == by_hand
    assert words_of("no marks at all") == ""
