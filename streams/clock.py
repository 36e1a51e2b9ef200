"""What time it is on the ward: the wall clock in production, a faster one in the demo.

Only shells ask. A ward clock that runs fast is written ``WARD_TIME@UNIX_SECONDSxSPEED`` so that all
processes of a demo share one.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Tell the time of day in UTC."""
    return datetime.now(UTC)


class FastClock(Struct, frozen=True):
    """A clock that showed ``ward`` when the wall clock showed ``wall_s`` and runs ``speed`` fast."""

    ward: datetime
    wall_s: float
    speed: float

    def __call__(self) -> datetime:
        """Tell the ward's time."""
        return self.ward + timedelta(seconds=(time.time() - self.wall_s) * self.speed)

    def __str__(self) -> str:
        """Write the clock so that ``parse_clock`` reads it."""
        return f"{self.ward.isoformat()}@{self.wall_s!r}x{self.speed!r}"


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
