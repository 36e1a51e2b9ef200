"""The therapy runs past 14 days and nobody has reviewed it.

S0 and the label: up to 14 days; S2: medical review beyond. Counted by elapsed time of the course
or by delivered hours over all courses, whichever is first past the limit; both are told. A review
by a person clears it; a day later it is raised again, low, if the course still runs.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch, hours_since_start
from schemas.state import CourseState, PatientState

NAME = "course-over-14-days"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, rule = patient.course, limits.course_14_days
    if course is None:
        return Quiet("course-ended")
    if is_waiting(patient, course, NAME):
        return Quiet("delivery-ended")
    # Delivered hours are known to be over only once they are, so that strict is right for both.
    over = min(course.start + rule.over, course.over_since or course.start + rule.over)
    over = max(over, course.reopened or over)
    again = _again(patient, over, limits)
    if again is not None:
        return Armed((Stage("low", again),), otherwise="reviewed")
    return Armed((Stage("medium", over, strict=True),), otherwise="reviewed")


def _again(patient: PatientState, over: datetime, limits: Limits) -> datetime | None:
    """When a review that covers ``over`` is a day old; ``None`` when there is none."""
    if patient.reviewed is None or over > patient.reviewed + limits.course_14_days.again:
        return None
    return patient.reviewed + limits.course_14_days.again


def is_waiting(patient: PatientState, course: CourseState, rule: str) -> bool:
    """Whether delivery has ended, so that 14 days are not counted on unless it comes back."""
    track = patient.tracks.get(rule)
    return course.phase == "paused" and (track is None or track.open is None)


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    course = patient.course
    elapsed_h = hours_since_start(patient, at)
    delivered = patient.earlier + course.delivered if course else patient.earlier
    delivered_h = delivered.total_seconds() / 3600
    limit_h = limits.course_14_days.over.total_seconds() / 3600
    again = patient.reviewed is not None and at == patient.reviewed + limits.course_14_days.again
    return Finding(
        summary=(
            f"therapy is past {limit_h:g} h: {elapsed_h:.1f} h elapsed,"
            f" {delivered_h:.1f} h delivered; medical review"
        ),
        reason="review-expired" if again else "over-limit",
        value=max(elapsed_h, delivered_h),
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources["course_14_days.over"],
    )


RULE = DeadlineRule(
    NAME,
    "therapy past 14 days",
    _watch,
    _finding,
    raised={
        "medium": "more than {course_14_days.over} since the start of the course, or delivered"
        " over all courses",
        "low": "again {course_14_days.again} after a review, when the course still runs",
    },
    clears="a person reviews it, or the course ends",
)
