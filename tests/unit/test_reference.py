"""The written reference and the code say the same, or a test fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from alerts.profile_book import load_profile
from alerts.reasons import WORDS, Reason
from alerts.reference import reference
from alerts.rules import RULES
from streams.course_machine import MEANING, PHASES, SIGNALS, TABLE, diagram

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
    assert set(WORDS) == set(Reason.__args__)  # type: ignore[attr-defined] # a Literal's words


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_has_scenarios(rule: str) -> None:
    """No rule stands without a scenario that expects it."""
    texts = [path.read_text() for path in ROOT.joinpath("tests/scenarios").glob("*.yaml")]
    assert any(f"rule: {rule}, phase: raised" in text for text in texts)
    assert any(f"rule: {rule}, phase: cleared" in text for text in texts)


def test_explaining() -> None:
    """A rule is explained with the numbers of the profile asked for; an unknown one is named."""
    assert (
        "| `abrupt_stop.floor_ppm` | 2 |"
        in inowatch("explain", "abrupt-stop", "--profile", "floor-2").stdout
    )
    unknown = inowatch("explain", "no-such-rule")
    assert unknown.returncode == 2
    assert "telemetry-lost" in unknown.stderr
