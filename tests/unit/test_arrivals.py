"""When records reached Kafka, as the ward's time."""

import time
from datetime import UTC, datetime

from msgspec import Struct

from streams.clock import FastClock, wall_clock
from streams.worker import arrival, arrivals

FAST = FastClock(datetime(2026, 1, 1, tzinfo=UTC), 1_700_000_000.0, 60.0)
BROKER, PRODUCER = 1, 0


class Record(Struct):
    """What a stamp needs of a record."""

    timestamp: int
    timestamp_type: int = BROKER
    topic: str = "t"
    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    value: bytes | None = None


def test_a_batch_says_what_each_record_says() -> None:
    """Records stamped alike, at other moments, at -1 and at 0: each arrives when it does alone."""
    stamps = (-1, 0, 0, 1_700_000_060_000, 1_700_000_060_000, 1_700_000_000_001, -1)
    batch = tuple(Record(stamp) for stamp in stamps)
    for clock in (wall_clock, FAST):
        assert list(arrivals(batch, clock)) == [arrival(record, clock) for record in batch]


def test_a_producer_is_not_believed_to_be_ahead() -> None:
    """A time of the producer's own is cut to now, for every record anew."""
    ahead = round((time.time() + 3600) * 1000)
    begin = datetime.now(UTC)
    first, second = arrivals((Record(ahead, PRODUCER), Record(ahead, PRODUCER)), wall_clock)
    assert begin.timestamp() - 1 <= first.timestamp() <= second.timestamp()
    assert second <= datetime.now(UTC)
    (believed,) = arrivals((Record(ahead),), wall_clock)
    assert round(believed.timestamp() * 1000) == ahead
