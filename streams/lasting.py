"""What the monitor makes lasting, and in which order (docs/adr/0010).

Before an alert leaves, a checkpoint is written: every state that has changed since the last one,
the alert in its outbox, and how far the partition had come. Without an alert that is done once a
second or so, before the offsets are committed that it stands for. Every write is awaited, and none
is begun without the group's word that this worker still holds the partition. A failed write raises.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from schemas.alert import Alert
from schemas.encode import encode
from schemas.topics import Topics
from schemas.watermark import Watermark
from streams.packed import packed, unpacked
from streams.partition import Outcome, Partition
from streams.together import Pair

if TYPE_CHECKING:
    from schemas.state import PatientState

_MARK = msgspec.json.Decoder(Watermark)
MARK_KEY = b"="
"""Keys of watermarks begin so; no patient, and no stand-in for one, is called so."""


class Way(Protocol):
    """The way into Kafka. A call returns when the broker has what was given, and raises if not."""

    async def hold(self) -> None:
        """Return while the group counts this worker in; raises ``LeaseLost`` when it does not."""

    async def send(self, records: Sequence[tuple[str, bytes | None, bytes, int | None]]) -> None:
        """Send records, each with its topic, key, value and partition."""

    async def keep(self, partition: int, values: Sequence[Pair]) -> None:
        """Write values of the table into its changelog, all or none."""


class Lasting:
    """The way of outcomes and states into Kafka.

    ``table`` is what Faust has restored, keys to values, of all partitions held and of such as were
    held once. ``_dirty`` has the patients of each partition whose newest state is in memory only.
    """

    def __init__(
        self, topics: Topics, table: Callable[[], MutableMapping[bytes, bytes]], way: Way
    ) -> None:
        self._topics = topics
        self._table = table
        self._way = way
        self._dirty: dict[int, set[str]] = defaultdict(set)
        self._marks: dict[int, Watermark] = {}
        self._former: list[PatientState] = []
        self._writing: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def restore(self, partition: Partition) -> list[Alert]:
        """Take up what the table has of this partition; returns what its last owner left to tell.

        The table is read once for all partitions.
        """
        values = self._table()
        self._former = self._former or [
            unpacked(value) for key, value in values.items() if key[:1] != MARK_KEY
        ]
        mark = values.get(_mark_key(partition.number))
        return partition.restore(self._former, None if mark is None else _MARK.decode(mark))

    async def tell(self, partition: Partition, outcome: Outcome) -> None:
        """Publish what a batch led to; what it changed beside that waits for the checkpoint."""
        number = partition.number
        self._dirty[number] |= outcome.touched
        if outcome.dead_letters or outcome.changes:
            letters, changes = self._topics.dead_letters, self._topics.changes
            await self._way.hold()
            await self._way.send(
                [(letters, letter.key, encode(letter), None) for letter in outcome.dead_letters]
                + [
                    (changes, change.patient.encode(), encode(change), number)
                    for change in outcome.changes
                ]
            )
        if outcome.alerts:
            await self.checkpoint([partition])
            await self.publish(partition, outcome.alerts)

    async def publish(self, partition: Partition, alerts: list[Alert]) -> None:
        """Publish alerts that are in the outboxes of states that are lasting."""
        if not alerts:
            return
        number, topic = partition.number, self._topics.alerts
        await self._way.hold()
        await self._way.send(
            [(topic, alert.patient.encode(), encode(alert), number) for alert in alerts]
        )
        partition.published(alerts)
        # Their outboxes are empty now; the next checkpoint says so.
        self._dirty[number] |= {alert.patient for alert in alerts}

    async def checkpoint(self, partitions: Iterable[Partition]) -> None:
        """Write every state that has changed, and with it how far each partition has come."""
        writes = [self._write(partition) for partition in partitions]
        # None is left under way: whoever is refused may forget everything next.
        for failed in await asyncio.gather(*writes, return_exceptions=True):
            if failed is not None:
                raise failed

    async def _write(self, partition: Partition) -> None:
        # One at a time: an older state must never come behind a newer one.
        async with self._writing[partition.number]:
            await self._write_alone(partition)

    async def _write_alone(self, partition: Partition) -> None:
        number, mark = partition.number, partition.watermark()
        names, self._dirty[number] = self._dirty[number], set()
        if not names and self._marks.get(number) == mark:
            return
        values = [(name.encode(), packed(partition.ward.patients[name])) for name in sorted(names)]
        values.append((_mark_key(number), encode(mark)))
        try:
            await self._way.hold()
            await self._way.keep(number, values)
        except BaseException:
            self._dirty[number] |= names
            raise
        self._table().update(values)
        self._marks[number] = mark

    def forget(self) -> None:
        """Nothing is held any more; whoever takes over begins at the last checkpoint."""
        self._dirty.clear()
        self._marks.clear()
        self._former = []


def _mark_key(number: int) -> bytes:
    return b"%b%d" % (MARK_KEY, number)
