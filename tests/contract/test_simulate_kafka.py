"""The simulator's producer against a real Kafka."""

import itertools
import signal
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kafka import (
    KafkaConsumer,
    TopicPartition,
)
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.free_port import free_port
from deploy.kafka.access import KafkaAccess
from schemas.encode import encode
from schemas.topics import Topics
from streams.simulate.arrival import Arrival
from streams.simulate.produce import NotTaken, to_kafka
from streams.simulate.ward import ward

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
HISTORY = timedelta(hours=9)
PARTITIONS = 3


def run(live: timedelta) -> list[Arrival]:
    """Three beds of correct care: some hours of history, then so much live."""
    return list(ward(3, "correct-care", 1, NOW - HISTORY, NOW, NOW + live, period_s=10.0))


def past(arrivals: list[Arrival]) -> int:
    """Count what is history."""
    return sum(arrival.at < NOW for arrival in arrivals)


@pytest.fixture
def topics(kafka: str) -> Iterator[Topics]:
    """Create the input topics under a prefix of their own."""
    topics = Topics(f"simulate-{uuid.uuid4().hex[:8]}")
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in topics.inputs])
        yield topics
        admin.delete_topics(list(topics.inputs))
    finally:
        admin.close()


class Board:
    """What the topics hold."""

    def __init__(self, kafka: str, topics: Topics) -> None:
        self.consumer = KafkaConsumer(bootstrap_servers=kafka, group_id=None)
        self.parts = [TopicPartition(t, p) for t in topics.inputs for p in range(PARTITIONS)]

    def __len__(self) -> int:
        return sum(self.consumer.end_offsets(self.parts).values())

    def read(self) -> dict[tuple[str, str], list[bytes]]:
        """Values by topic and key, in the order of their offsets; partition numbers agree."""
        self.consumer.assign(self.parts)
        self.consumer.seek_to_beginning()
        wanted, found = len(self), defaultdict(list)
        partitions: dict[str, set[int]] = defaultdict(set)
        count = 0
        for _ in range(200):
            for part, records in self.consumer.poll(timeout_ms=200).items():
                for record in records:
                    key = record.key.decode()
                    found[part.topic, key].append(record.value)
                    partitions[key].add(part.partition)
                    count += 1
            if count >= wanted:
                break
        assert count == wanted
        assert all(len(numbers) == 1 for numbers in partitions.values())
        return found


@pytest.fixture
def board(kafka: str, topics: Topics) -> Iterator[Board]:
    """Read the topics."""
    board = Board(kafka, topics)
    yield board
    board.consumer.close()


def test_everything_arrives_in_order_at_its_topic(
    kafka: str, topics: Topics, board: Board, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each record stands once on the topic of its type under its patient, in order of arrival."""
    arrivals = run(timedelta(minutes=10))
    seconds = itertools.count()
    told: list[int] = []

    sent = to_kafka(
        arrivals,
        KafkaAccess(kafka),
        topics,
        lambda: NOW + timedelta(seconds=20 * next(seconds)),
        now=NOW,
        on_live=lambda: told.append(len(board)),
    )

    assert sent == len(arrivals)
    assert told == [past(arrivals)]
    expected: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    topic_of = {kind: name for name, kind in topics.inputs.items()}
    for arrival in arrivals:
        kind = type(arrival.record).__name__.lower()
        topic = next(name for of, name in topic_of.items() if of == kind)
        expected[topic, arrival.record.patient].append(encode(arrival.record))
    assert board.read() == expected
    out, err = capfd.readouterr()
    assert out == ""
    assert "history" in err


def test_live_records_wait_until_they_are_due(kafka: str, topics: Topics, board: Board) -> None:
    """Under a clock that stands still nothing live is sent, and the stop event ends the wait."""
    arrivals = run(timedelta(minutes=10))
    stop = threading.Event()
    asked = itertools.count()

    def standing() -> datetime:
        if next(asked) == 10:
            stop.set()
        return NOW

    sent = to_kafka(
        arrivals, KafkaAccess(kafka), topics, standing, now=NOW, stop=stop, progress=False
    )
    assert sent == len(board) == past(arrivals)


def test_an_interrupt_loses_nothing_that_was_sent(kafka: str, topics: Topics, board: Board) -> None:
    """Ctrl-C while it waits ends the run with all that was due acknowledged."""
    arrivals = run(timedelta(minutes=10))
    due = NOW + timedelta(minutes=5)
    asked = itertools.count()

    def interrupting() -> datetime:
        if next(asked) == 200:
            signal.raise_signal(signal.SIGINT)
        return due

    sent = to_kafka(arrivals, KafkaAccess(kafka), topics, interrupting, now=NOW, progress=False)
    assert sent == len(board) == sum(arrival.at <= due for arrival in arrivals)


def test_history_alone_is_sent_and_over(kafka: str, topics: Topics, board: Board) -> None:
    """Without anything live the run ends by itself, and the clock is never asked."""
    arrivals = run(timedelta())

    def unasked() -> datetime:
        raise AssertionError("there is nothing to wait for")

    assert to_kafka(arrivals, KafkaAccess(kafka), topics, unasked, now=NOW, progress=False) == len(
        arrivals
    )
    assert len(board) == len(arrivals)


def test_a_missing_topic_is_an_error_and_is_not_created(kafka: str) -> None:
    """Topics are set up elsewhere with their partitions; here their absence is said."""
    topics = Topics(f"absent-{uuid.uuid4().hex[:8]}")
    with pytest.raises(NotTaken, match=topics.prefix):
        to_kafka(run(timedelta()), KafkaAccess(kafka), topics, lambda: NOW, now=NOW, progress=False)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        assert not set(topics.inputs) & set(admin.list_topics())
    finally:
        admin.close()


def test_no_kafka_is_an_error_that_names_its_address() -> None:
    """Where nothing listens the run says so within its bound."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(NotTaken, match=address):
        to_kafka(
            run(timedelta()), KafkaAccess(address), Topics(), lambda: NOW, now=NOW, progress=False
        )
