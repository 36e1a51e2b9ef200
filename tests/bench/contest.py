"""Who is measured against whom: each started on a core of its own, each with topics of its own.

All read the same samples of one site. The monitor is started as in production (``inowatch run
monitor``); a peer is a process of the peers' environment. Whoever ends by itself ends the run.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from msgspec import Struct

from deploy.guarded import Guarded
from deploy.kafka.cluster import connected
from deploy.kafka.topic_spec import TopicSpec
from schemas.alert import Alert
from schemas.encode import encode
from schemas.tick import Tick
from streams.deploy_command import make_topics
from streams.lasting import MARK_KEY
from streams.worker import own_topics
from tests.bench.machine import give_core
from tests.bench.peers.jobs import Fill, Job, Paced
from tests.bench.peers_env import ROOT, peers_command, peers_environment
from tests.e2e.product import Product, product

MONITOR = "monitor"
PEERS = {
    "plain_loop": "peers.plain_loop",
    "quix": "peers.quix",
    "bytewax": "peers.bytewax_flow",
}
"""Name to module."""
CONTESTANTS = (MONITOR, *PEERS)
_LOG_CHARACTERS = 3000
_LOOK_S = 0.5


class Appended(Struct, frozen=True):
    """A transition, and when Kafka appended it, in ms since 1970."""

    at_ms: int
    alert: Alert


class Contestant:
    """One that runs: where it writes, and what it has written."""

    def __init__(self, site: Product, name: str, topics: tuple[str, str], worker: Guarded) -> None:
        self.name = name
        self._kafka = site.settings.kafka.address
        self._alerts, self._states = topics
        self._worker = worker
        self._log = _log(site, name)

    def wait(self, what: str, until: Callable[[], bool], within_s: float) -> None:
        """Wait for something; raises when the process has ended, or it takes too long."""
        deadline = time.monotonic() + within_s
        while not until():
            code = self._worker.poll()
            late = time.monotonic() > deadline
            if code is not None or late:
                why = f"did not come to {what} within {within_s:g} s" if late else f"ended: {code}"
                log = self._log.read_text()[-_LOG_CHARACTERS:]
                raise RuntimeError(f"{self.name} {why}\n{log}")
            time.sleep(_LOOK_S)

    def alert_count(self) -> int:
        """How many transitions it has written."""
        with _consumer(self._kafka) as consumer:
            return sum(_ends(consumer, self._alerts).values())

    def alerts(self) -> list[Appended]:
        """Read the transitions that it has written."""
        return [
            Appended(record.timestamp, msgspec.json.decode(record.value, type=Alert))
            for record in _records(self._kafka, self._alerts)
        ]

    def patients_kept(self) -> set[str]:
        """Name the patients whose states it has written."""
        keys = (record.key for record in _records(self._kafka, self._states))
        return {key.decode() for key in keys if not key.startswith(MARK_KEY)}


@contextmanager
def site_on(kafka: str, extra: Mapping[str, str]) -> Iterator[Product]:
    """Make a site with its topics and a folder; all of it is gone at the end but the topics."""
    with (
        TemporaryDirectory(prefix="inowatch-bench-") as home,
        product(kafka, Path(home), extra, deploy=False) as site,
    ):
        with redirect_stderr(io.StringIO()):  # it names every topic that it makes
            faults = make_topics(site.settings)
        if faults:
            raise RuntimeError("\n".join(faults))
        yield site


@contextmanager
def running(site: Product, name: str, round_: int) -> Iterator[Contestant]:
    """Start a contestant on the worker's core; it is killed at the end."""
    log = _log(site, name)
    if name == MONITOR:
        states = next(iter(own_topics(MONITOR, site.settings)))
        site.start(MONITOR)
        worker, topics = site.workers[MONITOR], (site.topics.alerts, states)
    else:
        prefix = f"{site.settings.prefix}.{name}.{round_}"
        topics = (f"{prefix}.alerts", f"{prefix}.states")
        worker = _start_peer(site, name, topics)
    try:
        give_core(worker.pid_of_child)
        yield Contestant(site, name, topics, worker)
    finally:
        worker.kill()
        site.workers.pop(name, None)
        log.unlink(missing_ok=True)


def _log(site: Product, name: str) -> Path:
    return site.home / f"{name}.log"


def _start_peer(site: Product, name: str, topics: tuple[str, str]) -> Guarded:
    alerts, states = topics
    settings = site.settings
    specs = {
        alerts: TopicSpec(settings.partitions, "delete"),
        states: TopicSpec(settings.partitions, "compact"),
    }
    with connected(settings.kafka) as cluster:
        cluster.create(specs, 1)
    folder = site.home / alerts
    folder.mkdir()
    job = Job(
        settings.kafka.address,
        alerts,
        site.topics.telemetry,
        alerts,
        states,
        settings.partitions,
        str(folder),
    )
    with _log(site, name).open("ab") as log:
        return Guarded(
            peers_command(PEERS[name], encode(job).decode()),
            output=log,
            env=peers_environment(),
            cwd=ROOT,
        )


def sent(site: Product, job: Fill | Paced, within_s: float) -> bytes:
    """Run the sender to its end; return what it printed. Raises ``RuntimeError`` if it failed."""
    out, log = site.home / "sender.out", site.home / "sender.log"
    with out.open("wb") as output, log.open("wb") as errors:
        command = peers_command("peers.send", encode(job).decode())
        with Guarded(
            command, output=output, error_output=errors, env=peers_environment(), cwd=ROOT
        ) as sender:
            code = sender.wait(within_s)
    if code != 0:
        raise RuntimeError(f"the sender failed: {code}\n{log.read_text()[-_LOG_CHARACTERS:]}")
    return out.read_bytes()


def send_ticks(site: Product, topics: list[str], tick: Tick) -> None:
    """Send the time into every partition of some topics."""
    producer = KafkaProducer(**site.settings.kafka.client(), acks="all")
    for topic in topics:
        for number in range(site.settings.partitions):
            producer.send(topic, value=encode(tick), partition=number)
    producer.close()


@contextmanager
def _consumer(kafka: str) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        yield consumer
    finally:
        consumer.close()


def _ends(consumer: KafkaConsumer, topic: str) -> dict[TopicPartition, int]:
    numbers = consumer.partitions_for_topic(topic) or set()
    return consumer.end_offsets([TopicPartition(topic, number) for number in numbers])


def _records(kafka: str, topic: str) -> list:
    """Read all that is on a topic now."""
    with _consumer(kafka) as consumer:
        ends = _ends(consumer, topic)
        consumer.assign(list(ends))
        consumer.seek_to_beginning(*ends)
        found = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found += records
        return found
