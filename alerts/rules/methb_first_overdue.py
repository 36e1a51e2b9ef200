"""The first methemoglobin check was missed: 8 h after the start none was collected in its time.

S0 and the label ask for it 4 to 8 h after the start. A result that arrives later clears the alert;
collected by 8 h it was in time after all and the transition says ``late-result``.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.methb import deadline, first_check, satisfied_reason
from alerts.rule import (
    Armed,
    DeadlineRule,
    Finding,
    Quiet,
    Stage,
    Watch,
    hours_since_start,
    told_priority,
)
from schemas.state import PatientState

NAME = "methb-first-overdue"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, rule = patient.course, limits.methb_first
    if course is None:
        return Quiet("course-ended")
    check = first_check(patient, course, limits)
    if check is not None:
        return Quiet(satisfied_reason(check, course, limits))
    return Armed(
        (
            Stage("medium", deadline(course, course.start + rule.overdue)),
            Stage("high", deadline(course, course.start + rule.high)),
        )
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    since_h = hours_since_start(patient, at)
    key = "high" if told_priority(patient, NAME) == "high" else "overdue"
    limit_h = getattr(limits.methb_first, key).total_seconds() / 3600
    return Finding(
        summary=(
            f"no methemoglobin collected {since_h:.4g} h after the start, limit {limit_h:g} h"
        ),
        reason="overdue",
        value=since_h,
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources[f"methb_first.{key}"],
    )


RULE = DeadlineRule(
    NAME,
    "first methemoglobin check overdue",
    _watch,
    _finding,
    raised={
        "medium": "{methb_first.overdue} after the start of the course no result is there that"
        " was collected {methb_first.due} after the start or later",
        "high": "the same {methb_first.high} after the start",
    },
    clears="such a result arrives, or the course ends",
)
