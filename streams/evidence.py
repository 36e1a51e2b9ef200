"""What stands behind one alert, gathered from a store.

Promises to give what was kept and to say what it doubts; it judges nothing again. What a store does
not hold it cannot know: when a record arrived, and what nobody recorded. Reads through the store's
port and nothing else.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from alerts.numbers import Number, numbers_of
from alerts.profile_book import ProfileBook
from alerts.reference import EVERY_RULE
from alerts.rule import AnyRule
from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course
from schemas.decode import EARLIEST, LATEST
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.state import Context, PatientState
from schemas.telemetry import Telemetry
from streams.context import take_course
from streams.stores.points import record_of
from streams.stores.port import Store
from streams.stores.shapes import SHAPES, Record

BEFORE, AFTER = timedelta(seconds=60), timedelta(seconds=10)
"""How far around the two moments of an alert its samples are looked at."""
AROUND = 10
"""So many samples are kept before and after each of the two moments: at most 40 lines."""
_ORDER = ("raised", "escalated", "deescalated", "cleared")
_INSTANT = timedelta(microseconds=1)

R = TypeVar("R", Telemetry, Lab, Course, Action, Alert, Page, ProfileChange)


class Stretch(Struct, frozen=True):
    """Samples in a row, and how many before them are left out."""

    left_out: int
    samples: list[Telemetry]


class Samples(Struct, frozen=True):
    """The patient's samples from ``start`` to ``stop``: how many, and those around the moments.

    ``moments`` are when it began and when it was decided: of a hold its onset and its end, of a
    deadline the start of the course and the deadline.
    """

    start: datetime
    stop: datetime
    moments: tuple[datetime, datetime]
    count: int
    stretches: list[Stretch]


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything about the alert ``id``.

    ``context`` is what had been said of the patient by the time the alert was decided. ``labs`` are
    methemoglobin results of the course, where the rule is about them. ``changes`` say how the
    patient came to be judged by another profile, ``numbers`` are those of the profile that judged,
    as it is installed here. ``doubts`` are sentences for the reader.
    """

    id: str
    rule: str
    transitions: list[Alert]
    pages: list[Page]
    actions: list[Action]
    context: Context
    labs: list[Lab]
    samples: Samples
    changes: list[ProfileChange]
    numbers: list[Number]
    doubts: list[str]


def gather(store: Store, alert_id: str, book: ProfileBook) -> Evidence | None:
    """Gather what the store holds about an alert; ``None`` when it holds no such alert.

    ``book`` has the profiles that are installed. Raises ``StoreUnavailable``. Reads a course from
    its start where the rule is about deadlines: 14 days at a sample a second take SQLite seconds.
    """
    transitions = sorted(
        _records(store, Alert, EARLIEST, LATEST, {"id": alert_id}),
        key=lambda alert: (alert.at, _ORDER.index(alert.phase)),
    )
    if not transitions:
        return None
    first, last = transitions[0], transitions[-1]
    rule = next((rule for rule in EVERY_RULE if rule.name == first.rule), None)
    numbers, doubts = _judged_by(first, rule, book)
    if first.phase != "raised":
        doubts.append("The store does not hold how this alert was raised.")
    mine = {"patient": first.patient}
    since = first.course or first.onset
    labs: Iterable[Lab] = ()
    if first.rule.startswith("methb-"):
        labs = _records(store, Lab, since, last.at + _INSTANT, mine | {"code": METHEMOGLOBIN})
    return Evidence(
        id=alert_id,
        rule=first.rule,
        transitions=transitions,
        pages=list(_records(store, Page, EARLIEST, LATEST, mine | {"alert": alert_id})),
        actions=[
            action
            for action in _records(store, Action, since - BEFORE, LATEST, mine)
            if _is_about(action, last)
        ],
        context=_context(_records(store, Course, EARLIEST, first.at + _INSTANT, mine), first),
        labs=list(labs),
        samples=_samples(store, first, rule),
        changes=list(_records(store, ProfileChange, since - BEFORE, last.at + _INSTANT, mine)),
        numbers=numbers,
        doubts=doubts,
    )


def _records(
    store: Store, kind: type[R], start: datetime, stop: datetime, tags: Mapping[str, str]
) -> Iterator[R]:
    for point in store.read(SHAPES[kind].measurement, start, stop, tags):
        record: Record = record_of(point)
        if isinstance(record, kind):
            yield record


def _judged_by(
    alert: Alert, rule: AnyRule | None, book: ProfileBook
) -> tuple[list[Number], list[str]]:
    """The numbers of the rule as they are installed, and what may differ from those that judged."""
    if rule is None:
        return [], [f"The rule {alert.rule} is not known to this version of inowatch."]
    limits = book.find(alert.profile)
    if limits is None:
        return [], [f"The profile {alert.profile}, which judged, is not installed here."]
    doubts = []
    if limits.rules_version != alert.rules_version:
        doubts.append(
            f"It was judged by {alert.rules_version}; installed here is {limits.rules_version},"
            " whose numbers may differ."
        )
    return numbers_of(rule, limits), doubts


def _is_about(action: Action, last: Alert) -> bool:
    """Whether somebody did it about this alert, or about its rule or the course while it lasted."""
    if action.alert is not None:
        return action.alert == last.id
    return action.rule in (None, last.rule) and action.time <= last.at


def _context(records: Iterable[Course], alert: Alert) -> Context:
    patient = PatientState(alert.patient)
    for record in records:
        take_course(patient, record, record.time)
    return patient.context


def _samples(store: Store, alert: Alert, rule: AnyRule | None) -> Samples:
    waits = rule is not None and rule.moves_with == "clock"
    began = alert.course if waits and alert.course is not None else alert.onset
    start, stop = began - BEFORE, alert.at + AFTER + _INSTANT
    moments = (began, alert.at)
    found = _records(store, Telemetry, start, stop, {"patient": alert.patient})
    count, stretches = _around(found, moments)
    return Samples(start, stop - _INSTANT, moments, count, stretches)


def _around(samples: Iterable[Telemetry], moments: Iterable[datetime]) -> tuple[int, list[Stretch]]:
    """Count the samples, and keep those just before and just after each moment."""
    pending, wanted, count = sorted(moments), 0, 0
    before: deque[tuple[int, Telemetry]] = deque(maxlen=AROUND)
    kept: dict[int, Telemetry] = {}
    for number, sample in enumerate(samples):
        while pending and sample.time >= pending[0]:
            del pending[0]
            kept |= dict(before)
            wanted = AROUND
        if wanted:
            kept[number] = sample
            wanted -= 1
        before.append((number, sample))
        count = number + 1
    if pending:
        kept |= dict(before)
    return count, list(_stretches(kept))


def _stretches(kept: Mapping[int, Telemetry]) -> Iterator[Stretch]:
    """Part what was kept where something between was not."""
    row: list[Telemetry] = []
    left_out = reached = 0
    for number in sorted(kept):
        if row and number > reached:
            yield Stretch(left_out, row)
            row = []
        if not row:
            left_out = number - reached
        row.append(kept[number])
        reached = number + 1
    if row:
        yield Stretch(left_out, row)
