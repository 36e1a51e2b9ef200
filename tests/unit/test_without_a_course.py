"""Every rule is about a course. Without one each has an answer of its own, and keeps silent."""

from datetime import UTC, datetime

import pytest

from alerts.profile_book import load_profile
from alerts.rule import DeadlineRule, Ended, Quiet, SampledRule, hours_since_start
from alerts.rules import DEADLINE, SAMPLED
from schemas.state import PatientState
from schemas.telemetry import Telemetry

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
LIMITS = load_profile("default")


@pytest.mark.parametrize("rule", DEADLINE, ids=lambda rule: rule.name)
def test_no_deadline_runs(rule: DeadlineRule) -> None:
    """No deadline runs, and what was open has ended with the course."""
    assert rule.watch(PatientState("p1"), LIMITS) == Quiet("course-ended")


@pytest.mark.parametrize("rule", SAMPLED, ids=lambda rule: rule.name)
def test_no_sample_is_judged(rule: SampledRule) -> None:
    """A sample says nothing then, whatever it measures: its condition has ended."""
    sample = Telemetry(
        time=T0,
        device="d1",
        patient="p1",
        unit="u",
        bed="1",
        mode="standby",
        no_ppm=80.0,
        no2_ppm=5.0,
        spo2_pct=60.0,
        cylinder_bar=1.0,
    )
    with_course = {"supply-low", "rebound-suspected"}
    reason = "course-ended" if rule.name in with_course else "delivery-ended"
    assert rule.read(PatientState("p1"), sample, LIMITS) == Ended(reason)


def test_no_hour_has_passed() -> None:
    """A course that is not there has no age."""
    assert hours_since_start(PatientState("p1"), T0) == 0.0
