"""The product on the stage: its workers as armed processes, brought back when they end.

A worker that ends by itself, killed or given up, is started again after a while, as whoever
supervises it in production would. Each life may have faults of its own.
"""

import os
import signal
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import BrokerNotAvailableError, KafkaError
from msgspec import Struct

from deploy.guarded import Guarded
from deploy.kafka.edges import edges
from deploy.kafka.serves import serves
from schemas.alert import Alert
from tests.e2e.product import Product
from tests.faults.granted import Grants
from tests.faults.timeline import Entry

Arms = dict[str, str]
Place = tuple[str, int]
"""Topic and partition."""


Key = tuple[str, str, str]
"""Alert id, phase and priority."""


class Death(Struct, frozen=True):
    """A worker's end that nobody asked for; ``code`` is 128 + 9 after a kill."""

    name: str
    code: int
    ward: str
    arms: Arms


class Row(Struct, frozen=True):
    """A record as it lies in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Stage(Product):
    """A site under faults. ``lives`` are the arms of the next lives of a worker, by its name.

    ``talks`` is held while the test asks Kafka: who takes it away waits for that.
    """

    def __init__(self, kafka: str, home: Path, grants: Grants, extra: Mapping[str, str]) -> None:
        Path(home, "judged.log").touch()
        clock = {"INOWATCH_CLOCK": grants.setting}
        self.grants = grants
        # The settings are checked here, where no clock is armed.
        super().__init__(kafka, home, extra)
        self.env |= clock
        self.lives: dict[str, deque[Arms]] = defaultdict(deque)
        self.always: dict[str, Arms] = defaultdict(dict)
        self.deaths: list[Death] = []
        self.down_s = 1.0
        self.talks = Lock()
        self._held: set[str] = set()
        self._lock = Lock()
        self._over = Event()
        self._due: dict[str, float] = {}
        self._arms: dict[str, Arms] = {}
        self._keeper = Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def launch(self, role: str, instance: str = "0") -> None:
        """Start a worker; its name is ``ROLE-INSTANCE``. One that is there already stays.

        Two faults may want the same one, and of two nobody would dismiss the first.
        """
        name = f"{role}-{instance}"
        if name in self.workers:
            return
        arms = dict(self.always[role])
        if self.lives[name]:
            arms |= self.lives[name].popleft()
        judged = {"INOWATCH_FAULT_JUDGED": str(self.home / "judged.log")}
        env = {**os.environ, **self.env, "INOWATCH_INSTANCE": instance, **arms}
        env |= judged if role == "monitor" else {}
        with self._lock:
            if self._over.is_set():
                return
            self._arms[name] = arms
            with self.home.joinpath(f"{name}.log").open("ab") as log:
                self.workers[name] = Guarded(
                    [sys.executable, "-m", "tests.faults.armed", role],
                    output=log,
                    error_output=log,
                    env=env,
                )

    def _keep(self) -> None:
        """Bring back who ended by itself."""
        while not self._over.wait(0.1):
            with self._lock:
                ended = [(n, c) for n, w in self.workers.items() if (c := w.poll()) is not None]
                for name, code in ended:
                    del self.workers[name]
                    at, arms = self.grants.now.isoformat(), self._arms[name]
                    self.deaths.append(Death(name, code, at, arms))
                    self._due[name] = time.monotonic() + self.down_s
            for name, due_s in list(self._due.items()):
                if time.monotonic() >= due_s and name not in self._held:
                    del self._due[name]
                    self.launch(*name.split("-"))

    def dismiss(self, name: str, *, orderly: bool = True) -> None:
        """End a worker for good."""
        with self._lock:
            worker = self.workers.pop(name, None)
            self._due.pop(name, None)
        if worker is not None:
            worker.stop() if orderly else worker.kill()

    def hold(self, name: str) -> None:
        """Kill a worker, and do not bring it back yet."""
        self._held.add(name)
        self.signal(name, signal.SIGKILL)

    def release(self, name: str) -> None:
        """Bring back who was held."""
        self._held.discard(name)

    def signal(self, name: str, what: signal.Signals) -> None:
        """Send a worker a signal, if it is there."""
        worker = self.workers.get(name)
        if worker is not None and worker.poll() is None:
            os.kill(worker.pid_of_child, what)

    def put(self, entries: Iterable[Entry]) -> None:
        """Send records and wait until Kafka has them, however long that takes."""
        topic_of = {kind: name for name, kind in self.topics.inputs.items()}
        left = list(entries)
        while left:
            sent = []
            try:
                if self._producer is None:
                    self._producer = KafkaProducer(
                        **self.settings.kafka.client(),
                        acks="all",
                        linger_ms=2,
                        max_in_flight_requests_per_connection=1,
                    )
                for entry in left:
                    topic = topic_of[entry.kind]
                    sent.append(self._producer.send(topic, key=entry.key, value=entry.raw))
                self._producer.flush()
                for future in sent:
                    future.get(timeout=60)
                left = []
            except KafkaError:
                # What is sent twice is a duplicate, of which there are some anyway.
                time.sleep(0.5)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask Kafka only while it serves: a client that finds none leaves its sockets open."""
        with self.talks:
            host, _, port = self.settings.kafka.address.partition(":")
            if not serves(host, int(port)):
                raise BrokerNotAvailableError
            yield

    def rows(self, *topics: str, since: Mapping[Place, int] | None = None) -> list[Row]:
        """Return all that lies on topics now; ``since`` are offsets to begin at."""
        with self._asking(), closing(_consumer(self.settings.kafka.address)) as consumer:
            places = _places(consumer, topics)
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            for place in places:
                if (first := (since or {}).get((place.topic, place.partition), -1)) > 0:
                    consumer.seek(place, first)
            ends = edges(consumer.end_offsets, places)
            found: list[Row] = []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=200).values():
                    found += [Row(r.topic, r.partition, r.offset, r.key, r.value) for r in records]
            return found

    def read(self, topic: str) -> list[bytes]:
        """Return all values that are on a topic now."""
        return [row.value or b"" for row in self.rows(topic)]

    def committed(self, role: str) -> dict[Place, int]:
        """Return what a role has committed."""
        with self._asking():
            return super().committed(role)

    def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """Return where topics end."""
        with self._asking(), closing(_consumer(self.settings.kafka.address)) as consumer:
            ends = edges(consumer.end_offsets, _places(consumer, topics))
            return {(place.topic, place.partition): end for place, end in ends.items()}

    def behind(self, role: str, ends: Mapping[Place, int]) -> dict[Place, int]:
        """Return by how many records a role's commits are short of these ends."""
        committed = self.committed(role)
        short = {place: end - max(0, committed.get(place, 0)) for place, end in ends.items()}
        return {place: by for place, by in short.items() if by > 0}

    def told(self) -> set[Key]:
        """Return the id, phase and priority of everything on the alerts topic."""
        return {key_of(alert) for alert in self.alerts()}

    def stop(self) -> None:
        """Stop every worker, also one that is frozen."""
        self._over.set()
        self._keeper.join(10)
        for name, worker in list(self.workers.items()):
            self.signal(name, signal.SIGCONT)
            worker.stop()
        self.workers.clear()
        if self._producer is not None:
            self._producer.close(timeout=5)


def key_of(alert: Alert) -> Key:
    """What makes a transition one that was told before."""
    return alert.id, alert.phase, alert.priority


def _consumer(kafka: str) -> Any:
    return KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)


def _places(consumer: Any, topics: Iterable[str]) -> list[TopicPartition]:
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in consumer.partitions_for_topic(topic) or set()
    ]
