"""The written reference and the code say the same, or a test fails."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from alerts.numbers import filled, numbers_of
from alerts.profile_book import load_profile, packaged
from alerts.reasons import WORDS, OutsideReason, Reason
from alerts.reference import EVERY_RULE, OF_THE_COURSE, reference
from alerts.rule import Rule, SampledRule
from alerts.rules import RULES
from streams.course_machine import MEANING, PHASES, SIGNALS, TABLE, diagram
from streams.scenario.file import read_scenario
from streams.scenario.timeline import Expected

ROOT = Path(__file__).parents[2]


def inowatch(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def test_the_rule_book_is_fresh() -> None:
    """docs/rules.md is what the code says; `inowatch explain --all > docs/rules.md` mends it."""
    assert ROOT.joinpath("docs/rules.md").read_text() == reference(load_profile("default"))
    assert inowatch("explain", "--all").stdout == reference(load_profile("default"))


def test_the_state_diagram_is_fresh() -> None:
    """docs/course.md holds the diagram that the transition table draws."""
    assert diagram() in ROOT.joinpath("docs/course.md").read_text()


def test_the_table_lists_every_pair() -> None:
    """Every phase meets every signal, and every signal has its meaning."""
    assert set(TABLE) == {(phase, signal) for phase in PHASES for signal in SIGNALS}
    assert set(MEANING) == set(SIGNALS)


def test_every_reason_has_its_words() -> None:
    """A transition's code can always be said in words."""
    assert set(WORDS) == {*get_args(Reason), *get_args(OutsideReason)}


@pytest.fixture(scope="module")
def expectations() -> list[Expected]:
    """Everything that any scenario expects."""
    paths = ROOT.joinpath("tests/scenarios").glob("*.yaml")
    return [expected for path in paths for expected in read_scenario(path).expect]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_registry_scenarios_and_rule_book_agree(rule: Rule, expectations: list[Expected]) -> None:
    """A rule is raised and cleared in a scenario, at no priority but those the rule book tells."""
    mine = [expected for expected in expectations if expected.rule == rule.name]
    assert {"raised", "cleared"} <= {expected.phase for expected in mine}
    told = {expected.priority for expected in mine if expected.priority is not None}
    assert told <= set(rule.raised)
    book = ROOT.joinpath("docs/rules.md").read_text()
    assert book.count(f"\n## {rule.name}\n") == 1


@pytest.mark.parametrize("profile", sorted(packaged().names))
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_in_words_what_it_does(rule: Rule, profile: str) -> None:
    """When it is raised, at each priority that it may have, when it clears, with real numbers."""
    limits = load_profile(profile)
    assert rule.clears
    for words in (*rule.raised.values(), rule.clears):
        assert "{" not in filled(words, limits)
    if isinstance(rule, SampledRule):
        assert list(rule.raised) == [tier.priority for tier in rule.tiers(limits)]


def test_every_number_belongs_to_a_rule() -> None:
    """No number judges unmentioned: a rule's words name it, or it is one of every course."""
    limits = load_profile("default")
    mentioned = {number.name for rule in EVERY_RULE for number in numbers_of(rule, limits)}
    assert mentioned | set(OF_THE_COURSE) == set(limits.sources)


def test_explaining() -> None:
    """A rule is explained with the numbers of the profile asked for; an unknown one is named."""
    assert (
        "| `abrupt_stop.floor_ppm` | above | 2 ppm | published protocol: 20, 10, 5, 3, 2, off"
        in inowatch("explain", "abrupt-stop", "--profile", "floor-2").stdout
    )
    unknown = inowatch("explain", "no-such-rule")
    assert unknown.returncode == 2
    assert "telemetry-lost" in unknown.stderr


def test_the_registry_has_every_rule_of_the_contract() -> None:
    """The names are part of the contract; `monitor-blind` is for the watchdog to raise."""
    names = """set-dose-high measured-dose-high under-delivery abrupt-stop fast-wean backup-delivery
    methb-first-due methb-first-overdue methb-repeat-overdue methb-high no2-high course-near-14-days
    course-over-14-days no-response-72h contraindicated caution-lv-dysfunction eligibility-review
    no-donor-drug supply-low reading-frozen calibration-overdue device-alarm rebound-suspected
    telemetry-lost data-rejected"""
    assert {rule.name for rule in RULES} == set(names.split())
