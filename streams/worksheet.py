"""A patient's worksheet: what each policy asks, and what is on record, for people and machines.

It is no verdict on care, and its first line says so. Pure: facts in, words out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.criteria import Answer, PathwayAnswer, PolicyAnswer, StageAnswer, hold
from alerts.policy import KINDS, Policy
from alerts.policy_facts import facts_of
from schemas.alert import place
from schemas.state import PatientState
from streams.followed import Followed

NOTE = (
    "No verdict on care: what policies ask and what is on record,"
    " for the people who know the patient."
)


class CourseSeen(Struct, frozen=True):
    """The newest course; ``end`` is ``None`` while it delivers."""

    start: datetime
    end: datetime | None
    elapsed_h: float
    delivered_h: float


class Worksheet(Struct, frozen=True):
    """Everything that is shown. ``payer`` is whose policy is shown, recorded or asked for."""

    note: str
    patient: str
    unit: str
    bed: str
    at: datetime
    course: CourseSeen | None
    payer: str | None
    payer_policy: str | None
    policies: tuple[PolicyAnswer, ...]


def worksheet(
    followed: Followed,
    patient: PatientState,
    at: datetime,
    payer: str | None,
    policies: Iterable[Policy],
) -> Worksheet:
    """Hold every policy that applies against what is known of the patient at ``at``."""
    course, so_far = followed.course, followed.so_far(patient, at)
    seen = None
    if course is not None and so_far is not None:
        hour = timedelta(hours=1)
        elapsed_h, delivered_h = so_far.elapsed / hour, so_far.delivered / hour
        seen = CourseSeen(course.start, followed.ended, elapsed_h, delivered_h)
    facts = facts_of(patient.context, course.start if course else None, so_far)
    asked = sorted(policies, key=lambda policy: KINDS.index(policy.kind))
    answers = tuple(hold(policy, facts) for policy in asked if policy.applies_to(payer))
    return Worksheet(
        note=NOTE,
        patient=patient.patient,
        unit=patient.unit,
        bed=patient.bed,
        at=at,
        course=seen,
        payer=payer,
        payer_policy=next((one.name for one in answers if one.kind == "payer"), None),
        policies=answers,
    )


def table(sheet: Worksheet) -> Iterator[str]:
    """Yield the lines of a worksheet as a person reads it."""
    yield sheet.note
    yield ""
    where = f"{place(sheet.bed)}, unit {sheet.unit}"
    yield f"patient {sheet.patient}, {where}, as of {sheet.at.isoformat()}"
    yield _course(sheet.course)
    yield _payer(sheet)
    for policy in sheet.policies:
        yield ""
        yield f"{policy.name}, version {policy.version}: {policy.overall}"
        yield f"  {policy.title}"
        yield f"  effective {policy.effective}{_early(policy, sheet.course)}; {policy.source}"
        for stage in policy.stages:
            yield from _stage(stage)


def _course(course: CourseSeen | None) -> str:
    if course is None:
        return "course  none has begun"
    end = f"until {course.end.isoformat()}" if course.end else "running"
    return f"course  from {course.start.isoformat()}, {end}"


def _payer(sheet: Worksheet) -> str:
    if sheet.payer is None:
        return "payer   not recorded"
    policy = "no policy of theirs is known here"
    if sheet.payer_policy is not None:
        policy = f"policy {sheet.payer_policy}"
    return f"payer   {sheet.payer}, {policy}"


def _early(policy: PolicyAnswer, course: CourseSeen | None) -> str:
    early = course is not None and course.start.date() < policy.effective
    return " (the course began before)" if early else ""


def _stage(stage: StageAnswer) -> Iterator[str]:
    several = f" (any one of {len(stage.pathways)} ways)" if len(stage.pathways) > 1 else ""
    yield f"  {stage.stage}: {stage.state}{several}"
    for pathway in stage.pathways:
        yield from _pathway(pathway)


def _pathway(pathway: PathwayAnswer) -> Iterator[str]:
    other = any(one.id == pathway.fits and one.state == "not met" for one in pathway.criteria)
    yield f"    {pathway.name}: {'is for another indication' if other else pathway.state}"
    for answer in pathway.criteria:
        yield from _criterion(answer)


def _criterion(answer: Answer) -> Iterator[str]:
    yield f"      {answer.state:<13}  {answer.asks}"
    yield f"{'':21}  because  {answer.rests_on}"
    yield f"{'':21}  source   {answer.reference}"
