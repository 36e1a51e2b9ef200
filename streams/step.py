"""THE entry: one event, one patient, what follows.

``step`` and ``advance`` are the whole product seen from inside: the same functions judge live, in
replay, in the demo and in every test. They read no clock, open nothing and log nothing. They take
over the state they are given: it is changed in place and is the state after the event.

Order at one instant: what is due at ``t`` comes before the record stamped ``t``.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.occurrence import Turn, end, next_turn, observe, rearm, reconsider, turn
from alerts.rules import DEADLINE, RULES, SAMPLED
from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course
from schemas.lab import Lab
from schemas.state import PatientState
from schemas.telemetry import Telemetry
from streams.steady import is_steady, take_steady
from streams.therapy import (
    end_course,
    is_news,
    take_action,
    take_course,
    take_lab,
    take_sample,
)

PatientEvent = Telemetry | Lab | Course | Action


def step(
    patient: PatientState, event: PatientEvent, clock: datetime | None, limits: Limits
) -> list[Alert]:
    """Judge one event of this patient; transitions come in the order in which they are decided.

    ``clock`` is the partition's clock at the arrival; ``None`` before it is known.
    """
    if isinstance(event, Telemetry):
        return _step_sample(patient, event, clock, limits)
    patient.steady = False
    arrived = clock or event.time
    told: list[Alert] = []
    match event:
        case Lab():
            take_lab(patient, event, arrived, limits)
        case Course():
            take_course(patient, event)
            for rule in SAMPLED:
                reconsider(rule, patient, limits, arrived)
        case Action(action="close-course"):
            if patient.course is not None and event.time >= patient.course.start:
                told = _end_all(patient, limits, arrived, closed=event.time)
        case Action():
            take_action(patient, event)
    return told + _settled(patient, limits, arrived, clock, None)


def _step_sample(
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> list[Alert]:
    if patient.steady and take_steady(patient, sample, clock, limits):
        return []
    if not is_news(patient, sample):
        return []
    told = _due(patient, limits, clock, sample.time)
    take_sample(patient, sample, clock, limits)
    for rule in SAMPLED:
        told += observe(rule, patient, sample, limits)
    told += _settled(patient, limits, sample.time, clock, sample.time)
    patient.steady = is_steady(patient, sample.time)
    return told


def advance(patient: PatientState, clock: datetime, limits: Limits) -> list[Alert]:
    """Time has come to ``clock``: what is due by then happens, at its own moment."""
    told = _due(patient, limits, clock, None)
    patient.steady = patient.steady and not told
    patient.next_due = _next_due(patient, limits)
    return told


def _settled(
    patient: PatientState,
    limits: Limits,
    at: datetime,
    clock: datetime | None,
    sample_time: datetime | None,
) -> list[Alert]:
    """After the state has changed: deadlines anew, and what is thereby due already."""
    told = _rearmed(patient, limits, at, clock)
    told += _due(patient, limits, clock, sample_time)
    patient.next_due = _next_due(patient, limits)
    return told


def _rearmed(
    patient: PatientState, limits: Limits, at: datetime, clock: datetime | None
) -> list[Alert]:
    """A deadline that waits for the clock also clears by it: by the arrival, not the sample."""
    told: list[Alert] = []
    for rule in DEADLINE:
        waits = rule.moves_with == "clock" and clock is not None
        told += rearm(rule, patient, limits, max(at, clock) if waits and clock else at)
    return told


def _due(
    patient: PatientState,
    limits: Limits,
    clock: datetime | None,
    sample_time: datetime | None,
) -> list[Alert]:
    """Let everything happen that is due, the earliest first."""
    told: list[Alert] = []
    newest = max((t for t in (clock, sample_time) if t is not None), default=None)
    if patient.steady and newest is not None:
        # Steady samples have moved the silence deadline on without saying so.
        told += _rearmed(patient, limits, newest, None)
    while True:
        ready = [
            due
            for due in next_turn(patient, RULES)
            if _has_come(due, clock if due.rule.moves_with == "clock" else newest)
        ]
        first = min(ready, key=lambda due: due.at, default=None)
        lapse = _lapse_at(patient, limits)
        lapsed = lapse is not None and newest is not None and lapse < newest
        if lapse is not None and lapsed and (first is None or lapse < first.at):
            told += _end_all(patient, limits, lapse, closed=None)
            continue
        if first is None:
            return told
        told += turn(first, patient, limits)
        told += _rearmed(patient, limits, first.at, None)


def _has_come(due: Turn, bound: datetime | None) -> bool:
    return bound is not None and (due.at < bound if due.strict else due.at <= bound)


def _lapse_at(patient: PatientState, limits: Limits) -> datetime | None:
    """When the course ends by itself, unless delivery comes back at that moment or before."""
    course = patient.course
    if course is None or course.ended is None:
        return None
    return course.ended + limits.course.interruption


def _end_all(
    patient: PatientState, limits: Limits, at: datetime, *, closed: datetime | None
) -> list[Alert]:
    end_course(patient, closed=closed)
    told: list[Alert] = []
    for rule in RULES:
        told += end(rule, patient, limits, "course-ended", at)
    return told


def _next_due(patient: PatientState, limits: Limits) -> datetime | None:
    """A lower bound of the next moment at which anything may happen without a record."""
    times = [due.at for due in next_turn(patient, RULES)]
    lapse = _lapse_at(patient, limits)
    if lapse is not None:
        times.append(lapse)
    return min(times, default=None)
