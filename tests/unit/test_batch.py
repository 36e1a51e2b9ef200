"""Batches are cut within their bounds, and only what is acknowledged in order counts as done."""

from dataclasses import dataclass

import pytest

from streams.batch import BATCH_BYTES, Batch, InFlight, cut


@dataclass
class Record:
    """A record that was fetched."""

    offset: int
    value: bytes | None = b""
    key: bytes | None = None
    topic: str = "t"
    partition: int = 0
    timestamp: int = 0
    timestamp_type: int = 1


@dataclass
class Message:
    """A batch on its way through Faust."""

    value: Batch
    serialized_value_size: int = 10
    acked: bool = False


def message(first: int, last: int) -> Message:
    """Make a message of the records from one offset to another."""
    return Message(tuple(Record(offset) for offset in range(first, last + 1)))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1], [1]),
        ([BATCH_BYTES - 1, 1], [2]),
        ([BATCH_BYTES, 1], [1, 1]),
        ([1, BATCH_BYTES], [1, 1]),
        ([BATCH_BYTES + 1], [1]),
        ([1, BATCH_BYTES + 1, 1], [1, 1, 1]),
        ([BATCH_BYTES // 2] * 5, [2, 2, 1]),
    ],
)
def test_cut(sizes: list[int], expected: list[int]) -> None:
    """A batch has at most so many bytes, or one record; all records are in one, in order."""
    records = [Record(offset, bytes(size)) for offset, size in enumerate(sizes)]
    cuts = list(cut(records))
    assert [len(batch) for batch, _ in cuts] == expected
    assert [record for batch, _ in cuts for record in batch] == records
    assert [size for _, size in cuts] == [
        sum(len(record.value or b"") for record in batch) for batch, _ in cuts
    ]


def test_keys_weigh_and_what_is_missing_does_not() -> None:
    """A batch's bytes are those of its keys and values."""
    ((_, size),) = cut([Record(0, b"abc", b"de"), Record(1, None, b"f"), Record(2, None, None)])
    assert size == 6


def test_nothing_is_done_before_the_oldest_batch_is() -> None:
    """A gap before what is acknowledged holds the commit back, and its records stay counted."""
    partition = InFlight(0)
    batches = [message(0, 4), message(5, 9), message(10, 11)]
    for batch in batches:
        partition.add(batch)
    batches[1].acked = True
    partition.settle()
    assert (partition.done, partition.records, partition.bytes) == (None, 12, 30)
    batches[0].acked = True
    partition.settle()
    assert (partition.done, partition.records, partition.bytes) == (10, 2, 10)
    batches[2].acked = True
    partition.settle()
    partition.settle()
    assert (partition.done, partition.records, partition.bytes) == (12, 0, 0)


def test_another_batch_at_the_same_offset_is_not_done() -> None:
    """What was handed out before a seek and is acknowledged after it does not count."""
    old, new = message(0, 4), message(0, 9)
    InFlight(0).add(old)
    partition = InFlight(1)
    partition.add(new)
    old.acked = True
    partition.settle()
    assert partition.done is None


def test_offsets_that_no_record_bears() -> None:
    """What compaction has taken away between two batches is no gap."""
    partition = InFlight(0)
    first, second = message(0, 4), message(70, 71)
    partition.add(first)
    partition.add(second)
    first.acked = second.acked = True
    partition.settle()
    assert partition.done == 72
