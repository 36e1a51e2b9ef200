"""What the label and the payer's policy ask of a start that the data contradict or lack.

Only criteria of initiation count: what they rest on changes with the context and with the start of
a course, and at no other time, so the answer is found then and kept in the course. What is never
recorded here is nothing that anybody could complete, and is left out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from alerts.criteria import Answer, Gap, PathwayAnswer, StageAnswer, hold
from alerts.policy import Policy
from alerts.policy_facts import Facts, facts_of
from alerts.policy_reading import load_policies
from schemas.state import Asked, CourseState, PatientState


class Missing(NamedTuple):
    """A criterion of ``policy`` that is not met, in words for the nurse."""

    policy: str
    gap: Gap
    words: str


def asking(payer: str | None) -> tuple[Policy, ...]:
    """The policies that an alert may be about: the label, and the payer's own if we have it."""
    ranked = sorted(load_policies(), key=lambda policy: policy.kind != "label")
    return tuple(p for p in ranked if p.kind != "summary" and p.applies_to(payer))


def missing(policies: Iterable[Policy], facts: Facts) -> Iterator[Missing]:
    """Everything that stands between the facts and the initiation that the policies ask for."""
    for policy in policies:
        for stage in hold(policy, facts).stages:
            if stage.stage == "initiation":
                for answer in _asked(stage):
                    if answer.gap is not None:
                        words = f"{answer.asks} ({answer.recorded})"
                        yield Missing(policy.name, answer.gap, words)


def _asked(stage: StageAnswer) -> tuple[Answer, ...]:
    """The criteria that are asked of this patient: those of the one pathway that fits.

    Where none fits, that is what is contradicted. Where it is not known yet which one does, it is
    that which is lacking, and what every one of them would have to say.
    """
    fitting = [p for p in stage.pathways if not p.fits or _fit(p).state != "not met"]
    if len(fitting) == 1:
        return fitting[0].criteria
    fits = [_fit(pathway) for pathway in fitting or stage.pathways]
    which = replace(fits[0], asks=" or ".join(fit.asks for fit in fits))
    if not fitting:
        return (which,)
    first, *others = fitting
    alike = [
        answer
        for answer in first.criteria
        if answer.id != first.fits and all(_same_gap(answer, other) for other in others)
    ]
    return (which, *alike)


def _fit(pathway: PathwayAnswer) -> Answer:
    return next(answer for answer in pathway.criteria if answer.id == pathway.fits)


def _same_gap(answer: Answer, other: PathwayAnswer) -> bool:
    return any(its.id == answer.id and its.gap == answer.gap for its in other.criteria)


def note_asked(patient: PatientState, course: CourseState, at: datetime) -> None:
    """Note what is contradicted and what is lacking, after the context or the course changed."""
    facts = facts_of(patient.context, course.start)
    found = list(missing(asking(patient.context.payer), facts))
    course.contradicted = _since(course.contradicted, found, "contradicted", at)
    course.lacking = _since(course.lacking, found, "lacking", at)


def _since(before: Asked | None, found: list[Missing], gap: Gap, at: datetime) -> Asked | None:
    items = tuple((one.policy, one.words) for one in found if one.gap == gap)
    return Asked(_one_of(items), before.since if before else at) if items else None


@lru_cache(1000)
def _one_of(items: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The same words for many patients are kept once: some 700 bytes a course."""
    return items
