"""A patient in a bed: a regimen with a beginning, a pseudonym, and the devices that carry it out.

Makes the paper side of it (context, laboratory, deeds) and the spans in which each device keeps
one setting. Times inside are whole milliseconds from the first delivery.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from msgspec import Struct

from schemas.action import Action
from schemas.course import Course, Flags
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.telemetry import Mode
from streams.simulate.arrival import Arrival
from streams.simulate.regimen import Draw, Note, Regimen, Stretch

HOUR_MS = 3_600_000
LEAD_H = 1.0
"""A stay's first record comes less than this before the first delivery."""

_STANDBY_H = 0.15
_PURGE_H = 2 / 60
_OVERLAP_H = 1.5 / 60
_AFTERCARE_H = 0.2
_POWER_DOWN_H = 1 / 60


class Place(Struct, frozen=True):
    """A bed and its two devices. A device that makes NO from air has no cylinder."""

    unit: str
    bed: str
    device: str
    transport_device: str
    has_cylinder: bool


class Stay(Struct, frozen=True, kw_only=True):
    """``regimen`` carried out on ``patient`` at ``place`` from ``begin``, the first delivery."""

    place: Place
    patient: str
    begin: datetime
    regimen: Regimen

    def at(self, hours: float) -> datetime:
        """Return the time that many hours into the course, to the millisecond."""
        return self.begin + timedelta(milliseconds=round(hours * HOUR_MS))


class Span(Struct, frozen=True):
    """A stretch in which a device keeps its mode and its set dose."""

    begin_ms: int
    end_ms: int
    mode: Mode
    set_ppm: float


def admit(rng: Random, place: Place, begin: datetime, regimen: Regimen) -> Stay:
    """Give the new patient of the bed a pseudonym."""
    patient = f"p{rng.getrandbits(48):012x}"
    return Stay(place=place, patient=patient, begin=begin, regimen=regimen)


def paperwork(stay: Stay, rng: Random) -> list[Arrival]:
    """Return context, laboratory results and deeds, in the order of their arrival."""
    fraction = rng.random() < 1 / 5
    arrivals = [_context(stay, rng)]
    for number, draw in enumerate(stay.regimen.draws, 1):
        lab = _lab(stay, number, draw, fraction=fraction)
        arrivals.append(Arrival(stay.at(draw.resulted_h), lab))
    for number, note in enumerate(stay.regimen.notes, 2):
        arrivals.append(_noted(stay, number, note))
    for number, deed in enumerate(stay.regimen.deeds, 1):
        at = stay.at(deed.at_h)
        action = Action(
            time=at,
            id=f"act-{stay.patient}-{number}",
            patient=stay.patient,
            by=f"staff-{rng.randrange(100, 1000)}",
            action=deed.action,
            rule=deed.rule,
            reason=deed.reason,
        )
        arrivals.append(Arrival(at, action))
    return sorted(arrivals, key=lambda arrival: arrival.at)


def _lab(stay: Stay, number: int, draw: Draw, *, fraction: bool) -> Lab:
    """Report one result; some laboratories give a fraction and not a percentage."""
    return Lab(
        time=stay.at(draw.collected_h),
        id=f"lab-{stay.patient}-{number}",
        patient=stay.patient,
        code=METHEMOGLOBIN,
        status="final",
        value=round(draw.value_pct / 100, 4) if fraction else draw.value_pct,
        unit="1" if fraction else "%",
        resulted=stay.at(draw.resulted_h),
    )


def _context(stay: Stay, rng: Random) -> Arrival:
    """Describe a newborn, term or nearly so, with every criterion of label and payers met."""
    at = stay.at(-rng.uniform(0.4, 0.8))
    weeks, days = rng.randrange(35, 42), rng.randrange(7)
    course = Course(
        time=at,
        id=f"course-{stay.patient}",
        patient=stay.patient,
        unit=stay.place.unit,
        bed=stay.place.bed,
        born=stay.at(-rng.uniform(4.0, 96.0)),
        gestational_age=f"{weeks}w{days}d",
        indication=stay.regimen.indication,
        oxygenation_index=round(rng.uniform(26.0, 40.0), 1),
        flags=Flags(
            cdh=False,
            right_to_left_shunt_dependent=False,
            lv_dysfunction=False,
            echo_confirmed_ph=True,
            conventional_therapy_failed=True,
            no_donor_drug=False,
            ecmo=False,
        ),
    )
    return Arrival(at, course)


def _noted(stay: Stay, number: int, note: Note) -> Arrival:
    at = stay.at(note.at_h)
    flags = Flags(**{note.flag: note.present})
    name = f"course-{stay.patient}-{number}"
    return Arrival(at, Course(time=at, id=name, patient=stay.patient, flags=flags))


def main_spans(regimen: Regimen) -> list[Span]:
    """Return the spans of the bed's own device: all but the transports."""
    begins = [0.0, *(stop_h for _, stop_h in regimen.transports)]
    ends = [*(begin_h + _OVERLAP_H for begin_h, _ in regimen.transports), regimen.end_h]
    spans: list[Span] = []
    for run in zip(begins, ends, strict=True):
        spans += _run(regimen, run, regimen.calibrations)
    return spans


def transport_spans(regimen: Regimen) -> list[Span]:
    """Return the spans of the transport device; both devices deliver for a moment at each end."""
    spans: list[Span] = []
    for begin_h, stop_h in regimen.transports:
        spans += _run(regimen, (begin_h, stop_h + _OVERLAP_H), ())
    return spans


def _run(regimen: Regimen, run: Stretch, calibrations: tuple[Stretch, ...]) -> Iterator[Span]:
    """Check out and purge, deliver in spans, stand by, turn off.

    Spans are cut where dose or mode changes and where a fault begins or ends.
    """
    begin_h, end_h = run
    faults = [(fault.from_h, fault.to_h) for fault in regimen.faults]
    edges = {edge_h for pair in (*calibrations, *faults) for edge_h in pair}
    backups = [(fault.from_h, fault.to_h) for fault in regimen.faults if fault.kind == "backup"]
    if begin_h == 0.0:
        yield _span(begin_h - _PURGE_H - _STANDBY_H, begin_h - _PURGE_H, "standby", 0.0)
    yield _span(begin_h - _PURGE_H, begin_h, "purging", _dose_ppm(regimen, begin_h))
    for from_h, to_h in _cut(begin_h, end_h, {*edges, *(at_h for at_h, _ in regimen.doses)}):
        set_ppm = _dose_ppm(regimen, from_h)
        mode: Mode = "standby" if set_ppm == 0.0 else "delivering"
        if _is_in(from_h, calibrations):
            mode = "calibrating"
        elif _is_in(from_h, backups):
            mode = "backup"
        yield _span(from_h, to_h, mode, set_ppm)
    for from_h, to_h in _cut(end_h, end_h + _AFTERCARE_H, edges):
        yield _span(from_h, to_h, "standby", 0.0)
    yield _span(end_h + _AFTERCARE_H, end_h + _AFTERCARE_H + _POWER_DOWN_H, "off", 0.0)


def _cut(begin_h: float, end_h: float, edges: Iterable[float]) -> Iterable[Stretch]:
    """Cut a stretch at the edges that lie in it."""
    inside = (edge_h for edge_h in edges if begin_h < edge_h < end_h)
    return pairwise(sorted({begin_h, end_h, *inside}))


def _is_in(at_h: float, stretches: Iterable[Stretch]) -> bool:
    return any(from_h <= at_h < to_h for from_h, to_h in stretches)


def _span(begin_h: float, end_h: float, mode: Mode, set_ppm: float) -> Span:
    return Span(round(begin_h * HOUR_MS), round(end_h * HOUR_MS), mode, set_ppm)


def _dose_ppm(regimen: Regimen, at_h: float) -> float:
    return [ppm for from_h, ppm in regimen.doses if from_h <= at_h][-1]
