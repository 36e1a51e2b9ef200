"""All patients of one partition (or one recording) under one clock.

Routes each event to its patient, moves the clock, and lets what falls due happen in the order of
its own moments. Pure: the clock is what it is told. A ``Ward`` is the same object live and in
replay; only who moves its clock differs, and whether ``units`` has to hear from other partitions.
"""

from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush

from alerts.limits import Limits
from alerts.profile_book import ProfileBook, packaged
from schemas.alert import Alert
from schemas.claimed import Claim
from schemas.course import Course
from schemas.profile_change import Cause, ProfileChange
from schemas.rejected import Reason
from schemas.stand_in import NOT_KNOWN, is_unknown, unknown_patient
from schemas.state import PatientState, Refusal
from schemas.telemetry import Telemetry
from schemas.unit import UnitRecord, UnitShare
from streams.steady import take_steady
from streams.step import PatientEvent, advance, caught_up, reconsidered, refused, step
from streams.units import Standing, Units


class Ward:
    """The patients, their states, and the clock that absence is judged by.

    ``profile`` judges where neither the patient's context nor its unit names another of ``book``.
    It is one of ``partitions`` that share the patients. ``changes`` collects who came to be judged
    by another profile, ``changed`` whose state changed beyond what was told; whoever keeps them
    empties them.
    """

    def __init__(
        self,
        profile: str = "default",
        partition: int = 0,
        book: ProfileBook | None = None,
        partitions: int = 1,
    ) -> None:
        self.clock: datetime | None = None
        self.patients: dict[str, PatientState] = {}
        self.partition = partition
        self.changes: list[ProfileChange] = []
        self.changed: set[str] = set()
        self.book = book or packaged()
        self._default = self.book.named(profile)
        self._due: list[tuple[datetime, str]] = []
        self._held: dict[str, Limits] = {}
        self.units = Units(self.patients, self.limits_of, partition, partitions)

    def restore(self, states: Iterable[PatientState], clock: datetime | None = None) -> None:
        """Take up what was remembered before a restart.

        Time goes on from ``clock``, or else from the newest that a state has met.
        """
        for state in states:
            self.patients[state.patient] = state
            self._schedule(state)
        met = (state.clock for state in self.patients.values() if state.clock is not None)
        self.clock = clock or max(met, default=None)
        self.units.recall(self.clock)

    def limits_of(self, patient: PatientState) -> Limits:
        """The profile that the patient's context names, else its unit's, else the ward's own."""
        named = patient.context.profile
        found = None if named is None else self.book.find(named)
        return found or self._of_unit(patient)

    def _of_unit(self, patient: PatientState) -> Limits:
        return self.book.of_unit(patient.unit) or self._default

    def take(self, event: PatientEvent) -> list[Alert]:
        """Judge one event at the clock as it stands."""
        patient = self.patients.get(event.patient)
        if patient is None:
            unit = event.unit if isinstance(event, Telemetry | Course) else None
            patient = self._new_patient(event.patient, unit or NOT_KNOWN)
        standing = None
        if self.units.grouped.words:
            standing = self.units.standing(patient, self.clock)
        if patient.steady and type(event) is Telemetry:
            held = self._held.get(event.patient)
            if held is not None and take_steady(patient, event, self.clock, held):
                patient.clock = self.clock
                return [] if standing is None else self._regrouped(patient, standing)
        before = patient.next_due
        limits, told = self.limits_of(patient), []
        if patient.judged_by and patient.judged_by != limits.rules_version:
            told = self._change(patient, limits, event.time, None)
        told += step(patient, event, self.clock, limits)
        limits = self.limits_of(patient)
        if patient.judged_by != limits.rules_version:
            told += self._change(patient, limits, event.time, event)
        self._held[event.patient] = limits
        if standing is not None:
            told += self._regrouped(patient, standing)
        patient.clock = self.clock
        if patient.next_due is not None and (before is None or patient.next_due < before):
            self._schedule(patient)
        return told

    def _change(
        self, patient: PatientState, limits: Limits, time: datetime, event: PatientEvent | None
    ) -> list[Alert]:
        """Other limits hold than those that judged last: note it, and judge what stands by them.

        ``event`` brought it; ``None``: the site's profiles are others than before a restart.
        """
        old, patient.judged_by = patient.judged_by, limits.rules_version
        if not old:
            old = self._of_unit(patient).rules_version
            if old == limits.rules_version:
                return []
        named = event if isinstance(event, Course) and event.profile is not None else None
        by_unit: Cause = "settings" if event is None else "unit"
        at = self.clock or time
        self.changes.append(
            ProfileChange(
                time=at,
                patient=patient.patient,
                unit=patient.unit,
                cause=by_unit if named is None else "course",
                by=None if named is None else named.by,
                record=None if named is None else named.id,
                old=old,
                new=limits.rules_version,
            )
        )
        return reconsidered(patient, self.clock, at, limits)

    def whose(self, claim: Claim) -> str:
        """Name the patient whom a refused record counts for: one who is known, or a stand-in."""
        known = claim.patient is not None and claim.patient in self.patients
        return claim.patient if known and claim.patient else unknown_patient(self.partition)

    def refuse(self, claim: Claim, reason: Reason, arrived: datetime | None = None) -> list[Alert]:
        """Count a record that could not be judged.

        It counts when it ``arrived``, else at the clock as it stands, else at its own time; what
        has no time at all is not counted.
        """
        at = arrived or self.clock or claim.time
        if at is None:
            return []
        name = self.whose(claim)
        patient = self.patients.get(name) or self._new_patient(name)
        before = patient.next_due
        device = claim.device or NOT_KNOWN
        # What names no time is the same record only when it comes at the same moment.
        mark = claim.digest if claim.time else f"{claim.digest} {at.isoformat()}"
        told = refused(
            patient,
            NOT_KNOWN if is_unknown(patient.patient) else device,
            Refusal(at, claim.device, reason, mark),
            self.limits_of(patient),
        )
        patient.clock = self.clock
        if patient.next_due is not None and (before is None or patient.next_due < before):
            self._schedule(patient)
        return told

    def take_between(self, record: UnitRecord) -> list[Alert]:
        """Take in what another partition, or this one, says of a unit."""
        if self.clock is None:
            return []
        if isinstance(record, UnitShare):
            told = self.units.hear(record)
        else:
            told = self.units.grouped.heed(record, self.clock)
        self._note_moved()
        return told

    def advance(self, clock: datetime) -> list[Alert]:
        """Move the clock on; it never goes back. Returns what became due, earliest first."""
        if self.clock is not None and clock <= self.clock:
            return []
        before, self.clock = self.clock, clock
        nothing_due = not self._due or self._due[0][0] > clock
        if nothing_due and self.units.whole:
            return []
        told = self.units.tick(before, clock)
        self._note_moved()
        if nothing_due:
            return told
        looked_at = self._fallen_due(clock)
        told += self.units.advance(looked_at, clock)
        self._note_moved()
        for name in sorted(looked_at | self._fallen_due(clock)):
            patient = self.patients[name]
            if patient.silence is None:
                limits = self.limits_of(patient)
                if patient.judged_by and patient.judged_by != limits.rules_version:
                    told += self._change(patient, limits, clock, None)
                told += advance(patient, clock, limits)
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

    def _new_patient(self, name: str, unit: str = NOT_KNOWN) -> PatientState:
        patient = PatientState(name, unit=unit, partition=self.partition)
        self.patients[name] = patient
        return patient

    def _regrouped(self, patient: PatientState, before: Standing) -> list[Alert]:
        """A record of the patient was judged while some unit is told of as one."""
        if self.clock is None:
            return []
        told = self.units.after(patient, before, self.clock)
        self._note_moved()
        return told

    def _fallen_due(self, clock: datetime) -> set[str]:
        names: set[str] = set()
        while self._due and self._due[0][0] <= clock:
            names.add(heappop(self._due)[1])
        return names

    def _note_moved(self) -> None:
        """Take up what ``units`` did to patients and stand-ins."""
        for patient in self.units.grouped.moved:
            patient.clock = self.clock
            self.changed.add(patient.patient)
            self._schedule(patient)
        self.units.grouped.moved.clear()

    def _schedule(self, patient: PatientState) -> None:
        if patient.next_due is not None:
            heappush(self._due, (patient.next_due, patient.patient))
