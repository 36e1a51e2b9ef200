"""Nothing that is measured has changed for minutes: the readings may be stuck.

A living baby and a real analyser scatter. After a recall for erratic readings (2011) a reading that
does not move is worth a look; no value can tell it from a good one.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from alerts.rules import telemetry_lost
from schemas.state import PatientState

NAME = "reading-frozen"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, device = patient.course, patient.devices.get(patient.device)
    if course is None:
        return Quiet("course-ended")
    if course.phase != "running" or device is None:
        return Quiet("delivery-ended")
    since, track = device.same_since, patient.tracks.get(NAME)
    if since is None:
        return Quiet("changed")
    lost = patient.tracks.get(telemetry_lost.NAME)
    if (track is None or track.open is None) and lost is not None and lost.open is not None:
        return Quiet("silent")  # nobody knows whether they have changed
    hold = limits.reading_frozen.hold
    return Armed((Stage("low", since + hold, onset=since),), otherwise="changed")


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    device = patient.devices.get(patient.device)
    since = device.same_since if device is not None else None
    same_min = (at - since).total_seconds() / 60 if since is not None else 0.0
    limit_min = limits.reading_frozen.hold.total_seconds() / 60
    return Finding(
        summary=f"no reading of {patient.device} has changed for {same_min:.3g} min; is it stuck?",
        reason="frozen",
        value=same_min,
        limit=limit_min,
        unit_of_measure="min",
        source=limits.sources["reading_frozen.hold"],
    )


RULE = DeadlineRule(
    NAME,
    "readings frozen",
    _watch,
    _finding,
    moves_with="samples",
    raised={
        "low": "delivering, and no measured value has changed for {reading_frozen.hold}",
    },
    clears="a value changes, or delivery ends",
)
