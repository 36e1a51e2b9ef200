"""The saturation falls within the hour after delivery was stopped or lowered.

Stopping or lowering nitric oxide can bring the pulmonary hypertension back (S0). A published
protocol calls it dependence when SpO2 falls by more than 10 points or is below 85 %: reinstate and
wait.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import UNKNOWN, Ended, Finding, Levels, Reading, SampledRule, Tier
from schemas.state import CourseState, PatientState
from schemas.telemetry import Telemetry

NAME = "rebound-suspected"


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    rule = limits.rebound_suspected
    return (Tier("high", rule.hold, rule.clear_hold),)


def least_pct(course: CourseState, limits: Limits) -> float:
    """The lowest saturation after the last step down that is no rebound."""
    rule, before = limits.rebound_suspected, course.spo2_before_pct
    return rule.least_pct if before is None else max(rule.least_pct, before - rule.fall_points)


def is_looked_for(course: CourseState, at: datetime, limits: Limits) -> bool:
    """Whether ``at`` is near enough to the last stop or step down."""
    return course.lowered is not None and at - course.lowered <= limits.rebound_suspected.window


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    course = patient.course
    if course is None:
        return Ended("course-ended")
    if sample.spo2_pct is None or sample.validity in ("invalid", "questionable"):
        return UNKNOWN
    track = patient.tracks.get(NAME)
    begun = track is not None and any(state.active or state.since for state in track.tiers)
    looked_for = begun or is_looked_for(course, sample.time, limits)
    return Levels((looked_for and sample.spo2_pct < least_pct(course, limits),))


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    course, spo2 = patient.course, patient.spo2_pct
    lowered = course.lowered if course is not None else None
    after_min = (at - lowered).total_seconds() / 60 if lowered is not None else 0.0
    before = course.spo2_before_pct if course is not None else None
    return Finding(
        summary=(
            f"SpO2 {'?' if spo2 is None else f'{spo2:g}'} % {after_min:.0f} min after delivery was"
            f" lowered or stopped, before it {'?' if before is None else f'{before:g}'} %; rebound?"
        ),
        reason="fell",
        value=spo2,
        limit=least_pct(course, limits) if course is not None else None,
        unit_of_measure="%",
        source=limits.sources["rebound_suspected.fall_points"],
    )


RULE = SampledRule(
    NAME,
    "rebound suspected",
    _tiers,
    _read,
    _finding,
    raised={
        "high": "within {rebound_suspected.window} of a stop or a step down, SpO2 is more than"
        " {rebound_suspected.fall_points} below what it was before, or below"
        " {rebound_suspected.least_pct} where it was not so before, for {rebound_suspected.hold}",
    },
    clears="SpO2 has recovered for {rebound_suspected.clear_hold}, or the course ends",
)
