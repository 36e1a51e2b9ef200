"""Units whose devices fall silent together: the part of a ward that looks beyond one patient.

A unit is judged under a stand-in, by the same rule as a patient's silence. A ward that has all
patients (replay, one partition) counts for itself at every moment that matters. One that has a
share of them tells it to the unit's home partition and heeds its word. A word is good for some
ticks: nobody's silence depends on a partition that speaks no more (docs/adr/0007).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from alerts.limits import Limits, TelemetryLostLimits
from alerts.rules.telemetry_lost import NAME, deadline, is_grouped, is_told, last_heard
from schemas.alert import Alert
from schemas.stand_in import EVERY, NOT_KNOWN, whole_unit
from schemas.state import PatientState, UnitSilence
from schemas.unit import UnitShare, UnitWord
from streams.grouped import Grouped
from streams.row import open_alerts
from streams.silence import count_on, ends, forecast, shares_of
from streams.step import resettled

GOOD_FOR_TICKS = 10
"""How long a word or a share counts that is not said again. In ticks, some seconds whatever the
ward's time runs like; and a worker that was away itself holds that against nobody."""
LISTEN_TICKS = 5
"""How long a home listens before it begins a group: until then it may know a part of the unit."""

Standing = tuple[str, bool, bool]
"""Unit, whether a device delivers as far as is known, and whether it is silent for a while."""


class Units:
    """The units of a ward's patients; ``whole`` when no other partition has any of them."""

    def __init__(
        self,
        patients: dict[str, PatientState],
        limits_of: Callable[[PatientState], Limits],
        partition: int,
        partitions: int,
    ) -> None:
        self.grouped = Grouped(patients, limits_of, self._lost)
        self._patients = patients
        # Found without a look at every patient that there ever was: this is asked at each sample.
        self._stand_ins: dict[str, PatientState] = {}
        self._limits_of = limits_of
        self._partition = partition
        self.whole = partitions == 1
        self._past: deque[datetime] = deque(maxlen=GOOD_FOR_TICKS)
        self._numbers: dict[str, TelemetryLostLimits] = {}
        self._known: set[str] = set()
        self._said: set[str] = set()

    def recall(self, clock: datetime | None) -> None:
        """Take up from the states what held before a restart."""
        silent = {name: one for name, one in self._patients.items() if one.silence is not None}
        self._stand_ins |= silent
        if clock is None:
            return
        self.grouped.recall(clock)
        if self.whole:
            for unit in self._told_of():
                self.grouped.words[unit.unit] = _word(unit, clock)

    def tick(self, before: datetime | None, clock: datetime) -> list[Alert]:
        """Time moves on: what was said too long ago does not hold any more."""
        if self.whole:
            return []
        self._past.append(before or clock)
        return self.grouped.expire(self._past[0], clock)

    def advance(self, names: Iterable[str], clock: datetime) -> list[Alert]:
        """Of the patients with these names something may be due: let them join their groups.

        Those do whose silence comes to be told of by now, each in the order of its own deadline,
        as of that moment.
        """
        told: list[Alert] = []
        falling = sorted(
            (due, name)
            for name in names
            if (due := self._deadline(self._patients[name])) is not None and due <= clock
        )
        alone: set[str] = set()
        for due, name in falling:
            patient = self._patients[name]
            if self.whole:
                told += self._look(patient.unit, due, alone)
            if self.grouped.covers(patient, due):
                told += self.grouped.join(patient, clock)
            else:
                alone.add(name)
        for unit in self._told_of() if self.whole else ():
            if unit.next_due is not None and unit.next_due <= clock:
                told += self._look(unit.unit, clock, alone)
        return told

    def standing(self, patient: PatientState, clock: datetime | None) -> Standing | None:
        """What of a patient matters to its unit; ``None`` while no word holds for any."""
        if not self.grouped.words or clock is None:
            return None
        heard, lost = last_heard(patient), self._lost(patient.unit)
        silent = heard is not None and clock - heard > lost.low - lost.group_within
        return patient.unit, heard is not None, silent

    def after(self, patient: PatientState, before: Standing, clock: datetime) -> list[Alert]:
        """A record of the patient was judged: it may have changed the silence of a unit."""
        now = self.standing(patient, clock)
        if now == before:
            return []
        told: list[Alert] = []
        if patient.unit != before[0] and is_grouped(patient):
            told += self.grouped.leave(patient, clock)
        if self.whole:
            for unit in sorted({before[0], patient.unit} & self.grouped.words.keys()):
                told += self._look(unit, clock)
        return told

    def shares(self, clock: datetime) -> list[UnitShare]:
        """What to tell the homes of all units that were ever known here; nothing of whole ones."""
        if self.whole:
            return []
        found = shares_of(self._patients.values(), clock, self._partition, self._lost)
        self._known |= found.keys()
        for unit in self._known - found.keys():
            found[unit] = UnitShare(
                time=clock, unit=unit, partition=self._partition, devices=0, heard=[]
            )
        return [found[unit] for unit in sorted(found)]

    def hear(self, share: UnitShare) -> list[Alert]:
        """Take in, at the unit's home, what a partition knows of it."""
        unit, silence = self._stand_in(share.unit)
        known = silence.shares.get(share.partition)
        if known is not None and share.time <= known.time:
            return []
        silence.shares[share.partition] = share
        return self._judge(unit, silence, self._unit_time(silence))

    def said(self, clock: datetime) -> list[UnitWord]:
        """What to tell every partition of the units at home here; once more when it is over."""
        if self.whole:
            return []
        words = [_word(unit, clock) for unit in self._told_of()]
        now = {word.unit for word in words}
        words += [UnitWord(time=clock, unit=u, since=None) for u in sorted(self._said - now)]
        self._said = now
        return words

    def _stand_in(self, name: str) -> tuple[PatientState, UnitSilence]:
        unit = self._patients.get(whole_unit(name))
        if unit is None:
            unit = _new_stand_in(name, self._partition)
            self._patients[unit.patient] = unit
        unit.silence = unit.silence or UnitSilence()
        self._stand_ins[unit.patient] = unit
        return unit, unit.silence

    def _told_of(self) -> list[PatientState]:
        """The stand-ins of the units that are told of as one, or are about to be."""
        return [
            unit
            for _, unit in sorted(self._stand_ins.items())
            if unit.silence is not None and unit.silence.since is not None
        ]

    def _unit_time(self, silence: UnitSilence) -> datetime:
        """How far all have told of the unit, but for who is so far behind that it may be gone."""
        times = [share.time for share in silence.shares.values()]
        return min((t for t in times if not self._past or t >= self._past[0]), default=max(times))

    def _look(self, name: str, at: datetime, alone: Collection[str] = ()) -> list[Alert]:
        """Count a unit whose patients are all here, as of ``at``, by way of its end before that."""
        unit, silence = self._stand_in(name)
        end, told = ends(silence, self._lost(name)), []
        if end is not None and end < at:
            told += self._look(name, end, alone)
        mine = [patient for patient in self._patients.values() if patient.unit == name]
        share = shares_of(mine, at, self._partition, self._lost, alone)[name]
        silence.shares = {share.partition: share}
        told += self._judge(unit, silence, at)
        return told + self.grouped.apply(_word(unit, at), at)

    def _judge(self, unit: PatientState, silence: UnitSilence, now: datetime) -> list[Alert]:
        before, lost = silence.since, self._lost(unit.unit)
        if is_told(unit):
            count_on(silence, now, lost)
        else:
            listened = self.whole or len(self._past) >= LISTEN_TICKS
            forecast(silence, lost, may_begin=listened)
        if silence.since is None and before is None:
            return []
        told = resettled(unit, now, self._limits_of(unit))
        due = (unit.next_due, ends(silence, lost))
        unit.next_due = min((t for t in due if t is not None), default=None)
        self.grouped.moved.append(unit)
        return told

    def _deadline(self, patient: PatientState) -> datetime | None:
        return None if patient.unit == NOT_KNOWN else deadline(patient, self._limits_of(patient))

    def _lost(self, unit: str) -> TelemetryLostLimits:
        """The numbers that a unit as a whole is judged by."""
        found = self._numbers.get(unit)
        if found is None:
            found = self._limits_of(_new_stand_in(unit, self._partition)).telemetry_lost
            self._numbers[unit] = found
        return found


def _new_stand_in(name: str, partition: int) -> PatientState:
    return PatientState(whole_unit(name), unit=name, bed=EVERY, device=EVERY, partition=partition)


def _word(unit: PatientState, clock: datetime) -> UnitWord:
    since = unit.silence.since if unit.silence is not None else None
    alert = next((one for one in open_alerts(unit) if one.rule == NAME), None)
    return UnitWord(time=clock, unit=unit.unit, since=since, alert=alert)
