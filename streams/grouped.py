"""The patients whose silence is told of with their unit, and the words by which it is.

A patient joins when its silence comes to be told of while a word on its unit holds, and is told of
alone when that is taken back or gets too old. It leaves by itself when its device is heard again or
its course ends. Who finds the words is ``streams.units``.
"""

from collections.abc import Callable
from datetime import datetime

from alerts.limits import Limits, TelemetryLostLimits
from alerts.rules.telemetry_lost import is_grouped, last_heard
from schemas.alert import Alert
from schemas.board_row import OpenAlert
from schemas.state import PatientState
from schemas.unit import UnitWord
from streams.step import resettled


class Grouped:
    """The words that hold, by unit, over the patients of one ward.

    ``moved`` collects whose state was changed here, for the ward to look after.
    """

    def __init__(
        self,
        patients: dict[str, PatientState],
        limits_of: Callable[[PatientState], Limits],
        lost_of: Callable[[str], TelemetryLostLimits],
    ) -> None:
        self.words: dict[str, UnitWord] = {}
        self.moved: list[PatientState] = []
        self._patients = patients
        self._limits_of = limits_of
        self._lost_of = lost_of

    def recall(self, clock: datetime) -> None:
        """Take up from the patients what held before a restart."""
        for patient in self._patients.values():
            course = patient.course
            if course is None or course.grouped is None or not is_grouped(patient):
                continue
            word = self.words.get(patient.unit)
            since = word.since if word is not None and word.since is not None else course.grouped
            since = min(since, course.grouped)
            self.words[patient.unit] = UnitWord(time=clock, unit=patient.unit, since=since)

    def heed(self, word: UnitWord, clock: datetime) -> list[Alert]:
        """Take in a word; an older one than is known changes nothing."""
        known = self.words.get(word.unit)
        if known is not None and word.time < known.time:
            return []
        return self.apply(word, clock)

    def apply(self, word: UnitWord, clock: datetime) -> list[Alert]:
        """Let a word hold from ``clock`` on; without a silence in it nobody is grouped any more."""
        if word.since is not None:
            self.words[word.unit] = word
            return []
        if self.words.pop(word.unit, None) is None:
            return []
        told: list[Alert] = []
        for _, patient in sorted(self._patients.items()):
            if patient.unit == word.unit and is_grouped(patient):
                told += self.leave(patient, clock)
        return told

    def expire(self, oldest: datetime, clock: datetime) -> list[Alert]:
        """Take back every word that was not said again since ``oldest``."""
        told: list[Alert] = []
        for word in list(self.words.values()):
            if word.time < oldest:
                told += self.apply(UnitWord(time=clock, unit=word.unit, since=None), clock)
        return told

    def covers(self, patient: PatientState, due: datetime) -> bool:
        """Whether a word speaks for the patient, and no later than it would be told of alone."""
        word = self.words.get(patient.unit)
        since = word.since if word is not None else None
        return since is not None and since + self._lost_of(patient.unit).low <= due

    def join(self, patient: PatientState, clock: datetime) -> list[Alert]:
        """Tell of the patient's present silence with its unit from here on."""
        if patient.course is not None:
            patient.course.grouped = last_heard(patient)
        self.moved.append(patient)
        return resettled(patient, clock, self._limits_of(patient))

    def leave(self, patient: PatientState, clock: datetime) -> list[Alert]:
        """Tell of it alone, at the tier that it has reached by now."""
        if patient.course is not None:
            patient.course.grouped, patient.course.ungrouped = None, clock
        self.moved.append(patient)
        return resettled(patient, clock, self._limits_of(patient))

    def alert_of(self, patient: PatientState) -> OpenAlert | None:
        """The open alert of its unit that speaks for this patient too."""
        word = self.words.get(patient.unit)
        return word.alert if word is not None and is_grouped(patient) else None
