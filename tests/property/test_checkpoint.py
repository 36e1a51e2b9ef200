"""A monitor that dies at any write, again and again: what it publishes is what one life decides.

The order of writes is the product's own (``streams.lasting``); Kafka is a few lists here, so that
thousands of crashes can be tried. Real ones are killed in tests/e2e and tests/faults.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.decode import Kind
from schemas.encode import encode
from schemas.tick import Tick
from schemas.topics import Topics
from streams.lasting import Lasting
from streams.packed import unpacked
from streams.partition import Partition, Record
from streams.replay import stands_at
from streams.together import Pair
from streams.ward import Ward
from tests.property.test_core import EXAMPLES, Event, events_of, histories, outages

NAMES = Topics("t")
INPUTS: dict[str, Kind] = NAMES.inputs
_ON_OCCASION = ("clock", "next_due", "steady", "band", "tracks.telemetry-lost.tiers")
Placed = tuple[str, Record]
"""A record and its topic."""


class Crash(Exception):
    """The process is gone."""


class Kafka:
    """What outlives a process: the table, the topics, the offsets."""

    def __init__(self, crashes: Iterable[int] = ()) -> None:
        self.table: dict[bytes, bytes] = {}
        self.alerts: list[bytes] = []
        self.letters: set[bytes] = set()
        self.committed: dict[str, int] = dict.fromkeys(INPUTS, 0)
        self._crashes = iter(crashes)
        self._left = next(self._crashes, None)

    async def hold(self) -> None:
        """The group counts this worker in."""

    async def send(self, records: Sequence[tuple[str, bytes | None, bytes, int | None]]) -> None:
        """Take records one by one, unless the process dies before."""
        for topic, _, value, _ in records:
            self.at_a_point()
            if topic == NAMES.alerts:
                self.alerts.append(value)
            elif topic == NAMES.dead_letters:
                self.letters.add(value)

    async def keep(self, partition: int, values: Sequence[Pair]) -> None:
        """Take values of the table all at once, unless the process dies before."""
        self.at_a_point()
        self.table.update(values)

    def at_a_point(self) -> None:
        """Die here, if it is the time."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._left = next(self._crashes, None)
                raise Crash


def log_of(events: Iterable[Event]) -> list[Placed]:
    """Lay the events into their topics, in the order of arrival, each after a tick in every one."""
    ends = dict.fromkeys(INPUTS, 0)
    log: list[Placed] = []

    def lay(topic: str, value: bytes, at: datetime) -> None:
        log.append((topic, (ends[topic], b"k", value, at)))
        ends[topic] += 1

    topic_of = {kind: name for name, kind in INPUTS.items()}
    at = None
    for event in events:
        timed = getattr(event, "time", None) is not None
        at = stands_at(event) if timed and (at is None or stands_at(event) > at) else at
        if at is None:
            continue
        for topic in INPUTS:
            lay(topic, encode(Tick(time=at)), at)
        kind = type(event).__name__.lower()
        if kind == "claim":
            lay(NAMES.telemetry, encode({"type": "telemetry", "n": event.digest}), at)
        elif kind != "tick":
            lay(topic_of[kind], encode(event), at)
    return log


def live(kafka: Kafka, log: list[Placed], every: int) -> Partition:
    """One life of a monitor, from what is committed to the end; raises ``Crash`` where it dies."""
    return asyncio.run(_live(kafka, log, every))


async def _live(kafka: Kafka, log: list[Placed], every: int) -> Partition:
    table = dict(kafka.table)
    lasting = Lasting(NAMES, lambda: table, kafka)
    partition = Partition(Ward(), INPUTS, lambda _patient: 0)
    await lasting.publish(partition, lasting.restore(partition))
    done = dict(kafka.committed)
    for number, (topic, records) in enumerate(_batches(log, kafka.committed), start=1):
        await lasting.tell(partition, partition.judge(topic, records))
        done[topic] = records[-1][0] + 1
        if number % every == 0:
            await _commit(kafka, lasting, partition, done)
    await _commit(kafka, lasting, partition, done)
    return partition


async def _commit(
    kafka: Kafka, lasting: Lasting, partition: Partition, done: dict[str, int]
) -> None:
    settled = dict(done)
    await lasting.checkpoint([partition])
    kafka.at_a_point()
    kafka.committed = settled


def _batches(log: list[Placed], committed: dict[str, int]) -> Iterator[tuple[str, list[Record]]]:
    left = (placed for placed in log if placed[1][0] >= committed[placed[0]])
    for topic, placed in groupby(left, key=lambda one: one[0]):
        yield topic, [record for _, record in placed]


def lived(log: list[Placed], every: int, crashes: Iterable[int] = ()) -> tuple[Kafka, Partition]:
    """Live as many lives as it takes."""
    kafka = Kafka(crashes)
    while True:
        try:
            return kafka, live(kafka, log, every)
        except Crash:
            continue


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.one_of(histories, outages()),
    st.integers(min_value=1, max_value=40),
    st.lists(st.integers(min_value=0, max_value=60), max_size=8),
)
def test_it_dies_at_any_write(
    history: list[tuple[int, dict[str, Any]]], every: int, crashes: list[int]
) -> None:
    """Every alert, dead letter and state is that of one life; a second copy is byte for byte."""
    log = log_of(events_of(history))
    once, whole = lived(log, every)
    often, pieces = lived(log, every, crashes)
    assert set(often.alerts) == set(once.alerts)
    assert often.letters == once.letters
    assert often.committed == once.committed
    written, expected = _facts(often), _facts(once)
    assert written.keys() == expected.keys()
    assert {k: (written[k], v) for k, v in expected.items() if written[k] != v} == {}
    assert pieces.watermark() == whole.watermark()


def _facts(kafka: Kafka) -> dict[tuple[bytes, str], Any]:
    """The states that are written down, fact by fact.

    Left out is what is noted when there is an occasion: the clock met last, and how far steady
    samples have put off silence, which is what they do without a word.
    """
    return {
        (key, name): value
        for key, packed in kafka.table.items()
        if key[:1] != b"="
        for name, value in _flat(unpacked(packed))
        if not name.startswith(_ON_OCCASION)
    }


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Name every single fact of a state."""
    if isinstance(value, msgspec.Struct):
        inner = {field: getattr(value, field) for field in value.__struct_fields__}.items()
    else:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        path = f"{name}.{key}" if name else str(key)
        if isinstance(part, msgspec.Struct | dict | list | tuple):
            yield from _flat(part, path)
        else:
            yield path, part


def test_crashes_happen() -> None:
    """The lists do kill: each count is one death, at that many writes."""
    kafka = Kafka([1, 0])
    asyncio.run(kafka.keep(0, [(b"k", b"1")]))
    for _ in range(2):
        with pytest.raises(Crash):
            asyncio.run(kafka.keep(0, [(b"k", b"2")]))
    asyncio.run(kafka.keep(0, [(b"k", b"3")]))
    assert kafka.table == {b"k": b"3"}


def test_alerts_are_alerts() -> None:
    """What the lists hold as published is what the contract calls an alert."""
    calm = {"kind": "telemetry", "patient": "p1", "device": "d1", "mode": "delivering"}
    history = [(10, calm | {"set_ppm": 45.0, "validity": "valid"}) for _ in range(4)]
    kafka, _ = lived(log_of(events_of(history)), 3, [2])
    told = [msgspec.json.decode(raw, type=Alert) for raw in kafka.alerts]
    assert ("set-dose-high", "raised") in {(alert.rule, alert.phase) for alert in told}
