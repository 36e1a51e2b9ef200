"""The course is nearing 14 days: time to plan the review before it is due.

S0 and S2 know the 14 days; the notice of two days and of twelve hours is this project's own. The
stronger ``course-over-14-days`` takes over once it has been raised.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch, hours_since_start
from alerts.rules import course_over_14_days
from schemas.state import PatientState

NAME = "course-near-14-days"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, rule = patient.course, limits.course_14_days
    if course is None:
        return Quiet("course-ended")
    over = patient.tracks.get(course_over_14_days.NAME)
    if over is not None and over.open is not None:
        return Quiet("superseded")
    if patient.reviewed is not None and patient.reviewed >= course.start:
        return Quiet("superseded")
    if course_over_14_days.is_waiting(patient, course, NAME):
        return Quiet("delivery-ended")
    reopened = course.reopened or course.start
    return Armed(
        (
            Stage("info", max(course.start + rule.near, reopened)),
            Stage("low", max(course.start + rule.near_low, reopened)),
        )
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    elapsed_h = hours_since_start(patient, at)
    limit_h = limits.course_14_days.over.total_seconds() / 3600
    return Finding(
        summary=(
            f"{elapsed_h:.4g} h on therapy, {limit_h - elapsed_h:.4g} h left of {limit_h:g} h"
        ),
        reason="near-limit",
        value=elapsed_h,
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources["course_14_days.near"],
    )


RULE = DeadlineRule(
    NAME,
    "therapy nears 14 days",
    _watch,
    _finding,
    raised={
        "info": "{course_14_days.near} after the start of the course",
        "low": "{course_14_days.near_low} after the start",
    },
    clears="`course-over-14-days` is raised, a person has reviewed it, or the course ends",
)
