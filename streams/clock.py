"""What time it is on the ward: the wall clock in production, a faster one in the demo.

Only shells ask. A ward clock that runs fast is written ``WARD_TIME@UNIX_SECONDSxSPEED`` so that all
processes of a demo share one.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct


class Clock(Protocol):
    """What a shell asks for the ward's time."""

    @property
    def speed(self) -> float:
        """Ward seconds in a wall second."""

    def __call__(self) -> datetime:
        """Tell the ward's time now."""

    def at(self, wall_s: float) -> datetime:
        """Tell what the ward's time was at this Unix time."""


class WallClock(Struct, frozen=True):
    """The time of day in UTC."""

    speed: float = 1.0

    def __call__(self) -> datetime:
        """Tell the time now."""
        return datetime.now(UTC)

    def at(self, wall_s: float) -> datetime:
        """Tell the time of day at this Unix time."""
        return datetime.fromtimestamp(wall_s, UTC)


class FastClock(Struct, frozen=True):
    """A clock that showed ``ward`` when the wall clock showed ``wall_s`` and runs ``speed`` fast.

    Before that it stood still: what was recorded earlier is history.
    """

    ward: datetime
    wall_s: float
    speed: float

    def __call__(self) -> datetime:
        """Tell the ward's time now."""
        return self.at(time.time())

    def at(self, wall_s: float) -> datetime:
        """Tell what the ward's time was at this Unix time."""
        return self.ward + timedelta(seconds=max(0.0, wall_s - self.wall_s) * self.speed)

    def __str__(self) -> str:
        """Write the clock so that ``parse_clock`` reads it."""
        return f"{self.ward.isoformat()}@{self.wall_s!r}x{self.speed!r}"


wall_clock = WallClock()


def parse_clock(text: str) -> Clock:
    """Read a clock; empty is the wall clock. Raises ``ValueError`` for anything else."""
    if not text:
        return wall_clock
    ward, at, rest = text.partition("@")
    wall_s, x, speed = rest.partition("x")
    try:
        clock = FastClock(datetime.fromisoformat(ward), float(wall_s), float(speed))
    except ValueError:
        raise ValueError(f"no clock: {text!r}; write WARD_TIME@UNIX_SECONDSxSPEED") from None
    if not at or not x or clock.ward.tzinfo is None or clock.speed <= 0:
        raise ValueError(f"no clock: {text!r}; it needs an offset and a speed above 0")
    return clock
