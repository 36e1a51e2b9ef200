"""Policies held against facts: each criterion met, not met or indeterminate, and what it rests on.

Three-valued throughout, so that what is unknown stays unknown up to the end. An answer is about
what is asked and what is recorded; it is never a verdict on care, so the worst that is said of a
whole policy is that a person should look.
"""

from collections.abc import Callable, Iterable
from datetime import date
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

from msgspec import Struct

from alerts.policy import STAGES, Criterion, FactTest, Kind, Pathway, Policy, Stage, State
from alerts.policy_facts import Fact, Facts

Overall = Literal["met", "indeterminate", "review needed"]
Gap = Literal["contradicted", "lacking"]
"""What stands between a criterion and *met*: what is recorded, or what is not."""

_WORST_FIRST: tuple[State, ...] = ("not met", "indeterminate", "met")
_PASSES: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": ge,
    "above": gt,
    "at_most": le,
    "below": lt,
    "is": eq,
}


class Answer(Struct, frozen=True):
    """One criterion. ``rests_on`` are the facts that decided it, in words.

    ``gap`` is ``None`` when it is met, when something that is never recorded here would meet it,
    and when a rule of its own watches it.
    ``recorded`` is ``rests_on`` without the names of the facts.
    """

    id: str
    asks: str
    state: State
    rests_on: str
    recorded: str
    reference: str
    gap: Gap | None


class PathwayAnswer(Struct, frozen=True):
    """All criteria of one pathway."""

    name: str
    state: State
    criteria: tuple[Answer, ...]
    fits: str = ""


class StageAnswer(Struct, frozen=True):
    """One stage: any one of its pathways will do."""

    stage: Stage
    state: State
    pathways: tuple[PathwayAnswer, ...]


class PolicyAnswer(Struct, frozen=True):
    """A whole policy: all of its stages."""

    name: str
    kind: Kind
    title: str
    version: str
    effective: date
    source: str
    overall: Overall
    stages: tuple[StageAnswer, ...]


class _Tested(Struct, frozen=True):
    """The answer to one test; ``gap`` as in ``Answer``."""

    state: State
    fact: Fact
    gap: Gap | None = None
    because: str = ""

    @property
    def rests_on(self) -> str:
        return f"{self.fact.words}; {self.because}" if self.because else self.fact.words

    @property
    def recorded(self) -> str:
        return f"{self.fact.says}: {self.because}" if self.because else self.fact.says


def all_of(states: Iterable[State]) -> State:
    """Three-valued *and*."""
    given = set(states)
    return next((state for state in _WORST_FIRST if state in given), "met")


def any_of(states: Iterable[State]) -> State:
    """Three-valued *or*."""
    given = set(states)
    return next((state for state in reversed(_WORST_FIRST) if state in given), "not met")


def hold(policy: Policy, facts: Facts) -> PolicyAnswer:
    """Hold one policy against the facts, stage by stage."""
    stages: list[StageAnswer] = []
    for stage in STAGES:
        pathways = tuple(
            _pathway(pathway, facts) for pathway in policy.pathways if pathway.stage == stage
        )
        if pathways:
            stages.append(StageAnswer(stage, any_of(p.state for p in pathways), pathways))
            facts = {**facts, stage: _earlier(stages[-1])}
    state = all_of(stage.state for stage in stages)
    return PolicyAnswer(
        name=policy.name,
        kind=policy.kind,
        title=policy.title,
        version=policy.version,
        effective=policy.effective,
        source=policy.source,
        overall="review needed" if state == "not met" else state,
        stages=tuple(stages),
    )


def _earlier(answer: StageAnswer) -> Fact:
    """The answer to a stage as a fact for the next one."""
    value = None if answer.state == "indeterminate" else answer.state == "met"
    return Fact(f"criteria of {answer.stage}", value, answer.state)


def _pathway(pathway: Pathway, facts: Facts) -> PathwayAnswer:
    answers = tuple(_criterion(criterion, facts) for criterion in pathway.criteria)
    state = all_of(answer.state for answer in answers)
    return PathwayAnswer(pathway.name, state, answers, pathway.fits)


def _criterion(criterion: Criterion, facts: Facts) -> Answer:
    """Join the tests; what is told are the facts that made the answer, not those beside it."""
    tested = [_test(test, facts[test.fact]) for test in criterion.tests]
    joined = all_of if criterion.combine == "all" else any_of
    state = joined(one.state for one in tested)
    decisive = [one for one in tested if one.state == state]
    gaps = set() if criterion.watched_by else {one.gap for one in decisive}
    elsewhere = []
    if criterion.not_here and (not tested or state != "met"):
        state, gaps, elsewhere = "indeterminate", set(), [criterion.not_here]
    return Answer(
        id=criterion.id,
        asks=criterion.asks,
        state=state,
        rests_on=", ".join(dict.fromkeys([*(d.rests_on for d in decisive), *elsewhere])),
        recorded=", ".join(dict.fromkeys([*(d.recorded for d in decisive), *elsewhere])),
        reference=criterion.reference,
        # While something is missing it may still turn out well.
        gap="lacking" if "lacking" in gaps else "contradicted" if "contradicted" in gaps else None,
    )


def _test(test: FactTest, fact: Fact) -> _Tested:
    if fact.value is None:
        return _Tested("indeterminate", fact, "lacking")
    if fact.value == test.indeterminate_at:
        return _Tested("indeterminate", fact, "contradicted", test.because)
    if all(_PASSES[name](fact.value, bound) for name, bound in test.bounds):
        return _Tested("met", fact)
    why = "" if test.otherwise == "not met" else test.because
    return _Tested(test.otherwise, fact, "contradicted", why)
