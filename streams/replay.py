"""Recorded events judged offline, by the same core as live ones.

A record's place in the recording is its arrival; the newest event time stands for the clock. The
same lines give the same transitions in the same order, always.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from schemas.alert import Alert
from schemas.claimed import claimed
from schemas.decode import Event
from schemas.lab import Lab
from schemas.rejected import Rejected
from schemas.tick import Tick
from schemas.unit import UnitRecord
from streams.door import admit
from streams.ward import Ward


def replay(
    lines: Iterable[bytes],
    ward: Ward,
    refuse: Callable[[int, bytes, Rejected], None],
    until: datetime | None = None,
) -> Iterator[Alert]:
    """Judge the lines; ``refuse`` is handed the number and bytes of each that cannot be.

    Ends where the clock would pass ``until``: what arrives later is not known yet.
    """
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        event = admit(line, None, None, ward.book)
        if isinstance(event, Rejected):
            refuse(number, line, event)
            yield from ward.refuse(claimed(line), event.reason)
            continue
        if isinstance(event, UnitRecord):
            continue  # this ward has all of a unit and needs nobody's word
        if until is not None and event.time > until:
            return
        time = stands_at(event) if isinstance(event, Lab) else event.time
        if (ward.clock is None or time > ward.clock) and (told := ward.advance(time)):
            yield from told
        if not isinstance(event, Tick) and (told := ward.take(event)):
            yield from told


def stands_at(event: Event) -> datetime:
    """The moment of an event's place in a recording: a result stands where it was resulted."""
    if isinstance(event, Lab) and event.resulted is not None:
        return max(event.time, event.resulted)
    return event.time


def replay_until(ward: Ward, until: datetime | None) -> Iterator[Alert]:
    """End a recording: nothing is under way any more, and the clock may go on to ``until``."""
    yield from ward.catch_up()
    if until is not None:
        yield from ward.advance(until)
