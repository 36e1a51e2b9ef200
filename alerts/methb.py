"""When the first methemoglobin check of a course is due, and whether it was done.

Clocks run on collection time: a check counts when it was collected within the course, at or after
the hour it is due from (S0, label: 4 to 8 h after the start), and was not withdrawn.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.reasons import Reason
from schemas.state import CourseState, HighSince, LabState, PatientState


def first_check(patient: PatientState, course: CourseState, limits: Limits) -> LabState | None:
    """The earliest check that satisfies the first one of the course; ``None``: not done."""
    from_time = course.start + limits.methb_first.due
    counted = (
        lab
        for lab in patient.labs.values()
        if not lab.withdrawn
        and lab.time >= from_time
        and (course.ended is None or lab.time <= course.ended + limits.course.interruption)
    )
    return min(counted, key=lambda lab: lab.time, default=None)


def of_course(patient: PatientState, course: CourseState) -> list[LabState]:
    """The results collected within the course that count, oldest collection first."""
    counted = (lab for lab in patient.labs.values() if not lab.withdrawn)
    return sorted((lab for lab in counted if lab.time >= course.start), key=lambda lab: lab.time)


def satisfied_reason(check: LabState, course: CourseState, limits: Limits) -> Reason:
    """``late-result`` when it was collected in time, whenever the result came."""
    in_time = check.time <= course.start + limits.methb_first.overdue
    return "late-result" if in_time else "resulted"


def deadline(course: CourseState, at: datetime) -> datetime:
    """``at``, or the later moment that brought the question up again.

    That is when the check that had satisfied it was withdrawn, or when a course that had seemed to
    have ended turned out to go on.
    """
    return max(t for t in (at, course.methb_withdrawn, course.reopened) if t is not None)


def note_checks(patient: PatientState, course: CourseState, at: datetime, limits: Limits) -> None:
    """Note since when the newest value is high, and since when the next check is due sooner.

    ``at`` is when the results, the context or the dose changed.
    """
    labs = of_course(patient, course)
    last_pct = labs[-1].value_pct if labs else None
    rule = limits.methb_high
    steps_pct = (rule.low_pct, rule.medium_pct, rule.high_pct)
    reached = 0 if last_pct is None else sum(last_pct >= step_pct for step_pct in steps_pct)
    course.methb_high = course.methb_high[:reached]
    while len(course.methb_high) < reached:
        course.methb_high += (HighSince(at, min(labs[-1].time, at)),)
    short = (
        (course.dose_ppm or 0.0) > limits.set_dose_high.limit_ppm
        or (last_pct is not None and last_pct >= limits.methb_repeat.value_pct)
        or patient.context.flags.no_donor_drug is True
    )
    if short != (course.short_since is not None):
        course.short_since = at if short else None
