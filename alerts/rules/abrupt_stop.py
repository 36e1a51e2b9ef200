"""Delivery ended from a dose that should have been weaned first.

Stopping at once after hours of therapy can bring rebound pulmonary hypertension (S0: wean to 1 ppm,
in steps). Silence is never a stop: only a sample that says so is. What a person has planned within
the hour, another device that took over and a course closed with a reason are no abrupt stops.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import CourseState, PatientState


def _planned(course: CourseState, stopped: datetime, limits: Limits) -> bool:
    """Whether a plan to stop, not taken back since, stands in the hour before the decision."""
    rule = limits.abrupt_stop
    return any(
        stopped - rule.plan <= planned <= stopped + rule.hold
        and (course.unplanned is None or course.unplanned < planned)
        for planned in course.planned
    )


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, rule = patient.course, limits.abrupt_stop
    if course is None:
        return Quiet("course-ended")
    if course.phase == "running":
        return Quiet("resumed")
    stopped, dose = course.stop_since, course.stop_from_ppm
    if stopped is None or dose is None or dose <= rule.floor_ppm or course.delivered < rule.after:
        return Quiet("limits-changed")
    if _planned(course, stopped, limits):
        return Quiet("planned")
    at = stopped + rule.hold
    stage = Stage("high" if dose > rule.high_ppm else "medium", at, onset=stopped)
    return Armed((stage,))


def _late(gap: timedelta | None) -> str:
    return "" if gap is None else f"; found up to {gap.total_seconds() / 60:.0f} min late"


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    course, rule = patient.course, limits.abrupt_stop
    dose = course.stop_from_ppm if course else None
    gap = course.stop_gap if course else None
    hours = course.delivered.total_seconds() / 3600 if course else 0.0
    return Finding(
        summary=(
            f"delivery stopped from {dose:g} ppm after {hours:.1f} h,"
            f" weaning goes down to {rule.floor_ppm:g} ppm first{_late(gap)}"
        ),
        reason="stopped" if gap is None else "found-late",
        value=dose,
        limit=rule.floor_ppm,
        unit_of_measure="ppm",
        source=limits.sources["abrupt_stop.floor_ppm"],
    )


RULE = DeadlineRule(
    "abrupt-stop",
    "abrupt stop",
    _watch,
    _finding,
    moves_with="samples",
    raised={
        "medium": "delivery ends after {abrupt_stop.after} or more, from a dose above"
        " {abrupt_stop.floor_ppm} that was held for {abrupt_stop.dose_held}, and stays"
        " ended for {abrupt_stop.hold}; no plan to stop was made within {abrupt_stop.plan}"
        " before",
        "high": "the same from a dose above {abrupt_stop.high_ppm}",
    },
    clears="delivery resumes, or the course ends or is closed with a reason",
)
