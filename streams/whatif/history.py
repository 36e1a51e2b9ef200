"""Recorded history in the order in which it is judged, from a store or from recordings.

Promises each record once, at the moment of its place: its own time, for a result the moment it was
resulted. A recording has its records in the order of their arrival and may hold ticks. A store
keeps neither: what reached the monitor late stands here as if it had come in time.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from zstandard import ZstdError

from alerts.profile_book import ProfileBook
from schemas.action import Action
from schemas.alert import Alert
from schemas.claimed import Claim, claimed
from schemas.course import Course
from schemas.decode import EARLIEST, LATEST
from schemas.lab import Lab
from schemas.rejected import DeadLetter, Reason, Rejected
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from schemas.unit import UnitRecord
from streams.door import admit
from streams.recording import read_lines
from streams.replay import stands_at
from streams.stores.points import record_of
from streams.stores.port import Store
from streams.stores.shapes import SHAPES

_NOT_AT_THE_DOOR = frozenset({"unreadable-output", "refused-by-store"})
"""What the recorder could not keep; the monitor had nothing against it."""


class Refused(Struct, frozen=True):
    """A record that could not be judged: whose it claimed to be, and why it was refused."""

    claim: Claim
    reason: Reason


Entry = Telemetry | Lab | Course | Action | Tick | Refused
Placed = tuple[datetime | None, Entry]
"""A record and its place; ``None``: wherever the clock stands."""

R = TypeVar("R", Telemetry, Lab, Course, Action, Alert, DeadLetter)


def of_store(store: Store, start: datetime) -> Iterator[Placed]:
    """Yield what a store holds from ``start`` on, lazily; raises ``StoreUnavailable``.

    What is known of a patient is read from the beginning, as it may have been said long before.
    At one moment a sample comes first, as it does where arrivals are kept.
    """
    labs = [(stands_at(lab), lab) for lab in _records(store, Lab, start)]
    sources: list[Iterable[Placed]] = [
        ((sample.time, sample) for sample in _records(store, Telemetry, start)),
        sorted(labs, key=itemgetter(0)),
        ((course.time, course) for course in _records(store, Course, EARLIEST)),
        ((action.time, action) for action in _records(store, Action, start)),
        (
            (letter.time, Refused(claimed(letter.value or b"", letter.key), letter.reason))
            for letter in _records(store, DeadLetter, start)
            if letter.reason not in _NOT_AT_THE_DOOR
        ),
    ]
    return merge(*sources, key=itemgetter(0))


def recorded_alerts(store: Store, start: datetime) -> Iterator[Alert]:
    """Yield the alert transitions that were recorded from ``start`` on, in the order of time."""
    return _records(store, Alert, start)


def of_files(
    paths: Iterable[Path], book: ProfileBook, refuse: Callable[[Reason], None]
) -> Iterator[Placed]:
    """Yield the records of ``paths``, one after the other as one recording.

    ``refuse`` is told the reason of each line that cannot be judged. Raises ``OSError`` for a file
    that cannot be read to its end.
    """
    for path in paths:
        try:
            for line in read_lines(path, lambda _: None):
                if line:
                    yield from _of_line(line, book, refuse)
        except (EOFError, OSError, zlib.error, ZstdError) as wrong:
            raise OSError(f"{path} cannot be read to its end: {wrong}") from None


def _of_line(line: bytes, book: ProfileBook, refuse: Callable[[Reason], None]) -> Iterator[Placed]:
    event = admit(line, None, None, book)
    if isinstance(event, Rejected):
        refuse(event.reason)
        yield None, Refused(claimed(line), event.reason)
    elif not isinstance(event, UnitRecord):
        yield stands_at(event), event


def _records(store: Store, kind: type[R], start: datetime) -> Iterator[R]:
    for point in store.read(SHAPES[kind].measurement, start, LATEST):
        record = record_of(point)
        if isinstance(record, kind):
            yield record
