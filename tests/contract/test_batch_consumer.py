"""The batch consumer on a real Kafka: each record once and in order, or again, never skipped."""

import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaProducer

from deploy.guarded import Guarded
from streams.batch import BATCH_BYTES, BATCH_RECORDS, IN_FLIGHT_BYTES, IN_FLIGHT_RECORDS
from tests.contract.batch_probe import GATE, LOG, REJOIN, Line
from tests.e2e.product import Product, eventually, product

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
FETCH_BYTES = 1024 * 1024
"""Kafka's answer to one fetch of one partition; Faust's default."""
Place = tuple[str, int]
Sent = dict[Place, list[tuple[bytes | None, bytes | None]]]


class Site:
    """A site with probes in the place of workers."""

    def __init__(self, site: Product, role: str) -> None:
        self.site, self.role = site, role
        self.log, self.gate = site.home / LOG, site.home / GATE
        self.log.touch()
        self.sent: Sent = defaultdict(list)
        self.probes: dict[str, Guarded] = {}
        names = site.topics
        self.places = [(t, p) for t in (names.telemetry, names.labs) for p in range(PARTITIONS)]
        self.producer = KafkaProducer(**site.settings.kafka.client(), acks="all")

    def send(self, count: int, size: int = 0, places: list[Place] | None = None) -> None:
        """Send so many records to each of the places; every one is told from every other."""
        for topic, partition in self.places if places is None else places:
            mine = self.sent[topic, partition]
            for _ in range(count):
                number = len(mine)
                key = f"{partition}-{number}".encode()
                value = f"{topic}/{partition}/{number}".encode()
                self.producer.send(topic, key=key, value=value.ljust(size), partition=partition)
                mine.append((key, value))
        self.producer.flush()

    def start(self, instance: str = "0", **extra: str) -> None:
        """Start a probe; what it prints goes to a file."""
        script = [sys.executable, "-m", "tests.contract.batch_probe"]
        with self.site.home.joinpath(f"probe-{instance}.log").open("ab") as output:
            self.probes[instance] = Guarded(
                [*script, self.role, str(self.site.home)],
                output=output,
                env={**os.environ, **self.site.env, "INOWATCH_INSTANCE": instance, **extra},
                cwd=ROOT,
            )

    def hold_after(self, batches: int) -> None:
        """Let every probe finish so many batches, counted from its start, and hold the next."""
        waiting = self.gate.with_suffix(".new")
        waiting.write_text(str(batches))
        waiting.rename(self.gate)

    def let_go(self) -> None:
        """Hold nobody any more."""
        self.gate.unlink(missing_ok=True)

    def said(self) -> str:
        """What the probes printed, for whoever asks why nothing came."""
        logs = sorted(self.site.home.glob("probe-*.log"))
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)

    def lines(self, what: str = "") -> list[Line]:
        """What the probes have written down so far, of one kind or all."""
        lines = []
        for written in self.log.read_bytes().split(b"\n"):
            with suppress(msgspec.DecodeError):  # torn by a kill, or not written to its end yet
                lines.append(msgspec.json.decode(written, type=Line))
        return [line for line in lines if not what or line.what == what]

    def handled(self) -> Sent:
        """What was done of each place, without what came again, in order."""
        found: dict[Place, dict[int, tuple[bytes | None, bytes | None]]] = defaultdict(dict)
        for line in self.lines("done"):
            for offset, key, value in line.records:
                found[line.place].setdefault(offset, (key, value))
        return {place: [rest[offset] for offset in sorted(rest)] for place, rest in found.items()}

    def complete(self) -> bool:
        """Whether everything that was sent was done, byte for byte and in order."""
        return self.handled() == self.sent

    def committed(self) -> dict[Place, int]:
        """Return the committed offset of each place."""
        offsets = self.site.committed(self.role)
        return {place: offsets.get(place, 0) for place in self.places}

    def all_committed(self) -> bool:
        """Whether every place is committed to its end."""
        return self.committed() == {place: len(self.sent[place]) for place in self.places}

    def ask_for_rebalance(self) -> None:
        """Have one as soon as none is on."""
        (self.site.home / REJOIN).touch()

    def rebalance(self) -> None:
        """Have a rebalance, and wait until it has begun and ended."""
        assert eventually(lambda: self.lines("ready"))
        before = len(self.lines("ready"))
        self.ask_for_rebalance()
        assert eventually(lambda: len(self.lines("ready")) > before)

    def close(self) -> None:
        """Stop every probe."""
        self.let_go()
        self.producer.close()
        for running in self.probes.values():
            running.stop()


@contextmanager
def site_of(kafka: str, home: Path, role: str) -> Iterator[Site]:
    """Make topics and a site of probes."""
    with product(kafka, home, {"INOWATCH_PARTITIONS": str(PARTITIONS)}) as made:
        probes = Site(made, role)
        try:
            yield probes
        finally:
            probes.close()


@pytest.fixture
def recorder(kafka: str, tmp_path: Path) -> Iterator[Site]:
    """Probes that give partitions away at once."""
    with site_of(kafka, tmp_path, "recorder") as site:
        yield site


@pytest.fixture
def pager(kafka: str, tmp_path: Path) -> Iterator[Site]:
    """Probes with a table that give partitions away at once."""
    with site_of(kafka, tmp_path, "pager") as site:
        yield site


@pytest.fixture
def monitor(kafka: str, tmp_path: Path) -> Iterator[Site]:
    """Probes with a table that finish the batch under way before they give partitions away."""
    with site_of(kafka, tmp_path, "monitor") as site:
        yield site


def nothing_was_skipped(lines: list[Line]) -> None:
    """Every batch began at a record before which everything had been done by then."""
    next_of: Counter[Place] = Counter()
    for line in lines:
        if line.what == "begin":
            assert line.first <= next_of[line.place], line
            offsets = [offset for offset, _, _ in line.records]
            assert offsets == list(range(line.first, line.last + 1))
        elif line.what == "done":
            next_of[line.place] = max(next_of[line.place], line.last + 1)


def test_each_record_once_and_in_order(recorder: Site) -> None:
    """8,000 records of two topics over four partitions arrive once, in order, as batches."""
    recorder.send(1000)
    recorder.start()
    assert eventually(recorder.complete)
    lines = recorder.lines("done")
    assert sum(len(line.records) for line in lines) == 8000, "no record came twice"
    assert len(lines) < 800, "many records are one message"
    nothing_was_skipped(recorder.lines())
    assert eventually(recorder.all_committed)


def test_no_record_waits_for_company(recorder: Site) -> None:
    """A record that comes alone is a batch of one, and the next one need not have come."""
    recorder.start()
    for _ in range(3):
        before = len(recorder.lines("done"))
        recorder.send(1, places=recorder.places[:1])
        assert eventually(lambda before=before: len(recorder.lines("done")) > before)
    assert [len(line.records) for line in recorder.lines("done")] == [1, 1, 1]


def test_null_keys_and_tombstones(recorder: Site) -> None:
    """Records without a key or a value, or with an empty one, come through as they are."""
    place = recorder.places[0]
    kinds = [(None, b"no key"), (b"no value", None), (None, b""), (b"", None)]
    for key, value in kinds:
        recorder.producer.send(place[0], key=key, value=value, partition=place[1])
    recorder.producer.flush()
    recorder.sent[place] += kinds
    recorder.start()
    assert eventually(recorder.complete), recorder.handled()


@pytest.mark.parametrize("batches", [0, 1, 5])
def test_killed_in_the_middle(recorder: Site, batches: int) -> None:
    """kill -9 in a batch: it comes again, whole; what was committed does not."""
    recorder.send(1500)
    recorder.hold_after(batches)
    recorder.start()
    assert eventually(lambda: len(recorder.lines("begin")) == batches + 1)
    held = recorder.lines("begin")[-1]
    done = Counter(line.place for line in recorder.lines("done"))
    assert eventually(lambda: sum(recorder.committed().values()) > 0 or not done)
    recorder.probes["0"].kill()
    committed = recorder.committed()
    assert committed[held.place] <= held.first
    recorder.let_go()
    recorder.start()
    assert eventually(recorder.complete)
    again = recorder.lines("begin")[batches + 1 :]
    begun: dict[Place, int] = {}
    for line in again:
        begun.setdefault(line.place, line.first)
    assert held.place in begun
    assert begun.items() <= committed.items(), "each place goes on from what was committed"
    nothing_was_skipped(recorder.lines())
    assert eventually(recorder.all_committed)


def test_killed_again_and_again(recorder: Site) -> None:
    """kill -9 at moments that nobody chose: nothing is skipped, and in the end all is committed."""
    recorder.start()
    for _ in range(5):
        # Counted before: what is sent may all be done when the sending is.
        done = len(recorder.lines("done"))
        recorder.send(800)
        assert eventually(lambda done=done: len(recorder.lines("done")) > done), recorder.said()
        recorder.probes["0"].kill()
        recorder.start()
    assert eventually(recorder.complete)
    nothing_was_skipped(recorder.lines())
    assert eventually(recorder.all_committed)


def test_stopped_in_the_middle(recorder: Site) -> None:
    """A worker told to stop while it waits for its store does not acknowledge what it holds."""
    recorder.send(100)
    recorder.hold_after(2)
    recorder.start()
    assert eventually(lambda: len(recorder.lines("begin")) == 3)
    held = recorder.lines("begin")[-1]
    recorder.probes["0"].stop()
    assert len(recorder.lines("done")) == 2
    assert recorder.committed()[held.place] <= held.first
    recorder.let_go()
    recorder.start()
    assert eventually(recorder.complete)
    nothing_was_skipped(recorder.lines())


def test_a_second_joins_and_the_first_is_killed(recorder: Site) -> None:
    """Records go on arriving while workers come and go; none is skipped."""
    recorder.start("0")
    recorder.send(500)
    assert eventually(recorder.complete)
    recorder.start("1")
    workers = set()

    def both() -> bool:
        recorder.send(50)
        workers.update(line.worker[0] for line in recorder.lines("done")[-40:])
        return workers == {"0", "1"}

    assert eventually(both)
    recorder.probes["0"].kill()
    recorder.send(500)
    assert eventually(recorder.complete)
    nothing_was_skipped(recorder.lines())
    assert eventually(recorder.all_committed)


def test_a_partition_that_waits_for_its_batch(monitor: Site) -> None:
    """A worker of the monitor's kind finishes its batch before another reads on from behind it."""
    monitor.send(50)
    monitor.hold_after(3)
    monitor.start("0")
    assert eventually(lambda: len(monitor.lines("begin")) == 4)
    held = monitor.lines("begin")[-1]
    before = len(monitor.lines("rebalancing"))
    monitor.start("1")
    assert eventually(lambda: len(monitor.lines("rebalancing")) > before)
    assert monitor.lines("begin")[-1] == held
    monitor.let_go()
    assert eventually(monitor.complete)
    again = [line for line in monitor.lines("begin")[4:] if line.place == held.place]
    assert all(line.first > held.last for line in again), (
        "it was committed before it was given away"
    )
    nothing_was_skipped(monitor.lines())
    assert eventually(monitor.all_committed)


def test_an_old_acknowledgement_says_nothing(recorder: Site) -> None:
    """A batch that is done after a rebalance does not commit the larger one that came instead."""
    place = recorder.places[0]
    recorder.send(10, places=[place])
    recorder.hold_after(0)
    recorder.start()
    assert eventually(lambda: recorder.lines("begin"))
    recorder.send(10, places=[place])
    recorder.rebalance()
    recorder.hold_after(1)
    assert eventually(lambda: len(recorder.lines("begin")) == 2)
    recorder.rebalance()
    small, large = recorder.lines("begin")
    assert (small.first, small.last, large.first, large.last) == (0, 9, 0, 19)
    assert recorder.committed()[place] == 0
    recorder.probes["0"].kill()
    recorder.let_go()
    recorder.start()
    assert eventually(recorder.complete)
    assert eventually(recorder.all_committed)


def test_what_is_done_does_not_come_again(recorder: Site) -> None:
    """What is acknowledged is committed before a partition is given away, at any moment."""
    recorder.start()
    for _ in range(3):
        recorder.send(20)
        assert eventually(recorder.complete)
        recorder.rebalance()
    recorder.send(1)
    assert eventually(recorder.complete)
    assert sum(len(line.records) for line in recorder.lines("done")) == 8 * 61


@pytest.mark.parametrize("role", ["recorder", "pager", "monitor"])
def test_rebalance_after_rebalance(kafka: str, tmp_path: Path, role: str) -> None:
    """However often partitions are given away and taken again, nothing is skipped."""
    pause = random.Random(role)
    with site_of(kafka, tmp_path, role) as site:
        site.start()
        assert eventually(lambda: site.lines("ready"))
        for turn in range(40):
            site.ask_for_rebalance()
            # Now and then a partition is read for the first time.
            site.send(50, places=site.places[: 1 + turn // 5])
            time.sleep(pause.uniform(0, 0.2))
        assert eventually(site.complete)
        assert len(site.lines("ready")) > 5, "it was put to the test"
        nothing_was_skipped(site.lines())
        if role == "monitor":
            done = [line.records for line in site.lines("done")]
            assert sum(map(len, done)) == sum(map(len, site.sent.values())), "and nothing repeated"
        assert eventually(site.all_committed)


@pytest.mark.parametrize(("count", "size"), [(3000, 0), (300, 20_000)])
def test_a_backlog_stays_in_kafka(recorder: Site, count: int, size: int) -> None:
    """While a batch is not done only so much is fetched; afterwards the rest is."""
    recorder.send(count, size)
    recorder.hold_after(1)
    recorder.start()
    assert eventually(lambda: recorder.lines("full"))
    recorder.send(1)
    recorder.let_go()
    assert eventually(recorder.complete)
    records = max(line.most[0] for line in recorder.lines())
    bytes_ = max(line.most[1] for line in recorder.lines())
    assert records < IN_FLIGHT_RECORDS + BATCH_RECORDS
    assert bytes_ < IN_FLIGHT_BYTES + len(recorder.places) * 2 * FETCH_BYTES
    assert records >= IN_FLIGHT_RECORDS or bytes_ >= IN_FLIGHT_BYTES
    batches = [[offset for offset, _, _ in line.records] for line in recorder.lines("begin")]
    assert max(map(len, batches)) <= min(BATCH_RECORDS, BATCH_BYTES // max(size, 1))
    nothing_was_skipped(recorder.lines())


def test_tables_are_restored(pager: Site) -> None:
    """A table of more entries than a batch has records is whole again after a crash."""
    pager.send(1500)
    pager.start(PROBE_TABLE="1")
    assert eventually(pager.complete)
    keys = {key for records in pager.sent.values() for key, _ in records}
    pager.probes["0"].kill()
    before = len(pager.lines("begin"))
    pager.send(1)
    pager.start()
    assert eventually(pager.complete)
    assert pager.lines("begin")[before].table == len(keys) > BATCH_RECORDS
