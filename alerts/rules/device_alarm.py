"""The device itself has been alarming for a minute, and nothing here says the same.

A relay of the device's own high and medium alarms, at the device's own priority. It gives way to a
rule that is about the same thing (``alerts/device_codes.toml``) and comes back when that is over.
"""

from datetime import datetime

from alerts.device_codes import rules_for
from alerts.gas import in_charge
from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.alert import Priority
from schemas.state import ActiveAlarm, PatientState

NAME = "device-alarm"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    if patient.course is None:
        return Quiet("course-ended")
    alarms = [alarm for device in in_charge(patient) for alarm in device.alarms]
    if not alarms:
        return Quiet("inactive")
    unsaid = [alarm for alarm in alarms if not _said(patient, alarm)]
    if not unsaid:
        return Quiet("superseded")
    stages = [_stage(patient, 0, "medium", unsaid, limits)]
    high = [alarm for alarm in unsaid if alarm.priority == "high"]
    if high:
        stages.append(_stage(patient, 1, "high", high, limits))
    return Armed(tuple(stages), otherwise="inactive")


def _said(patient: PatientState, alarm: ActiveAlarm) -> bool:
    """Whether a rule of ours is open that says the same."""
    tracks = (patient.tracks.get(rule) for rule in rules_for(alarm.code))
    return any(track is not None and track.open is not None for track in tracks)


def _stage(
    patient: PatientState,
    tier: int,
    priority: Priority,
    alarms: list[ActiveAlarm],
    limits: Limits,
) -> Stage:
    """Say when one of the alarms has stood for its time; what holds goes on with the next alarm."""
    track = patient.tracks.get(NAME)
    if track is not None and len(track.tiers) > tier:
        state = track.tiers[tier]
        if state.active and state.fired is not None:
            return Stage(priority, state.fired, onset=state.since)
    first = min(alarms, key=lambda alarm: _unsaid_since(patient, alarm))
    since = _unsaid_since(patient, first)
    due = max(first.since + limits.device_alarm.hold, since)
    return Stage(priority, due, onset=since)


def _unsaid_since(patient: PatientState, alarm: ActiveAlarm) -> datetime:
    """Since when it is active and no rule of ours says the same."""
    tracks = (patient.tracks.get(rule) for rule in rules_for(alarm.code))
    over = [track.cleared for track in tracks if track is not None and track.cleared is not None]
    return max([alarm.since, *over])


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    alarms = [alarm for device in in_charge(patient) for alarm in device.alarms]
    codes = ", ".join(f"{alarm.code} ({alarm.priority})" for alarm in alarms)
    return Finding(
        summary=f"the device's own alarm is active: {codes or '?'}",
        reason="device-alarm",
        value=None,
        limit=None,
        unit_of_measure=None,
        source=limits.sources["device_alarm.hold"],
    )


RULE = DeadlineRule(
    NAME,
    "device alarm",
    _watch,
    _finding,
    moves_with="samples",
    raised={
        "medium": "a medium or high alarm of the device itself is active for {device_alarm.hold},"
        " and no open rule says the same",
        "high": "one of them is a high one",
    },
    clears="none is active any more, a rule says the same, or the course ends",
)
