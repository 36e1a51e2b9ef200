"""Steps of the dose: which changes count, and which were too fast.

A change counts as a step once the new dose has stood for the time of a correction. Until then the
dose before it is the one that a further change is measured from.
"""

from datetime import datetime

from alerts.limits import FastWeanLimits, Limits
from schemas.state import CourseState, FastStep


def note_step(course: CourseState, new_ppm: float, at: datetime, limits: Limits) -> None:
    """The dose changes to ``new_ppm`` at ``at``; the course still holds the dose before."""
    rule = limits.fast_wean
    if course.dose_ppm is None or course.dose_since is None:
        return
    if at - course.dose_since >= rule.correction:
        if course.settled_ppm is not None and course.dose_ppm < course.settled_ppm:
            course.last_step = course.dose_since
        course.settled_ppm = course.dose_ppm
    stands = course.fast_step is not None and course.fast_step.at <= at
    before = course.settled_ppm
    if course.taper_from_ppm is not None and new_ppm >= course.taper_from_ppm:
        course.tapered, course.taper_from_ppm, course.taper_ended = None, None, at
    elif before is not None and new_ppm < before and course.tapered is None:
        course.tapered, course.taper_from_ppm = at, before
    if before is None or new_ppm >= before:
        course.fast_step = course.fast_step if stands else None
    elif not _is_fast(course, before, new_ppm, at, rule):
        course.fast_step = None
    elif not stands:
        course.fast_step = FastStep(at, at + rule.correction, before, new_ppm)


def _is_fast(
    course: CourseState, before: float, new_ppm: float, at: datetime, rule: FastWeanLimits
) -> bool:
    down = round(before - new_ppm, 6)
    too_far = down > rule.step_ppm or down > round(before * rule.step_share, 6)
    return too_far or (course.last_step is not None and at - course.last_step < rule.pause)
