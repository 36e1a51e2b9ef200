"""How alerts answer hazards: the time covered, what came late or not at all, and what was in vain.

A share alone would flatter: an alert that is always open covers everything. So beside it stand the
alerts that had no hazard behind them, and for how long they were open. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from statistics import median

from msgspec import Struct

from schemas.stand_in import whole_unit
from streams.whatif.episode import Episode
from streams.whatif.hazard import HAZARDS, Hazard
from streams.whatif.spans import Span, joined, length, meets, shared, without

_NONE = timedelta()


class Answer(Struct, frozen=True):
    """How the alerts of one side answer the hazards of one rule.

    ``covered_share`` of the hazard's time an alert was open; ``None`` where there was no hazard.
    ``told`` hazards of all met an alert, ``median_late_s`` and ``worst_late_s`` after they began.
    ``longest_untold_s`` is the longest time in hazard without an alert. ``beside`` counts alerts
    raised with no hazard behind them, of ``alerts`` raised; ``beside_min`` is how long alerts were
    open while there was none, as one that is always open covers everything.
    """

    side: str
    covered_share: float | None
    told: int
    median_late_s: float | None
    worst_late_s: float | None
    longest_untold_s: float | None
    alerts: int
    beside: int
    beside_min: float


class Trade(Struct, frozen=True):
    """One hazard: how often and for how long it was there, and what each side made of it."""

    rule: str
    says: str
    episodes: int
    hazard_min: float
    answers: list[Answer]


def trades(
    hazards: Iterable[Hazard], sides: Iterable[tuple[str, list[Episode]]], window: Span
) -> list[Trade]:
    """Hold the alerts of each side against the hazards, rule by rule."""
    sides = list(sides)
    by_rule: dict[str, list[Hazard]] = {rule: [] for rule in HAZARDS}
    for hazard in hazards:
        by_rule[hazard.rule].append(hazard)
    return [
        Trade(
            rule,
            HAZARDS[rule],
            len(there),
            round(sum((length(one.spans) for one in there), _NONE) / timedelta(minutes=1), 3),
            [_answer(name, rule, there, episodes, window) for name, episodes in sides],
        )
        for rule, there in by_rule.items()
    ]


def _answer(
    side: str, rule: str, hazards: list[Hazard], episodes: Iterable[Episode], window: Span
) -> Answer:
    """Compare by patient; an alert for a whole unit is one for each of its patients."""
    alerts: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        if episode.first.rule == rule:
            alerts[episode.first.patient].append(episode)
    told = {patient: _told(of_patient, window) for patient, of_patient in alerts.items()}
    lates: list[float] = []
    gaps, covered, total = [_NONE], _NONE, _NONE
    for hazard in hazards:
        of_unit = told.get(whole_unit(hazard.unit), [])
        about = joined([*told.get(hazard.patient, []), *of_unit])
        if answered := shared([hazard.condition], about):
            lates.append((answered[0][0] - hazard.condition[0]).total_seconds())
        covered += length(shared(hazard.spans, about))
        total += length(hazard.spans)
        gaps += [length([span]) for span in without(hazard.spans, about)]
    there = _conditions(hazards)
    raised = [
        (patient, episode)
        for patient, of_patient in alerts.items()
        for episode in of_patient
        if window[0] <= episode.first.at < window[1]
    ]
    in_vain = [
        without(shared([window], spans), there.get(patient, [])) for patient, spans in told.items()
    ]
    return Answer(
        side=side,
        covered_share=round(covered / total, 6) if hazards else None,
        told=len(lates),
        median_late_s=round(median(lates), 3) if lates else None,
        worst_late_s=round(max(lates), 3) if lates else None,
        longest_untold_s=max(gaps).total_seconds() if hazards else None,
        alerts=len(raised),
        beside=sum(
            not meets(episode.held(window[1]), there.get(patient, []))
            for patient, episode in raised
        ),
        beside_min=round(sum(map(length, in_vain), _NONE) / timedelta(minutes=1), 3),
    )


def _told(episodes: Iterable[Episode], window: Span) -> list[Span]:
    return joined(episode.told(window[1]) for episode in episodes)


def _conditions(hazards: Iterable[Hazard]) -> dict[str, list[Span]]:
    """When something was wrong, with each patient and with each unit as a whole."""
    found: dict[str, list[Span]] = defaultdict(list)
    for hazard in hazards:
        found[hazard.patient].append(hazard.condition)
        found[whole_unit(hazard.unit)].append(hazard.condition)
    return {name: joined(spans) for name, spans in found.items()}
