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

from msgspec import Struct
from msgspec.structs import replace

from alerts.limits import Limits
from alerts.rules import telemetry_lost
from streams.whatif.episode import Episode
from streams.whatif.spans import Span, joined, shared, without

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
