"""The product under test: its workers as processes, its topics, and what came out of them."""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import RetriableError

from deploy.guarded import Guarded
from deploy.kafka.edges import edges
from schemas.alert import Alert
from schemas.page import Page
from schemas.rejected import DeadLetter
from streams.deploy_command import make_topics
from streams.settings import Settings, read_settings
from streams.worker import app_id

T = TypeVar("T")
Json = dict[str, Any]
PATIENCE_S = 60.0


def eventually(look: Callable[[], T], *, within_s: float = PATIENCE_S) -> T:
    """Ask until the answer is a true one; the last answer is returned in any case."""
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


class Product:
    """One site: a prefix of its own on the shared Kafka, and workers that are started by name."""

    def __init__(self, kafka: str, home: Path, extra: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.env = {
            "INOWATCH_KAFKA": kafka,
            "INOWATCH_PREFIX": f"t{uuid.uuid4().hex[:8]}",
            "INOWATCH_PARTITIONS": "2",
            "INOWATCH_STORE": f"sqlite:///{home / 'store.sqlite'}",
            "INOWATCH_BOARD_PORT": "0",
            **(extra or {}),
        }
        self.settings: Settings = read_settings(self.env)
        self.topics = self.settings.topics
        self.workers: dict[str, Guarded] = {}
        self._producer: Any = None

    def start(self, *roles: str) -> None:
        """Start workers; what they print goes to a file of the role's name."""
        for role in roles:
            log = self.home.joinpath(f"{role}.log").open("ab")
            with log:
                self.workers[role] = Guarded(
                    [sys.executable, "-m", "streams.cli", "run", role],
                    output=log,
                    error_output=log,
                    env={**os.environ, **self.env},
                )

    def kill(self, role: str) -> None:
        """End a worker as a crash does."""
        self.workers.pop(role).kill()

    def log_of(self, role: str) -> str:
        """Return what the worker has printed."""
        return self.home.joinpath(f"{role}.log").read_text()

    def send(self, records: Iterable[Json]) -> None:
        """Send records to their topics as the devices do, and wait until Kafka has them."""
        if self._producer is None:
            # One at a time: what is tried again must not be overtaken by what came after it.
            self._producer = KafkaProducer(
                **self.settings.kafka.client(),
                acks="all",
                max_in_flight_requests_per_connection=1,
            )
        topic_of = {kind: name for name, kind in self.topics.inputs.items()}
        for record in records:
            self._producer.send(
                topic_of[record["type"]],
                key=record["patient"].encode(),
                value=msgspec.json.encode(record),
            )
        self._producer.flush()

    def read(self, topic: str) -> list[bytes]:
        """Return all values that are on a topic now."""
        consumer = KafkaConsumer(**self.settings.kafka.client(), enable_auto_commit=False)
        try:
            numbers = consumer.partitions_for_topic(topic) or set()
            places = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends = edges(consumer.end_offsets, places)
            found: list[bytes] = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=200).values():
                    found += [record.value for record in records]
            return found
        finally:
            consumer.close()

    def committed(self, role: str) -> dict[tuple[str, int], int]:
        """Return what a role has committed, by topic and partition."""
        group = app_id(role, self.settings)
        admin = KafkaAdminClient(**self.settings.kafka.client())
        try:
            found = admin.list_group_offsets(group)[group]
        except RetriableError:  # the group is new to this Kafka
            return {}
        finally:
            admin.close()
        return {(place.topic, place.partition): at.offset for place, at in found.items()}

    def alerts(self) -> list[Alert]:
        """Return every transition on the alerts topic."""
        return [msgspec.json.decode(raw, type=Alert) for raw in self.read(self.topics.alerts)]

    def pages(self) -> list[Page]:
        """Return every attempt on the pages topic."""
        return [msgspec.json.decode(raw, type=Page) for raw in self.read(self.topics.pages)]

    def dead_letters(self) -> list[DeadLetter]:
        """Return every dead letter."""
        raw_letters = self.read(self.topics.dead_letters)
        return [msgspec.json.decode(raw, type=DeadLetter) for raw in raw_letters]

    def stop(self) -> None:
        """Stop every worker."""
        if self._producer is not None:
            self._producer.close()
        for worker in self.workers.values():
            worker.stop()


@contextmanager
def product(
    kafka: str, home: Path, extra: Mapping[str, str] | None = None, *, deploy: bool = True
) -> Iterator[Product]:
    """Make a site with its topics; it is stopped at the end."""
    site = Product(kafka, home, extra)
    try:
        if deploy:
            assert make_topics(site.settings) == []
        yield site
    finally:
        site.stop()


def journal_in(folder: Path) -> dict[str, str]:
    """Say where a journal is kept, its anchors elsewhere, and with which key."""
    key_file = folder / "keys"
    key_file.write_text("first " + "ab" * 32 + "\n")
    key_file.chmod(0o600)
    return {
        "INOWATCH_JOURNAL": str(folder / "journal"),
        "INOWATCH_JOURNAL_KEY_FILE": str(key_file),
        "INOWATCH_ANCHORS": str(folder / "elsewhere" / "anchors.jsonl"),
    }


def renamed(record: Json, name: str) -> Json:
    """Give a record's patient a name of its own."""
    return json.loads(json.dumps(record)) | {"patient": f"{name}-{record['patient']}"}
