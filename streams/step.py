"""THE entry: one event, one patient, what follows.

``step`` and ``advance`` are the whole product seen from inside: the same functions judge live, in
replay, in the demo and in every test. They read no clock, open nothing and log nothing. They take
over the state they are given: it is changed in place and is the state after the event.

Order at one instant: what is due at ``t`` comes before the record stamped ``t``.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from alerts.eligibility import note_asked
from alerts.limits import Limits
from alerts.methb import note_checks
from alerts.occurrence import Turn, count, end, next_turn, observe, rearm, reconsider, turn
from alerts.rules import DEADLINE, OF_COURSE, RULES, SAMPLED, data_rejected, telemetry_lost
from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course
from schemas.lab import Lab
from schemas.state import PatientState, Refusal
from schemas.telemetry import Telemetry
from streams.context import is_repeat, take_action, take_course, take_lab
from streams.devices import is_news
from streams.refusals import newest_refusal, note_refusal
from streams.steady import is_steady, put_off, steady_band, steady_until
from streams.therapy import end_course, take_sample

PatientEvent = Telemetry | Lab | Course | Action


def step(
    patient: PatientState, event: PatientEvent, clock: datetime | None, limits: Limits
) -> list[Alert]:
    """Judge one event of this patient in full; transitions come in the order of their decision.

    ``clock`` is the partition's clock at the arrival; ``None`` before it is known.
    """
    if isinstance(event, Telemetry):
        return _step_sample(patient, event, clock, limits)
    if is_repeat(patient, event):
        return []
    patient.steady = False
    arrived = _arrived(event, clock, limits)
    told: list[Alert] = []
    closes = isinstance(event, Action) and event.action == "close-course"
    if closes and patient.course is not None:
        if event.time >= patient.course.start:
            told = _end_all(patient, limits, arrived, closed=event.time)
    else:
        _take(patient, event, arrived, limits)
    return told + _settled(patient, limits, arrived, clock, None)


def _arrived(event: Lab | Course | Action, clock: datetime | None, limits: Limits) -> datetime:
    """The moment at which a record acts: its arrival.

    That is its own time where the arrival is no later than sources are apart, so that it acts
    alike whichever source was the faster one.
    """
    time = (event.resulted or event.time) if isinstance(event, Lab) else event.time
    return time if clock is None or clock - time <= limits.course.either_order else clock


def _take(
    patient: PatientState, event: Lab | Course | Action, arrived: datetime, limits: Limits
) -> None:
    """Fold what arrives beside the samples into the state."""
    match event:
        case Lab():
            take_lab(patient, event, arrived, limits)
        case Course():
            take_course(patient, event, arrived)
            for rule in SAMPLED:
                reconsider(rule, patient, limits, arrived)
            if patient.course is not None:
                note_asked(patient, patient.course, arrived)
        case Action():
            take_action(patient, event)
    if patient.course is not None:
        note_checks(patient, patient.course, arrived, limits)


def _step_sample(
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> list[Alert]:
    if not is_news(patient, sample):
        return []
    told = _due(patient, limits, clock, sample.time)
    take_sample(patient, sample, clock, limits)
    if patient.course is None and not patient.tracks:
        patient.next_due = None  # every rule that a sample moves is about a course
        return told
    for rule in SAMPLED:
        told += observe(rule, patient, sample, limits)
    told += _settled(patient, limits, sample.time, clock, sample.time)
    patient.steady = is_steady(patient, sample.time)
    patient.band = steady_band(patient, limits) if patient.steady else None
    patient.steady_until = steady_until(patient, limits) if patient.steady else None
    return told


def refused(patient: PatientState, device: str, refusal: Refusal, limits: Limits) -> list[Alert]:
    """A record that seems to be of this patient's ``device`` could not be judged."""
    at = max(refusal.at, newest_refusal(patient) or refusal.at)
    kept = note_refusal(patient, device, replace(refusal, at=at), limits)
    if not kept:
        return []
    often = data_rejected.is_often(kept, limits)
    told = count(data_rejected.RULE, patient, limits, at, often=often)
    _note_next_due(patient, limits)
    return told


def reconsidered(
    patient: PatientState, clock: datetime | None, at: datetime, limits: Limits
) -> list[Alert]:
    """Other limits hold from ``at`` on: judge what stands by them."""
    patient.steady = False
    for rule in SAMPLED:
        reconsider(rule, patient, limits, at)
    return _settled(patient, limits, at, clock, None)


def resettled(patient: PatientState, clock: datetime, limits: Limits) -> list[Alert]:
    """Something beside the patient's own records has changed: deadlines anew, as of ``clock``."""
    patient.steady = False
    return _settled(patient, limits, clock, clock, None)


def caught_up(patient: PatientState, clock: datetime, limits: Limits) -> list[Alert]:
    """Nothing more is under way: holds need not wait any longer for samples that come late."""
    patient.lag = timedelta()
    return advance(patient, clock, limits)


def advance(patient: PatientState, clock: datetime, limits: Limits) -> list[Alert]:
    """Time has come to ``clock``: what is due by then happens, at its own moment."""
    if patient.steady and put_off(patient, clock, limits):
        return []
    told = _due(patient, limits, clock, None)
    patient.steady = patient.steady and not told
    _note_next_due(patient, limits)
    return told


def _settled(
    patient: PatientState,
    limits: Limits,
    at: datetime,
    clock: datetime | None,
    sample_time: datetime | None,
) -> list[Alert]:
    """After the state has changed: deadlines anew, and what is thereby due already."""
    told = _rearmed(patient, limits, at, clock if sample_time is not None else None)
    told += _due(patient, limits, clock, sample_time)
    _note_next_due(patient, limits)
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
    newest = _own_time(patient, clock, sample_time)
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


def _own_time(
    patient: PatientState, clock: datetime | None, sample_time: datetime | None
) -> datetime | None:
    """What time it is for the patient's holds: behind the clock by as much as its samples are.

    So a burst of samples that were stored during a gap is judged by their own times.
    """
    own = None if clock is None else clock - patient.lag
    return max((t for t in (own, sample_time) if t is not None), default=None)


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
    for rule in OF_COURSE:
        told += end(rule, patient, limits, "course-ended", at)
        patient.tracks.pop(rule.name, None)
    return told


def _note_next_due(patient: PatientState, limits: Limits) -> None:
    """Note from when on anything may happen without a record."""
    turns, lapse = next_turn(patient, RULES), _lapse_at(patient, limits)
    lapses = [] if lapse is None else [lapse]
    others = [due.at for due in turns if due.rule.name != telemetry_lost.NAME]
    patient.next_due = min([due.at for due in turns] + lapses, default=None)
    patient.quiet_until = min(others + lapses, default=None)
