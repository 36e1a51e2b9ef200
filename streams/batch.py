"""Records as they are handed on: in batches of one partition, bounded, counted until acknowledged.

A batch is never empty and its records are in the order of their offsets. This file knows neither
Faust nor Kafka's client: it cuts what was fetched and keeps the account of what is under way.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

BATCH_RECORDS = 2_000
"""Most records of a batch, and of one fetch over all partitions."""

BATCH_BYTES = 4 * 1024 * 1024
"""Keys and values of a batch; a record that is larger is a batch alone."""

IN_FLIGHT_RECORDS = 10_000
IN_FLIGHT_BYTES = 32 * 1024 * 1024
"""Nothing is fetched while so much is handed out and not acknowledged, over all partitions.

What one process can hold follows from it. Handed out: the bound and the fetch that passes it, so
under 12,000 records, which is as many batches at the most. At 0.5 KiB a record for Python's objects
and 150 bytes of data that is 8 MiB; at the 64 KiB that the contract allows a record it is 32 MiB
and one fetch of at most 2,000 x 64 KiB = 125 MiB. Behind it Kafka's client holds one answer of at
most 1 MiB a partition, as it was sent, and asks for no more: the rest of a backlog stays in Kafka.
"""


class KafkaRecord(Protocol):
    """A record as Kafka's client hands it over; nothing is decoded.

    ``timestamp`` is in ms since 1970; its ``timestamp_type`` is 1 when the broker stamped it and 0
    when the producer did.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None


Batch = tuple[KafkaRecord, ...]
"""Records of one partition of one topic."""


class HandedOut(Protocol):
    """What carries a batch through Faust: its message."""

    value: Batch
    serialized_value_size: int
    acked: bool


def cut(records: Sequence[KafkaRecord]) -> Iterator[tuple[Batch, int]]:
    """Cut what was fetched from a partition into batches; yields each with its bytes."""
    start, size = 0, 0
    for number, record in enumerate(records):
        more = len(record.key or b"") + len(record.value or b"")
        if number > start and size + more > BATCH_BYTES:
            yield tuple(records[start:number]), size
            start, size = number, 0
        size += more
    if records:
        yield tuple(records[start:]), size


class InFlight:
    """The batches of one partition that were handed out since a seek, oldest first.

    ``seeks`` counts the seeks up to then. ``done`` is the offset before which everything since is
    acknowledged; ``None`` while the oldest batch is not. A batch is known by its message, not by
    its offset: after a seek the same offset comes again in another batch, and that the old one is
    acknowledged says nothing of the new one.
    """

    def __init__(self, seeks: int) -> None:
        self.seeks = seeks
        self._batches: deque[HandedOut] = deque()
        self.records = 0
        self.bytes = 0
        self.done: int | None = None

    def add(self, message: HandedOut) -> None:
        """Take up a batch that is handed out now."""
        self._batches.append(message)
        self.records += len(message.value)
        self.bytes += message.serialized_value_size

    def settle(self) -> None:
        """Let go of what is acknowledged, from the oldest batch up to the first that is not."""
        while self._batches and self._batches[0].acked:
            message = self._batches.popleft()
            self.records -= len(message.value)
            self.bytes -= message.serialized_value_size
            self.done = message.value[-1].offset + 1
