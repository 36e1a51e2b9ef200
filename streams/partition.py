"""One partition judged: a batch of records in, everything that follows out.

The monitor's work without Kafka: it decodes, refuses, guards against redelivery, keeps the
partition's clock and asks the core. It publishes nothing and reads no clock; what must be published
and written comes back as an ``Outcome``.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct, field

from schemas.alert import Alert
from schemas.claimed import claimed
from schemas.decode import Kind
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter, Rejected, kept
from schemas.stand_in import unknown_patient, whole_unit
from schemas.state import PatientState
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from schemas.unit import UnitRecord, UnitShare, UnitWord
from schemas.watermark import Watermark
from streams.door import admit
from streams.step import PatientEvent
from streams.ward import Ward

Record = tuple[int, bytes | None, bytes | None, datetime]
"""Offset, key, value, and the ward's time at which it reached Kafka."""


class Outcome(Struct):
    """What a batch led to, in the order in which it was decided."""

    alerts: list[Alert] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    changes: list[ProfileChange] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    ticked: bool = False


class Partition:
    """The patients of one partition of the input topics, and its clock.

    The clock is the minimum over the input topics of the newest tick seen on each, so that no
    absence is judged before everything that was there by then has been read. ``inputs`` maps each
    input topic to what it carries; ``home_of`` names the partition that a patient belongs in.
    """

    def __init__(self, ward: Ward, inputs: dict[str, Kind], home_of: Callable[[str], int]) -> None:
        self.number = ward.partition
        self.ward = ward
        self._home_of = home_of
        self._inputs = inputs
        self._ticks: dict[str, datetime] = {}

    def restore(self, states: Iterable[PatientState], mark: Watermark | None = None) -> list[Alert]:
        """Take up the states of a former life; returns the alerts that may not be published.

        Time goes on from ``mark``, not from the newest state: the records since then come again,
        and have to meet the clock that they met before.
        """
        mine = [state for state in states if state.partition == self.number]
        if mark is None:
            self.ward.restore(mine)
        else:
            self._ticks = dict(mark.ticks)
            self.ward.restore(mine, mark.clock)
        return [alert for state in mine for alert in state.outbox]

    def watermark(self) -> Watermark:
        """Where the partition stands now."""
        return Watermark(self.number, self.ward.clock, dict(self._ticks))

    def forget_beyond(self, topic: str, end: int) -> bool:
        """Drop applied offsets of a topic that ends before them; says whether there were any."""
        beyond = [p for p in self.ward.patients.values() if p.offsets.get(topic, -1) >= end]
        for patient in beyond:
            del patient.offsets[topic]
        return bool(beyond)

    def judge(self, topic: str, records: Sequence[Record]) -> Outcome:
        """Apply records of one input topic in their order."""
        outcome, kind, ward = Outcome(), self._inputs[topic], self.ward
        for record in records:
            offset, _, value, arrived = record
            event = admit(value or b"", kind, arrived, ward.book)
            if type(event) is Telemetry and event.patient in ward.patients:
                self._apply(topic, offset, event, outcome)
            elif isinstance(event, Tick):
                self._tick(topic, event.time, outcome)
            elif isinstance(event, UnitRecord):
                self._hear(event, outcome)
            elif isinstance(event, Rejected):
                self._refuse(topic, record, event, outcome)
            elif (stray := self._stray(event)) is not None:
                self._refuse(topic, record, stray, outcome)
            else:
                self._apply(topic, offset, event, outcome)
        outcome.changes, self.ward.changes = self.ward.changes, []
        return outcome

    def _apply(self, topic: str, offset: int, event: PatientEvent, outcome: Outcome) -> None:
        """Judge a record once: what was applied before a restart is a no-op after it."""
        patient = self.ward.patients.get(event.patient)
        if patient is not None and offset <= patient.offsets.get(topic, -1):
            return
        told = self.ward.take(event)
        if told or self.ward.changed:
            self._decided(told, outcome)
        if patient is None:
            patient = self.ward.patients[event.patient]
        patient.offsets[topic] = offset
        outcome.touched.add(event.patient)

    def _refuse(self, topic: str, record: Record, why: Rejected, outcome: Outcome) -> None:
        offset, key, value, arrived = record
        outcome.dead_letters.append(
            DeadLetter(
                time=arrived,
                topic=topic,
                partition=self.number,
                offset=offset,
                reason=why.reason,
                detail=why.detail,
                key=kept(key),
                value=kept(value),
            )
        )
        claim = claimed(value or b"", key)
        name = self.ward.whose(claim)
        # It may have counted for a stand-in before a crash, and the patient be known by now.
        for one in {name, unknown_patient(self.number)} & self.ward.patients.keys():
            if offset <= self.ward.patients[one].offsets.get(topic, -1):
                return
        self._decided(self.ward.refuse(claim, why.reason, arrived), outcome)
        self.ward.patients[name].offsets[topic] = offset
        outcome.touched.add(name)

    def _stray(self, event: PatientEvent) -> Rejected | None:
        """Say why a record cannot lie here, apart from its patient's other records."""
        if event.patient in self.ward.patients:
            return None
        home = self._home_of(event.patient)
        if home == self.number:
            return None
        return Rejected(
            "wrong-partition",
            f"records of this patient belong in partition {home}: use the patient as the key and"
            " Kafka's own (murmur2) partitioner",
        )

    def _tick(self, topic: str, time: datetime, outcome: Outcome) -> None:
        outcome.ticked = True
        if topic not in self._ticks or time > self._ticks[topic]:
            self._ticks[topic] = time
        if len(self._ticks) == len(self._inputs):
            self._decided(self.ward.advance(min(self._ticks.values())), outcome)

    def _hear(self, record: UnitRecord, outcome: Outcome) -> None:
        """Take in what is said of a unit; shares only where the unit is at home."""
        is_share = isinstance(record, UnitShare)
        if not is_share or self._home_of(whole_unit(record.unit)) == self.number:
            self._decided(self.ward.take_between(record), outcome)

    def shares(self) -> list[UnitShare]:
        """What the homes of the units have to know, as of the clock."""
        return [] if self.ward.clock is None else self.ward.units.shares(self.ward.clock)

    def words(self) -> list[UnitWord]:
        """What every partition has to know of the units that are at home here."""
        return [] if self.ward.clock is None else self.ward.units.said(self.ward.clock)

    def _decided(self, told: list[Alert], outcome: Outcome) -> None:
        for alert in told:
            self.ward.patients[alert.patient].outbox.append(alert)
            outcome.touched.add(alert.patient)
        outcome.touched |= self.ward.changed
        self.ward.changed.clear()
        outcome.alerts += told

    def published(self, alerts: Iterable[Alert]) -> None:
        """Take transitions that have reached the alerts topic out of the outboxes."""
        for alert in alerts:
            outbox = self.ward.patients[alert.patient].outbox
            if alert in outbox:
                outbox.remove(alert)
