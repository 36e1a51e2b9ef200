"""A site without Kafka: its partitions, each with the records that lie in it, tick by tick.

What a partition sends to others arrives with the next tick, as through the log.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.alert import Alert
from schemas.board_row import OpenAlert
from schemas.encode import encode
from schemas.stand_in import whole_unit
from schemas.state import PatientState
from schemas.tick import Tick
from schemas.topics import Topics
from streams.home import home_of
from streams.partition import Outcome, Partition, Record
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
INPUTS = Topics().inputs
TELEMETRY, BETWEEN = "ino.telemetry", "ino.courses"


class Site:
    """``partitions`` of a site, their records, and every transition that was decided."""

    alerts: list[Alert]
    outcomes: list[Outcome]

    def __init__(self, partitions: int = 4) -> None:
        self.now = T0
        self.alerts = []
        self.outcomes = []
        self.down: set[int] = set()
        self.twice = False
        self._count = partitions
        self.parts = {number: self._new(number) for number in range(partitions)}
        self._table: dict[int, dict[str, bytes]] = {number: {} for number in self.parts}
        self._dirty: dict[int, set[str]] = {number: set() for number in self.parts}
        self._offsets: Counter[tuple[int, str]] = Counter()
        self._under_way: list[tuple[int, bytes]] = []

    def _new(self, number: int) -> Partition:
        ward = Ward("default", number, partitions=self._count)
        return Partition(ward, INPUTS, lambda name: home_of(name, self._count))

    def home(self, unit: str = "nicu") -> int:
        """Return the partition that a unit is at home in."""
        return home_of(whole_unit(unit), self._count)

    def state(self, name: str, partition: int | None = None) -> PatientState | None:
        """Return what is remembered of a patient or a stand-in."""
        number = home_of(name, self._count) if partition is None else partition
        return self.parts[number].ward.patients.get(name)

    def names(self, count: int, partition: int | None = None) -> list[str]:
        """Make names of patients, of one partition or of all in turn."""
        found: list[str] = []
        tried = 0
        while len(found) < count:
            wanted = len(found) % self._count if partition is None else partition
            if home_of(f"b{tried}", self._count) == wanted:
                found.append(f"b{tried}")
            tried += 1
        return found

    def put(self, number: int, topic: str, value: bytes, key: bytes | None = None) -> None:
        """Let a record arrive in a partition; one that is down reads it when it is back."""
        if number in self.down:
            return
        for _ in range(2 if self.twice else 1):
            offset = self._offsets[number, topic]
            self._offsets[number, topic] += 1
            self.put_again(number, topic, (offset, key, value, self.now))

    def put_again(self, number: int, topic: str, record: Record) -> None:
        """Deliver a record as it lies in the log: with its offset and its arrival."""
        part = self.parts[number]
        outcome = part.judge(topic, [record])
        self.outcomes.append(outcome)
        for name in outcome.touched | self._dirty[number]:
            self._table[number][name] = encode(part.ward.patients[name])
        self.alerts += outcome.alerts
        part.published(outcome.alerts)
        self._dirty[number] = {alert.patient for alert in outcome.alerts}

    def send(self, names: Iterable[str], **fields: Any) -> None:
        """Let the devices of these patients send a sample."""
        for name in names:
            sample = {
                "time": self.now.isoformat(),
                "device": f"d-{name}",
                "patient": name,
                "unit": "nicu",
                "bed": name,
                "mode": "delivering",
                "set_ppm": 20.0,
            }
            raw = msgspec.json.encode(sample | fields)
            self.put(home_of(name, self._count), TELEMETRY, raw, name.encode())

    def tick(self, seconds: float = 1) -> None:
        """Let time go on: what is under way arrives, then the clocks of all that are up tick."""
        self.now += timedelta(seconds=seconds)
        under_way, self._under_way = self._under_way, []
        for number, value in under_way:
            self.put(number, BETWEEN, value)
        for number, part in self.parts.items():
            if number in self.down:
                continue
            for topic in INPUTS:
                self.put(number, topic, encode(Tick(time=self.now)))
            for share in part.shares():
                self._under_way.append((self.home(share.unit), encode(share)))
            for word in part.words():
                self._under_way += [(other, encode(word)) for other in self.parts]

    def run(self, seconds: int, sending: Iterable[str] = (), every: int = 10) -> None:
        """Let time go on by the second; these devices send, each in its turn."""
        names = list(sending)
        for _ in range(seconds):
            self.tick()
            second = round((self.now - T0).total_seconds())
            self.send(name for place, name in enumerate(names) if (second + place) % every == 0)

    def away(self, seconds: float) -> None:
        """Let time go on while no worker is there; what was under way has been read before."""
        self.now += timedelta(seconds=seconds)
        self._under_way = []
        for number in self.parts:
            self.restart(number)

    def restart(self, number: int) -> None:
        """End a partition's worker as a crash does, and take up its last checkpoint."""
        part = self.parts[number] = self._new(number)
        states = self._table[number].values()
        # They had left before the crash; the monitor sends them again, byte for byte.
        part.published(part.restore(msgspec.json.decode(s, type=PatientState) for s in states))

    def shown(self, name: str) -> OpenAlert | None:
        """Return the unit's alert that the board shows for a patient."""
        ward = self.parts[home_of(name, self._count)].ward
        return ward.units.grouped.alert_of(ward.patients[name])

    def told(self, rule: str = "telemetry-lost") -> list[tuple[str, str, str, float]]:
        """List the transitions of a rule: patient, phase, priority, and seconds since the start."""
        return [
            (a.patient, a.phase, a.priority, (a.at - T0).total_seconds())
            for a in self.alerts
            if a.rule == rule
        ]
