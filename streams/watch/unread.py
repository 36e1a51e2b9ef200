"""What a consumer group has not dealt with: how much, for how long, and whether it moves.

The first record of a partition that is not committed tells by its own time how far behind the group
is. When it came is asked once: while the group stands still, that is known.
"""

from collections.abc import Mapping
from datetime import datetime

from kafka import TopicPartition
from msgspec import Struct

from streams.watch.kafka_view import KafkaView, Span, came
from streams.watch.observation import Lag


class _First(Struct, frozen=True):
    """The first record that is not dealt with: its offset, when it came, since when it is it."""

    offset: int
    came: datetime | None
    still: datetime


class Unread:
    """What was found at the last look, by role and partition."""

    def __init__(self) -> None:
        self._firsts: dict[tuple[str, TopicPartition], _First] = {}

    def lags(
        self,
        view: KafkaView,
        role: str,
        group: str,
        spans: Mapping[TopicPartition, Span],
        at: datetime,
    ) -> list[Lag]:
        """Find how far behind a role is in the partitions that it reads, which hold ``spans``."""
        committed = view.committed(group)
        offsets = {place: _first(committed.get(place), span) for place, span in spans.items()}
        new = {
            place: (offset, spans[place][1])
            for place, offset in offsets.items()
            if self._came(role, place, offset) is None and offset < spans[place][1]
        }
        times = {
            TopicPartition(record.topic, record.partition): came(record)
            for record in view.read(new, only_first=True)
        }
        for place, offset in offsets.items():
            before = self._firsts.get((role, place))
            still = before.still if before is not None and before.offset == offset else at
            time = times.get(place, self._came(role, place, offset))
            self._firsts[role, place] = _First(offset, time, still)
        return [
            Lag(
                role=role,
                topic=place.topic,
                partition=place.partition,
                records=end - self._firsts[role, place].offset,
                oldest=self._firsts[role, place].came,
                still=self._firsts[role, place].still,
            )
            for place, (_, end) in spans.items()
        ]

    def _came(self, role: str, place: TopicPartition, offset: int) -> datetime | None:
        before = self._firsts.get((role, place))
        return before.came if before is not None and before.offset == offset else None


def _first(committed: int | None, span: Span) -> int:
    """Where the group goes on: not at what has expired, nor at an offset of a former topic."""
    begin, end = span
    return committed if committed is not None and begin <= committed <= end else begin
