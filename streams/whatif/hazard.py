"""Time in hazard: the part of a history in which something was wrong, whoever was told of it.

A hazard is the condition of a rule by the numbers of the packaged profile ``default``, without the
hold times, the grouping of units and the delay of a laboratory: so it is the same whatever profiles
are compared. It is found by the rules themselves (``bare`` limits), and what they find is its time.

- Nobody knows what a silent device gives: a hazard of the gas stops counting 2 min after the last
  sample and the silence counts as its own.
- A missing methemoglobin check ends when it is collected, not when its result arrives.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from alerts.limits import Limits
from alerts.rules import telemetry_lost
from schemas.stand_in import whole_unit
from streams.whatif.episode import Episode
from streams.whatif.spans import Span, joined, length, shared, without

_GAS = ("set-dose-high", "measured-dose-high", "under-delivery", "no2-high")
ENDS_WITH_COLLECTION = ("methb-first-overdue", "methb-repeat-overdue")
HAZARDS: Mapping[str, str] = {
    "set-dose-high": "set dose above 20 ppm and above any order",
    "measured-dose-high": "reading above what the dose, at most 20 ppm, explains (24.5 ppm at 20)",
    "under-delivery": "reading below what the dose, from 1 ppm on, explains (15.5 ppm at 20)",
    "no2-high": "NO2 at 0.5 ppm or more",
    "abrupt-stop": "stopped from above 1 ppm after 4 h, not planned, not closed, not resumed",
    "methb-first-overdue": "8 h after the start and no methemoglobin collected from 4 h on",
    "methb-repeat-overdue": "more than 26.4 h (or 13.2 h) after the last methemoglobin",
    "telemetry-lost": "nothing heard for more than 2 min while delivering",
    "course-over-14-days": "more than 336 h, no review within a day",
}
"""Each by the rule that watches for it, in the words of clinical.md's defaults."""

_NONE = timedelta()


def bare(limits: Limits) -> Limits:
    """Take the hold times and the grouping out of a profile.

    The hold of ``abrupt-stop`` stays: within it a stop may be resumed or said to be planned. The
    hazard begins with the stop all the same, as that is the onset.
    """
    return replace(
        limits,
        set_dose_high=replace(limits.set_dose_high, hold=_NONE, clear_hold=_NONE),
        measured_dose=replace(limits.measured_dose, hold=_NONE, clear_hold=_NONE),
        no2_high=replace(
            limits.no2_high,
            low_hold=_NONE,
            medium_hold=_NONE,
            high_hold=_NONE,
            clear_hold=_NONE,
        ),
        telemetry_lost=replace(limits.telemetry_lost, group_least=float("inf")),
    )


class Hazard(Struct, frozen=True):
    """One time that something was wrong with a patient: its known ``spans``, at least one.

    ``condition`` is the whole of it, with what nobody could see and beyond the window.
    """

    rule: str
    patient: str
    unit: str
    condition: Span
    spans: list[Span]


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


def hazards_of(
    episodes: Iterable[Episode], collected: Mapping[str, datetime], window: Span
) -> list[Hazard]:
    """Make hazards of what the bare limits found, as far as they lie in the window.

    ``collected`` has, by the id of an episode, when the methemoglobin was collected that ended it.
    """
    conditions: list[tuple[Episode, Span]] = []
    silent: dict[str, list[Span]] = defaultdict(list)
    for episode in episodes:
        start, end = episode.held(window[1])
        end = max(start, min(end, collected.get(episode.first.id, end)))
        conditions.append((episode, (start, end)))
        if episode.first.rule == telemetry_lost.NAME:
            silent[episode.first.patient].append((start, end))
    found = []
    for episode, condition in conditions:
        first = episode.first
        spans = shared([condition], [window])
        if first.rule in _GAS:
            spans = without(spans, joined(silent[first.patient]))
        if spans and first.rule in HAZARDS:
            found.append(Hazard(first.rule, first.patient, first.unit, condition, spans))
    return found


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
    lates: list[float] = []
    gaps, covered, total = [_NONE], _NONE, _NONE
    behind: dict[str, list[Span]] = defaultdict(list)
    for hazard in hazards:
        whole = whole_unit(hazard.unit)
        behind[hazard.patient].append(hazard.condition)
        behind[whole].append(hazard.condition)
        about = [*alerts.get(hazard.patient, ()), *alerts.get(whole, ())]
        told = joined(episode.told(window[1]) for episode in about)
        answered = shared([hazard.condition], told)
        if answered:
            lates.append((answered[0][0] - hazard.condition[0]).total_seconds())
        covered += length(shared(hazard.spans, told))
        total += length(hazard.spans)
        gaps += [length([span]) for span in without(hazard.spans, told)]
    beside = _NONE
    for patient, of_patient in alerts.items():
        told = shared([window], joined(episode.told(window[1]) for episode in of_patient))
        beside += length(without(told, joined(behind.get(patient, ()))))
    raised = [
        (patient, episode)
        for patient, of_patient in alerts.items()
        for episode in of_patient
        if window[0] <= episode.first.at < window[1]
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
            not shared([episode.held(window[1])], behind.get(patient, []))
            for patient, episode in raised
        ),
        beside_min=round(beside / timedelta(minutes=1), 3),
    )
