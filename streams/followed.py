"""The newest course of one patient through a replay, kept when the ward has forgotten it.

A ward drops a course that a person closed. Whoever asks afterwards what the course was like looks
on while it is judged. Judges nothing.
"""

from datetime import datetime

from alerts.policy_facts import SoFar
from schemas.state import CourseState, PatientState


class Followed:
    """What was seen of ``name`` so far; ``look`` once after each record."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.course: CourseState | None = None
        self.ended: datetime | None = None
        self._fio2_pct: float | None = None
        self._spo2_pct: float | None = None

    def look(self, patient: PatientState) -> None:
        """Take in the course as it stands, and the readings while it delivers."""
        course = patient.course
        if course is None:
            if self.course is not None and self.ended is None:
                self.ended = self.course.ended or patient.closed
            return
        if course is not self.course:
            self.course, self._fio2_pct, self._spo2_pct = course, None, None
        self.ended = course.ended
        if course.phase == "running":
            self._fio2_pct = _newest(patient.fio2_pct, self._fio2_pct)
            self._spo2_pct = _newest(patient.spo2_pct, self._spo2_pct)

    def so_far(self, patient: PatientState, at: datetime) -> SoFar | None:
        """Return how far the course had come at ``at``, or at its end; ``None``: there is none."""
        course = self.course
        if course is None:
            return None
        running = course.delivered if patient.course is course else None
        response = min((t for t in (course.improved, course.tapered) if t), default=None)
        return SoFar(
            elapsed=(self.ended or at) - course.start,
            delivered=patient.earlier if running is None else patient.earlier + running,
            fio2_pct=self._fio2_pct,
            spo2_pct=self._spo2_pct,
            response=response - course.start if response else None,
            measured=bool(course.spo2_first_pct or course.fio2_first_pct),
        )


def _newest(reading: float | None, before: float | None) -> float | None:
    """A missing reading is unknown now; it does not undo what was read before."""
    return before if reading is None else reading
