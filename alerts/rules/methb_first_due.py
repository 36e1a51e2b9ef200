"""The first methemoglobin check is due from now on: a reminder in every course.

S0 and the label ask for a measurement 4 to 8 h after the start; a check collected earlier does not
satisfy it.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.methb import deadline, first_check, satisfied_reason
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import PatientState


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course = patient.course
    if course is None:
        return Quiet("course-ended")
    check = first_check(patient, course, limits)
    if check is not None:
        return Quiet(satisfied_reason(check, course, limits))
    due = deadline(course, course.start + limits.methb_first.due)
    return Armed((Stage("info", due),))


def _finding(_patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    rule = limits.methb_first
    due_h, overdue_h = rule.due.total_seconds() / 3600, rule.overdue.total_seconds() / 3600
    return Finding(
        summary=(
            f"first methemoglobin check is due,"
            f" collect it {due_h:g} to {overdue_h:g} h after the start"
        ),
        reason="due",
        value=due_h,
        limit=due_h,
        unit_of_measure="h",
        source=limits.sources["methb_first.due"],
    )


RULE = DeadlineRule(
    "methb-first-due",
    "first methemoglobin check due",
    _watch,
    _finding,
    raised={
        "info": "{methb_first.due} after the start of the course; collect the check by"
        " {methb_first.overdue}",
    },
    clears="a result arrives that was collected {methb_first.due} after the start or later,"
    " or the course ends",
)
