"""A small run of what ``make simulate-report`` runs, and proof that the report can fail."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.limits import Limits
from alerts.rule import SampledRule, Tier
from alerts.rules import RULES, under_delivery
from streams import step
from tests.simulation.__main__ import say
from tests.simulation.correct_care import CORRECT, CareRun
from tests.simulation.provoked import SCENARIOS_WITH_HAZARDS, HazardRun
from tests.simulation.report import NOT_INJECTED, Plan, Report, report

SMALL = Plan(
    care=(
        *(CareRun(name, 1, 2, 10, 60.0) for name in CORRECT),
        *(CareRun(name, 2, 1, 3, 10.0) for name in CORRECT),
    ),
    hazards=tuple(HazardRun(name, 1) for name in SCENARIOS_WITH_HAZARDS),
    least_bed_days=60.0,
)
LOST_DOSE = Plan((), (HazardRun("under-delivery", 2),), 0.0)


@pytest.fixture(scope="module")
def small() -> Report:
    """Run the small plan once for all who look at it."""
    return report(SMALL)


def test_correct_care_is_silent(small: Report) -> None:
    """Sixty bed-days by the book bring the reminder of the first check and nothing else."""
    assert small.bed_days >= 60
    assert small.pages == []
    assert {rule for count in small.care for rule, _, _ in count.told} == {"methb-first-due"}


def test_every_hazard_is_found_in_time(small: Report) -> None:
    """Each rule is told at each priority within its hold and a second, and nothing beside it."""
    assert list(small.faults()) == []
    provoked = {outcome.rule for outcome in small.outcomes}
    assert provoked == {rule.name for rule in RULES} - NOT_INJECTED
    assert all(outcome.in_time for outcome in small.outcomes)
    assert small.extras == []


def test_the_figures_are_the_last_line(small: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, then one JSON object that agrees with it; exit code 0."""
    assert say(small) == 0
    *table, last = capsys.readouterr().out.splitlines()
    figures = json.loads(last)
    assert figures["pages_medium_or_above"] == 0
    assert figures["injected"] == figures["found"] == len(small.outcomes)
    assert figures["worst_delay_s"] <= 1
    by_rule = figures["by_rule"]
    assert sum(counted["injected"] for counted in by_rule.values()) == figures["injected"]
    assert all(any(line.startswith(rule) for line in table) for rule in by_rule)


def test_a_rule_that_is_gone_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its rule in the registry each injected loss of dose is reported as missed."""
    _judge_by(monkeypatch, None)
    made = report(LOST_DOSE)
    assert [outcome.delay_s for outcome in made.outcomes] == [None, None]
    assert sum(fault.startswith("missed: under-delivery high") for fault in made.faults()) == 2
    assert say(made) == 1


def test_a_rule_that_holds_too_long_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that decides five seconds after its hold time is found, and reported as late."""
    _judge_by(monkeypatch, replace(under_delivery.RULE, tiers=_held(5)))
    made = report(LOST_DOSE)
    assert [outcome.delay_s for outcome in made.outcomes] == [5.0, 5.0]
    assert sum(fault.startswith("late by 5.000 s") for fault in made.faults()) == 2


def test_a_rule_that_does_not_hold_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that decides long before its hold time is over has not found the hazard."""
    _judge_by(monkeypatch, replace(under_delivery.RULE, tiers=_held(-30)))
    assert [outcome.delay_s for outcome in report(LOST_DOSE).outcomes] == [None, None]


def test_a_hazard_in_correct_care_is_a_page() -> None:
    """A loss of dose among the runs of correct care is counted, named and fails the report."""
    made = report(Plan((CareRun("under-delivery", 1, 1, 1, 10.0),), (), 0.0))
    assert len(made.pages) == 2
    assert all("under-delivery" in fault for fault in list(made.faults())[:2])
    assert say(made) == 1


def test_too_little_care_fails() -> None:
    """A run that comes to fewer bed-days than planned says so."""
    made = report(Plan((CareRun("correct-care", 1, 1, 1, 60.0),), (), 5.0))
    assert made.bed_days < 1
    assert any("of 5 bed-days" in fault for fault in made.faults())


def test_processes_change_nothing() -> None:
    """Two processes bring the same report as one, and each run is counted as done."""
    plan = Plan((CareRun("sensor-noise", 3, 1, 1, 60.0),), LOST_DOSE.hazards, 0.0)
    done: list[None] = []
    made = report(plan, 2, lambda: done.append(None))
    assert made == report(plan)
    assert len(done) == 2


def _judge_by(monkeypatch: pytest.MonkeyPatch, rule: SampledRule | None) -> None:
    """Put another rule, or none, in the place of ``under-delivery``."""
    for registry in ("RULES", "SAMPLED"):
        rules = [rule if one is under_delivery.RULE else one for one in getattr(step, registry)]
        monkeypatch.setattr(step, registry, tuple(one for one in rules if one is not None))


def _held(longer_s: float) -> Callable[[Limits], tuple[Tier, ...]]:
    def tiers(limits: Limits) -> tuple[Tier, ...]:
        hold, clear_hold = limits.measured_dose.hold, limits.measured_dose.clear_hold
        return (Tier("high", hold + timedelta(seconds=longer_s), clear_hold),)

    return tiers
