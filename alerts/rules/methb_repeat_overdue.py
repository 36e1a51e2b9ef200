"""The next methemoglobin check is overdue.

The label asks for periodic checks and gives no number; common practice is every 24 h, here with a
tenth of grace. Above 20 ppm, after a raised value or with a nitric oxide donor it is half of that.
The clock starts once the first check of the course is satisfied.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.methb import first_check, of_course
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import PatientState

NAME = "methb-repeat-overdue"


def interval(patient: PatientState, limits: Limits) -> tuple[timedelta, datetime | None]:
    """How long until the next check, and since when it is the short one (``None``: it is not)."""
    since = patient.course.short_since if patient.course else None
    rule = limits.methb_repeat
    return (rule.interval, None) if since is None else (rule.short_interval, since)


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, rule = patient.course, limits.methb_repeat
    if course is None:
        return Quiet("course-ended")
    if first_check(patient, course, limits) is None:
        return Quiet("superseded")
    track = patient.tracks.get(NAME)
    if course.phase == "paused" and (track is None or track.open is None):
        return Quiet("delivery-ended")
    last = of_course(patient, course)[-1].time
    length, since = interval(patient, limits)
    low, medium = last + length * (1 + rule.grace), last + length * rule.medium_share
    if since is not None:
        low, medium = max(low, since), max(medium, since)
    return Armed((Stage("low", low, strict=True), Stage("medium", medium)), otherwise="resulted")


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    labs = of_course(patient, patient.course) if patient.course else []
    since_h = (at - labs[-1].time) / timedelta(hours=1) if labs else 0.0
    length, _ = interval(patient, limits)
    limit_h = length * (1 + limits.methb_repeat.grace) / timedelta(hours=1)
    return Finding(
        summary=f"no methemoglobin collected for {since_h:.4g} h, limit {limit_h:.4g} h",
        reason="overdue",
        value=since_h,
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources["methb_repeat.interval"],
    )


RULE = DeadlineRule(
    NAME,
    "methemoglobin check overdue",
    _watch,
    _finding,
    raised={
        "low": "delivering, and the last collection is {methb_repeat.interval} and a grace of"
        " {methb_repeat.grace} of it ago; the interval is {methb_repeat.short_interval}"
        " when more than {set_dose_high.limit_ppm} is set, the last value is"
        " {methb_repeat.value_pct} or more, or another nitric oxide donor is given",
        "medium": "{methb_repeat.medium_share} of the interval have passed",
    },
    clears="a new collection, or the course ends",
)
