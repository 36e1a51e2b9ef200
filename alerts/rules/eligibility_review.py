"""What the label or the payer asks of the start, and the record contradicts or lacks.

One alert a course, for the people who keep the papers; it is never a verdict on care. What is
contradicted is told at once, or as soon as records of other sources cannot overtake it any more;
what is only lacking is told when an hour has passed. It stays, as it was told, until nothing is
contradicted or lacking, and does not come again in the course; `inowatch policy` shows every
criterion as it stands. The policies are the
label, S1 and S2 (alerts/policies); criteria of continuation have rules of their own.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.policy_reading import load_policies
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import Asked, CourseState, PatientState

NAME = "eligibility-review"

MOST_CHARS = 360
"""A sentence for a nurse: what goes beyond it is counted, and the worksheet has it."""


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course = patient.course
    if course is None:
        return Quiet("course-ended")
    stages = [
        _stage(course, asked, after, limits.course.either_order)
        for asked, after in (
            (course.contradicted, limits.course.either_order),
            (course.lacking, limits.eligibility_review.grace),
        )
        if asked is not None
    ]
    if not stages:
        return Quiet("context-completed")
    track = patient.tracks.get(NAME)
    if track is not None and track.open is not None:
        fired = track.tiers[0].fired or course.start
        return Armed((Stage("info", fired),))
    if track is not None and track.cleared is not None:
        return Quiet("context-completed")  # one alert a course: the worksheet has what came later
    return Armed((min(stages),))


def _stage(course: CourseState, asked: Asked, after: timedelta, either_order: timedelta) -> Stage:
    """Strict where the start alone says when: a record of that very moment still counts."""
    earliest = course.start + after
    at = max(t for t in (earliest, asked.since, course.reopened) if t is not None)
    # Records that overtake one another by a moment name the same occurrence.
    at_once = asked.since <= course.start + either_order
    onset = course.start if at_once else asked.since
    return Stage("info", at, strict=at == earliest, onset=onset)


def _finding(patient: PatientState, _limits: Limits, _at: datetime) -> Finding:
    course = patient.course
    contradicted = course.contradicted if course else None
    lacking = course.lacking if course else None
    items = [item for asked in (contradicted, lacking) if asked for item in asked.items]
    names = dict.fromkeys(policy for policy, _ in items)
    versions = {policy.name: f"{policy.name} {policy.version}" for policy in load_policies()}
    return Finding(
        summary=_sentence(items),
        reason="context-contradicts" if contradicted else "context-lacking",
        value=None,
        limit=None,
        unit_of_measure=None,
        source="; ".join(versions.get(name, name) for name in names),
    )


def _sentence(items: list[tuple[str, str]]) -> str:
    """``eligibility: label asks for this (recorded), that (not recorded); NAME asks for ...``."""
    written, last = "eligibility:", ""
    for count, (policy, words) in enumerate(items):
        begin = ", " if policy == last else f"{';' if last else ''} {policy} asks for "
        if count and len(written) + len(begin) + len(words) > MOST_CHARS:
            return f"{written}; and {len(items) - count} more"
        written, last = written + begin + words, policy
    return written


RULE = DeadlineRule(
    NAME,
    "eligibility",
    _watch,
    _finding,
    raised={
        "info": "the label or the payer asks for something at the start that the record contradicts"
        " ({course.either_order} after the start, or when the contradiction arrives) or still"
        " lacks after {eligibility_review.grace}",
    },
    clears="nothing is contradicted or lacking any more, or the course ends",
)
