"""All patients of one partition (or one recording) under one clock.

Routes each event to its patient, moves the clock, and lets what falls due happen in the order of
its own moments. Pure: the clock is what it is told. A ``Ward`` is the same object live and in
replay; only who moves its clock differs.
"""

from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush

from alerts.limits import Limits, load_profile
from schemas.alert import Alert
from schemas.state import PatientState
from streams.step import PatientEvent, advance, caught_up, reconsidered, step


class Ward:
    """The patients, their states, and the clock that absence is judged by."""

    def __init__(self, profile: str = "default", partition: int = 0) -> None:
        self.clock: datetime | None = None
        self.patients: dict[str, PatientState] = {}
        self.partition = partition
        self._default = load_profile(profile)
        self._due: list[tuple[datetime, str]] = []

    def restore(self, states: Iterable[PatientState]) -> None:
        """Take up what was remembered before a restart; the clock goes on from there."""
        for state in states:
            self.patients[state.patient] = state
            self._schedule(state)
            if state.clock is not None and (self.clock is None or state.clock > self.clock):
                self.clock = state.clock

    def limits_of(self, patient: PatientState) -> Limits:
        """The profile that the patient's context names, else the ward's own."""
        named = patient.context.profile
        return self._default if named is None else load_profile(named)

    def take(self, event: PatientEvent) -> list[Alert]:
        """Judge one event at the clock as it stands."""
        patient = self.patients.get(event.patient)
        if patient is None:
            patient = PatientState(event.patient, partition=self.partition)
            self.patients[event.patient] = patient
        before = patient.next_due
        profile = patient.context.profile
        told = step(patient, event, self.clock, self.limits_of(patient))
        if patient.context.profile != profile:
            at = self.clock or event.time
            told += reconsidered(patient, self.clock, at, self.limits_of(patient))
        patient.clock = self.clock
        if patient.next_due is not None and (before is None or patient.next_due < before):
            self._schedule(patient)
        return told

    def advance(self, clock: datetime) -> list[Alert]:
        """Move the clock on; it never goes back. Returns what became due, earliest first."""
        if self.clock is not None and clock <= self.clock:
            return []
        self.clock = clock
        told: list[Alert] = []
        looked_at: set[str] = set()
        while self._due and self._due[0][0] <= clock:
            looked_at.add(heappop(self._due)[1])
        for name in sorted(looked_at):
            patient = self.patients[name]
            told += advance(patient, clock, self.limits_of(patient))
            patient.clock = clock
            self._schedule(patient)
        told.sort(key=lambda alert: alert.at)
        return told

    def catch_up(self) -> list[Alert]:
        """Nothing more is under way: let happen what waited for samples that might come late."""
        told: list[Alert] = []
        for name, patient in sorted(self.patients.items()):
            if self.clock is not None and patient.lag:
                told += caught_up(patient, self.clock, self.limits_of(self.patients[name]))
                self._schedule(patient)
        return sorted(told, key=lambda alert: alert.at)

    def _schedule(self, patient: PatientState) -> None:
        if patient.next_due is not None:
            heappush(self._due, (patient.next_due, patient.patient))
