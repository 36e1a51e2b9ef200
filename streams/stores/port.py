"""The one narrow interface where the recorder and the readers meet.

Promises what every store keeps: a write that returned is durable; the same point written twice
is one point; a reading is ordered. Knows no record type (``points`` does) and no store.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

Field = float | int | str | bool
"""Numbers come back as floats, since a store that keeps 3 apart from 3.5 refuses the second."""


class Point(Struct, frozen=True, gc=False):
    """Something at one moment: ``fields`` that were measured, ``tags`` that say of whom.

    A point is known by (``measurement``, ``tags``, ``time``, ``twin``): written again, its fields
    become the union of both writes and the newer value of a field wins. ``time`` carries an
    offset and is exact to the microsecond. ``twin`` (0 to 999) tells apart what shares all the
    rest; it is a number rather than a tag because each new tag value is a new series to a time
    series store.
    """

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Field]
    time: datetime
    twin: int = 0


def tags_text(tags: Mapping[str, str]) -> str:
    """Write the tags as one JSON text, sorted by name: the same for the same tags."""
    return msgspec.json.encode(tags, order="deterministic").decode()


def reading_order(point: Point) -> tuple[datetime, str, int]:
    """Sort key of a reading: by time, then by tags, then by twin."""
    return point.time, tags_text(point.tags), point.twin


class StoreUnavailable(Exception):
    """The store cannot answer now: nothing is known to be written; try the same again later.

    ``retry_after_s`` is the pause that the store itself asked for, in seconds, if it did.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class PointsRefused(Exception):
    """The store will never take ``points``; all other points of the batch were written.

    They are the very objects that were given, so that their giver knows where they came from.
    ``reasons`` holds one sentence for each point, ``reason`` the first of them.
    """

    def __init__(self, points: Sequence[Point], reason: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(f"{len(points)} points refused: {reason}")
        self.points = tuple(points)
        self.reason = reason
        self.reasons = tuple(reasons) or (reason,) * len(self.points)


class WrongStore(ValueError):
    """What the address names is not a store of this product, or one of a newer version."""


class Store(Protocol):
    """A place for points. May be used from any thread; each call is complete in itself."""

    def write(self, points: Sequence[Point]) -> None:
        """Keep ``points``; return when they would survive a power cut.

        Raises ``PointsRefused`` when some will never be taken, ``StoreUnavailable`` when it is
        worth trying again. Either way the same call may be made again: it changes nothing twice.
        """

    def read(
        self,
        measurement: str,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[Point]:
        """Points with ``start <= time < stop`` that carry all of ``tags``, in reading order.

        Lazy: rows are fetched as they are asked for. Raises ``StoreUnavailable``.
        """

    def extent(
        self, measurement: str, start: datetime, stop: datetime
    ) -> tuple[datetime, datetime] | None:
        """Times of the first and the last point with ``start <= time < stop``; ``None`` for none.

        Both in UTC. Costs little, however many points lie between. Raises ``StoreUnavailable``.
        """

    def close(self) -> None:
        """Let go of files and connections. A second call does nothing."""
