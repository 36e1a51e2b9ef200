"""A device that was giving nitric oxide has gone silent.

Silence is neither a stop nor safety: nobody knows what the baby breathes. The longer it lasts, the
more it matters. Any sample of a delivering device ends it, whatever the sample says.

One gateway down is one alert: when more than half of a unit's devices fall silent together, the
unit as a whole stands in for its patients (``streams.units``), and none of them is told of alone
for as long as that lasts.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import DeviceState, PatientState, UnitSilence

NAME = "telemetry-lost"


def may_deliver(device: DeviceState) -> bool:
    """Whether its last word leaves the patient in its care."""
    return device.active and device.mode in ("delivering", "calibrating", "backup")


def last_heard(patient: PatientState) -> datetime | None:
    """When a device that may be delivering was last heard of; ``None`` when none may be."""
    if patient.course is None or not any(map(may_deliver, patient.devices.values())):
        return None
    return patient.course.heard


def is_grouped(patient: PatientState) -> bool:
    """Whether the silence of this patient is told of with the whole unit."""
    course = patient.course
    return (
        course is not None and course.grouped is not None and course.grouped == last_heard(patient)
    )


def is_told(patient: PatientState) -> bool:
    """Whether an occurrence of its own is open."""
    track = patient.tracks.get(NAME)
    return track is not None and track.open is not None


def deadline(patient: PatientState, limits: Limits) -> datetime | None:
    """When the patient's silence comes to be told of alone; ``None`` when it does not."""
    heard = last_heard(patient)
    if heard is None or is_grouped(patient) or is_told(patient):
        return None
    return heard + limits.telemetry_lost.low


def _watch(patient: PatientState, limits: Limits) -> Watch:
    if patient.silence is not None:
        return _watch_unit(patient.silence, limits)
    if patient.course is None:
        return Quiet("course-ended")
    heard = last_heard(patient)
    if heard is None:
        return Quiet("resumed")
    if is_grouped(patient):
        return Quiet("grouped")
    return _armed(heard, limits, not_before=patient.course.ungrouped)


def _watch_unit(silence: UnitSilence, limits: Limits) -> Watch:
    if silence.since is None:
        return Quiet("ungrouped" if silence.silent else "resumed")
    return _armed(silence.since, limits, not_before=None)


def _armed(heard: datetime, limits: Limits, not_before: datetime | None) -> Watch:
    """The tiers of a silence; what it was told of as until ``not_before`` is not told again."""
    rule = limits.telemetry_lost
    low, medium, high = (heard + after for after in (rule.low, rule.medium, rule.high))
    first = max(low, not_before or low)
    return Armed(
        (
            Stage("low", first, onset=low),
            Stage("medium", max(medium, first)),
            Stage("high", max(high, first)),
        ),
        otherwise="resumed",
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    silence = patient.silence
    heard = last_heard(patient) if silence is None else silence.since
    silent = at - heard if heard else timedelta()
    limit = limits.telemetry_lost.low
    minutes, limit_min = (span / timedelta(minutes=1) for span in (silent, limit))
    summary = (
        f"no telemetry for {minutes:.3g} min while delivering, limit {limit_min:g} min; go and look"
    )
    if silence is not None:
        summary = (
            f"no telemetry from {silence.silent} of {silence.devices} devices for {minutes:.3g} min"
            f" while delivering, limit {limit_min:g} min; a gateway? go and look"
        )
    return Finding(
        summary=summary,
        reason="silent",
        value=silent.total_seconds(),
        limit=limit.total_seconds(),
        unit_of_measure="s",
        source=limits.sources["telemetry_lost.low"],
    )


RULE = DeadlineRule(
    NAME,
    "no telemetry",
    _watch,
    _finding,
    raised={
        "low": "no sample for {telemetry_lost.low} from a device that was last heard"
        " delivering, calibrating or in backup; or, as one for the whole unit, from more than"
        " {telemetry_lost.group_share} of its devices and at least {telemetry_lost.group_least},"
        " the last of which fell silent in less than {telemetry_lost.group_within} of the first",
        "medium": "no sample for {telemetry_lost.medium}",
        "high": "no sample for {telemetry_lost.high}",
    },
    clears="a sample, whatever it says, or the course ends; for a whole unit, when none of these is"
    " silent any more, or so few for {telemetry_lost.group_clear} that they are told of one by one",
)
