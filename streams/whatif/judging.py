"""One pass over a history: every profile judges each record where it stands, all side by side.

Promise: pure; no profile knows of another, and the same history gives the same outcome. Holds the
states of the patients and the alerts, never the history.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.profile_book import ProfileBook
from schemas.alert import Alert
from schemas.tick import Tick
from streams.replay import replay_until
from streams.ward import Ward
from streams.whatif.episode import Episodes
from streams.whatif.history import Entry, Placed, Refused
from streams.whatif.one_profile import OneProfile
from streams.whatif.reference import Reference
from streams.whatif.spans import Span

PROGRESS_RECORDS = 1_000_000
"""Some ten seconds of work."""

_INSTANT = timedelta(microseconds=1)
"""The window ends before its end, and what the last record brings is in it."""


class NothingRecorded(LookupError):
    """There is no record to judge."""


class Side(Struct, frozen=True):
    """One profile and what it tells of the history."""

    name: str
    ward: Ward
    episodes: Episodes


class Judged(Struct, frozen=True):
    """What a pass over ``records`` records has come to; ``window`` is the time that counts."""

    window: Span
    records: int
    reference: Reference


def side_of(name: str, book: ProfileBook, *, keep_named: bool) -> Side:
    """Make the side of a profile: it judges everybody.

    ``keep_named``: only those for whom neither context nor unit names another of ``book``.
    Raises ``InvalidProfile`` when there is none of this name.
    """
    judges = book if keep_named else OneProfile(book.named(name))
    return Side(name, Ward(name, book=judges), Episodes())


def judge(
    history: Iterable[Placed],
    sides: Iterable[Side],
    start: datetime | None,
    stop: datetime | None,
    progress: Callable[[int, datetime | None], None] = lambda *_: None,
) -> Judged:
    """Let every side judge the history up to, not including, ``stop``.

    Only what is told from ``start`` on counts; what comes before it is judged so that therapies
    that were under way are known. ``progress`` is told now and then how many records were judged,
    and the time that they have reached. Raises ``NothingRecorded``.
    """
    sides, reference = list(sides), Reference(start)
    first, reached, records = None, None, 0
    for at, entry in history:
        if at is not None:
            if stop is not None and at >= stop:
                reached = stop
                break
            first = first or at
        reference.meet(at, entry)
        for side in sides:
            if told := judged_by(side.ward, at, entry):
                side.episodes.note(told)
        if told := judged_by(reference.ward, at, entry):
            reference.note(told, entry)
        records += 1
        if records % PROGRESS_RECORDS == 0:
            progress(records, reference.ward.clock)
    clock = reference.ward.clock
    if first is None or clock is None:
        raise NothingRecorded("there is no record to judge in this time")
    for side in sides:
        side.episodes.note(replay_until(side.ward, reached))
    reference.end(reached)
    begin, end = start or first, reached or clock + _INSTANT
    return Judged((begin, max(begin, end)), records, reference)


def judged_by(ward: Ward, at: datetime | None, entry: Entry) -> list[Alert]:
    """Judge one entry where it stands: the clock moves on first, as in ``replay``."""
    told: list[Alert] = []
    if at is not None and (ward.clock is None or at > ward.clock):
        told = ward.advance(at)
    if isinstance(entry, Tick):
        return told
    if isinstance(entry, Refused):
        return told + ward.refuse(entry.claim, entry.reason, at)
    more = ward.take(entry)
    return told + more if told else more
