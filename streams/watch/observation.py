"""What can be seen of a site from outside, at one moment.

Times are those at which Kafka took a record, so they are of the wall also where the ward's time
runs fast. ``None`` for a time is *not known*: never seen, or longer than anybody has looked.
"""

from datetime import datetime

from msgspec import Struct

from schemas.alert import Phase, Priority


class Ticks(Struct, frozen=True, kw_only=True):
    """The newest tick in one partition of an input; ``None``: none was found."""

    topic: str
    partition: int
    newest: datetime | None


class Workers(Struct, frozen=True, kw_only=True):
    """How many workers of a role are running, and since when none is."""

    role: str
    running: int
    gone: datetime | None


class Lag(Struct, frozen=True, kw_only=True):
    """What a role has not dealt with in one partition.

    ``oldest`` is when the first of the ``records`` came (``None`` when there are none), ``still``
    since when no other has been the first.
    """

    role: str
    topic: str
    partition: int
    records: int
    oldest: datetime | None
    still: datetime


class Receiver(Struct, frozen=True, kw_only=True):
    """How a sink of the pager fares. ``failing`` is since when nothing gets through.

    ``refuses``: it does not know us (any more), so that no attempt can get through.
    """

    sink: str
    told: datetime | None
    failing: datetime | None
    refuses: bool
    reason: str


class Untold(Struct, frozen=True, kw_only=True):
    """A transition that people should have been told of, and that has reached nobody."""

    alert: str
    rule: str
    phase: Phase
    priority: Priority
    since: datetime


class Observation(Struct, frozen=True, kw_only=True):
    """All of it. ``missing`` are topics that should be there and are not."""

    at: datetime
    missing: tuple[str, ...]
    ticks: tuple[Ticks, ...]
    workers: tuple[Workers, ...]
    lags: tuple[Lag, ...]
    receivers: tuple[Receiver, ...]
    untold: tuple[Untold, ...]

    def waiting(self, role: str) -> int:
        """How many records a role has not dealt with."""
        return sum(lag.records for lag in self.lags if lag.role == role)

    def lag_s(self, role: str) -> float:
        """How old the oldest of them is, in seconds; 0 when there are none."""
        return max(
            (self.age_s(lag.oldest) or 0.0 for lag in self.lags if lag.role == role), default=0.0
        )

    def age_s(self, time: datetime | None) -> float | None:
        """Seconds since then; clocks that are a little apart make no time run backwards."""
        return None if time is None else max(0.0, round((self.at - time).total_seconds(), 1))
