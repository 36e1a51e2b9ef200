"""From when to when a store holds something: the period of whoever names none.

Promises the same period to every question about the same history. Looks itself are left out: a
question must not move the end of the next one. Knows the port only, so it finds the newest point by
halving the time: some thirty short readings, however long the history is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.decode import EARLIEST, LATEST
from schemas.view import View
from streams.audit.tables import TABLES, TELEMETRY
from streams.stores.port import Store
from streams.stores.shapes import SHAPES

_NEAR = timedelta(minutes=10)
_INSTANT = timedelta(microseconds=1)
_LOOKS = SHAPES[View].measurement


def span_of(
    store: Store, start: datetime | None, stop: datetime | None, asked_of: Iterable[str]
) -> tuple[datetime, datetime] | None:
    """Fill the open ends of a period with the first record and just after the newest one.

    ``asked_of`` are the tables of the question: looks count when it is about them. ``None`` when
    nothing is on record. Raises ``StoreUnavailable``.
    """
    begin, end = start or EARLIEST, stop or LATEST
    # Samples first: nearly always they are the newest, and of the rest one look is enough.
    rest = (TABLES.keys() - {_LOOKS, TELEMETRY.name}) | (set(asked_of) - {TELEMETRY.name})
    tables = [TELEMETRY.name, *sorted(rest)]
    firsts = [first for table in tables if (first := _first(store, table, begin, end))]
    if not firsts:
        return None
    newest = min(firsts)
    for table in tables if stop is None else ():
        newest = _newest(store, table, newest, end)
    return start or min(firsts), stop or newest + _INSTANT


def _first(store: Store, table: str, start: datetime, stop: datetime) -> datetime | None:
    point = next(store.read(table, start, stop), None)
    return None if point is None else point.time


def _newest(store: Store, table: str, newest: datetime, stop: datetime) -> datetime:
    """``newest``, or the time of the last point between it and ``stop``."""
    if _first(store, table, newest + _INSTANT, stop) is None:
        return newest
    while stop - newest > _NEAR:
        middle = newest + (stop - newest) / 2
        found = _first(store, table, middle, stop)
        newest, stop = (newest, middle) if found is None else (found, stop)
    return max((point.time for point in store.read(table, newest, stop)), default=newest)
