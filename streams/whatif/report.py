"""What came of judging a history in several ways, put together: differences, load, hazards.

The structs are what ``--format json`` writes. Pure; knows no words for people but the doubts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from schemas.alert import Alert, Priority
from streams.whatif.coverage import Trade, trades
from streams.whatif.difference import VERDICTS, Difference, Verdict, differences
from streams.whatif.episode import Episode
from streams.whatif.hazard import hazards_of
from streams.whatif.judging import Judged
from streams.whatif.load import Load, load_of

_DAY = timedelta(days=1)


class Voice(NamedTuple):
    """Somebody who judged the history: a profile now, or the monitor then."""

    name: str
    episodes: list[Episode]


class Differs(Struct, frozen=True, tag="difference", tag_field="type"):
    """One alert that two sides do not say alike.

    ``old`` and ``new`` are its transitions on each side, ``null`` where there are none.
    ``moved_s`` is how much later it is raised on the new side, negative for earlier.
    """

    old_side: str
    new_side: str
    verdict: Verdict
    rule: str
    patient: str
    unit: str
    bed: str
    priority: Priority
    moved_s: float
    old: list[Alert] | None
    new: list[Alert] | None


class Burden(Struct, frozen=True):
    """What one side asks of the ward; rates are ``null`` where nobody had nitric oxide."""

    name: str
    judged_by: list[str]
    alerts: dict[Priority, int]
    pages: dict[Priority, int]
    alerts_a_patient_day: float | None
    pages_a_patient_day: float | None


class Compared(Struct, frozen=True):
    """How many alerts of two sides came to which verdict, of all rules and by rule."""

    old_side: str
    new_side: str
    verdicts: dict[Verdict, int]
    by_rule: dict[str, dict[Verdict, int]]


class Summary(Struct, frozen=True, tag="summary", tag_field="type", rename={"start": "from"}):
    """All differences counted, the load, and what it buys.

    ``patient_days`` are of 24 h of nitric oxide, given to ``patients``, between ``start`` and
    ``to``. ``doubts`` are sentences for the reader.
    """

    start: datetime
    to: datetime
    unit: str | None
    records: int
    patients: int
    patient_days: float
    compared: list[Compared]
    load: list[Burden]
    hazards: list[Trade]
    doubts: list[str]


class Report(Struct, frozen=True):
    """The differences, worst first within each comparison, and the summary."""

    differs: list[Differs]
    summary: Summary


def report(
    judged: Judged, voices: list[Voice], unit: str | None, doubts: Iterable[str] = ()
) -> Report:
    """Compare each voice with the one before it, and all with the hazards of the history."""
    window, reference = judged.window, judged.reference
    therapy = reference.therapy(unit)
    days = therapy.delivered / _DAY
    differs: list[Differs] = []
    compared: list[Compared] = []
    for old, new in pairwise(voices):
        pairs = differences(old.episodes, new.episodes, window)
        compared.append(_compared(old, new, pairs))
        differs += [_differs(old, new, pair) for pair in pairs if pair.verdict != "same"]
    hazards = hazards_of(reference.episodes.all(unit), reference.collected, window)
    summary = Summary(
        start=window[0],
        to=window[1],
        unit=unit,
        records=judged.records,
        patients=therapy.patients,
        patient_days=round(days, 3),
        compared=compared,
        load=[_burden(voice, load_of(voice.episodes, window), days) for voice in voices],
        hazards=trades(hazards, voices, window),
        doubts=list(doubts),
    )
    return Report(differs, summary)


def _compared(old: Voice, new: Voice, pairs: list[Difference]) -> Compared:
    by_rule: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for pair in pairs:
        by_rule[pair.either.first.rule][pair.verdict] += 1
    total = sum(by_rule.values(), Counter[Verdict]())
    of_rules = {rule: _ordered(by_rule[rule]) for rule in sorted(by_rule)}
    return Compared(old.name, new.name, _ordered(total), of_rules)


def _ordered(counts: Counter[Verdict]) -> dict[Verdict, int]:
    return {verdict: counts[verdict] for verdict in VERDICTS}


def _differs(old: Voice, new: Voice, pair: Difference) -> Differs:
    first = pair.either.first
    return Differs(
        old_side=old.name,
        new_side=new.name,
        verdict=pair.verdict,
        rule=first.rule,
        patient=first.patient,
        unit=first.unit,
        bed=first.bed,
        priority=pair.priority,
        moved_s=pair.moved.total_seconds(),
        old=list(pair.old.transitions) if pair.old else None,
        new=list(pair.new.transitions) if pair.new else None,
    )


def _burden(voice: Voice, load: Load, days: float) -> Burden:
    versions = {alert.rules_version for one in voice.episodes for alert in one.transitions}
    return Burden(
        name=voice.name,
        judged_by=sorted(versions),
        alerts=load.alerts,
        pages=load.pages,
        alerts_a_patient_day=_rate(load.alerts, days),
        pages_a_patient_day=_rate(load.pages, days),
    )


def _rate(counts: dict[Priority, int], days: float) -> float | None:
    return round(sum(counts.values()) / days, 3) if days else None
