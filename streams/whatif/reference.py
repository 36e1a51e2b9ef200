"""What was the matter, whoever judges: the same history by bare limits.

A ward judged by the packaged profile ``default`` without its hold times (see ``hazard``). It says
when something was wrong, how long nitric oxide was given, and which therapies were under way when
the history begins. Pure.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from alerts.profile_book import packaged
from schemas.alert import Alert
from schemas.lab import Lab
from schemas.state import PatientState
from schemas.telemetry import Telemetry
from streams.replay import replay_until
from streams.ward import Ward
from streams.whatif.episode import Episodes
from streams.whatif.hazard import ENDS_WITH_COLLECTION, bare
from streams.whatif.history import Entry
from streams.whatif.one_profile import OneProfile


class Therapy(Struct, frozen=True):
    """Nitric oxide in the window: how many patients had it, and for how long together."""

    patients: int
    delivered: timedelta


class Reference:
    """The ward by bare limits.

    ``collected`` has, by the id of an episode, when the methemoglobin was collected whose result
    ended it. ``under_way`` counts the therapies that ran when the first sample came: they may have
    begun before it.
    """

    def __init__(self, start: datetime | None) -> None:
        limits = bare(packaged().named("default"))
        self.ward = Ward(limits.name, book=OneProfile(limits))
        self.episodes = Episodes()
        self.collected: dict[str, datetime] = {}
        self.under_way = 0
        self._start = start
        self._before: dict[str, timedelta] = {}
        self._soon = limits.telemetry_lost.low
        self._settled_at: datetime | None = None

    def meet(self, at: datetime | None, entry: Entry) -> None:
        """Look at an entry before it is judged."""
        if at is None:
            return
        if self._start is not None and at >= self._start:
            self._start, self._before = None, self._given()
        if self._settled_at is None:
            if isinstance(entry, Telemetry):
                self._settled_at = at + self._soon
        elif self._soon and at > self._settled_at:
            self._soon = timedelta()
            self.under_way = self._courses()

    def note(self, told: Iterable[Alert], entry: Entry) -> None:
        """Take in what the ward tells of an entry."""
        told = list(told)
        self.episodes.note(told)
        if not isinstance(entry, Lab):
            return
        for alert in told:
            if (
                alert.phase == "cleared"
                and alert.patient == entry.patient
                and alert.rule in ENDS_WITH_COLLECTION
                and alert.reason in ("resulted", "late-result")
            ):
                self.collected[alert.id] = entry.time

    def end(self, reached: datetime | None) -> None:
        """Nothing more comes; the clock may go on to ``reached``."""
        self.episodes.note(replay_until(self.ward, reached))
        if self._start is not None:
            self._before = self._given()
        if self._soon:
            self.under_way = self._courses()

    def therapy(self, unit: str | None) -> Therapy:
        """Count what was given, to the patients of one unit where it is named."""
        given = [
            _delivered(patient) - self._before.get(name, timedelta())
            for name, patient in self.ward.patients.items()
            if unit in (None, patient.unit)
        ]
        given = [one for one in given if one > timedelta()]
        return Therapy(len(given), sum(given, timedelta()))

    def _given(self) -> dict[str, timedelta]:
        return {name: _delivered(patient) for name, patient in self.ward.patients.items()}

    def _courses(self) -> int:
        return sum(patient.course is not None for patient in self.ward.patients.values())


def _delivered(patient: PatientState) -> timedelta:
    """How long the patient has had nitric oxide, over all courses."""
    course = patient.course
    return patient.earlier + (course.delivered if course is not None else timedelta())
