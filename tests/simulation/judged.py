"""A simulated ward judged by the real core, and the clock at which each transition was decided."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from schemas.alert import Alert, Priority, rank
from schemas.encode import encode
from schemas.rejected import Rejected
from schemas.tick import Tick
from streams.replay import replay
from streams.simulate.arrival import Arrival
from streams.ward import Ward

SECOND = timedelta(seconds=1)
PAGED: Priority = "medium"
"""The weakest priority that the wards without hazards must never hear."""


def judged(lines: Iterable[bytes], ward: Ward) -> Iterator[tuple[datetime, Alert]]:
    """Yield each transition behind the ward's clock at the record or tick that brought it out."""
    for alert in replay(lines, ward, _refused):
        assert ward.clock is not None
        yield ward.clock, alert


def is_page(alert: Alert) -> bool:
    """Whether somebody is told, at a priority that correct care must not reach."""
    return alert.phase in ("raised", "escalated") and rank(alert.priority) >= rank(PAGED)


def with_ticks(arrivals: Iterable[Arrival], since: datetime, until: datetime) -> Iterator[bytes]:
    """Put the monitor's tick of every second between the records, in the order of arrival."""
    tick = since.replace(microsecond=0)
    for arrival in arrivals:
        while tick <= arrival.at:
            yield encode(Tick(time=tick))
            tick += SECOND
        yield encode(arrival.record)
    while tick <= until:
        yield encode(Tick(time=tick))
        tick += SECOND


def _refused(number: int, line: bytes, why: Rejected) -> None:
    raise AssertionError(f"the simulator's record {number} is refused: {why}: {line!r}")
