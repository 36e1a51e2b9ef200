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
    if not any(device.alarms for device in in_charge(patient)):
        return Quiet("inactive")
    unsaid = _unsaid(patient)
    if not unsaid:
        return Quiet("superseded")
    stages = [_stage(patient, 0, "medium", unsaid, limits)]
    high = [alarm for alarm in unsaid if alarm.priority == "high"]
    if high:
        stages.append(_stage(patient, 1, "high", high, limits))
    return Armed(tuple(stages))


def _unsaid(patient: PatientState) -> list[ActiveAlarm]:
    """The active alarms of which no open rule of ours says the same."""
    told = {rule for rule, track in patient.tracks.items() if track.open is not None}
    return [
        alarm
        for device in in_charge(patient)
        for alarm in device.alarms
        if told.isdisjoint(rules_for(alarm.code))
    ]


def _stage(
    patient: PatientState,
    tier: int,
    priority: Priority,
    alarms: list[ActiveAlarm],
    limits: Limits,
) -> Stage:
    """Say when one of the alarms has stood for its time; what holds goes on with the next alarm."""
    begun = (_since(patient, alarm, priority) for alarm in alarms)
    held = _held(patient, tier)
    due, since = (
        (held, None)
        if held is not None
        else min(
            (max(active + limits.device_alarm.hold, unsaid), unsaid) for active, unsaid in begun
        )
    )
    return Stage(priority, due, onset=since)


def _held(patient: PatientState, tier: int) -> datetime | None:
    """When a tier that holds came to do so."""
    track = patient.tracks.get(NAME)
    tiers = track.tiers if track is not None else ()
    return tiers[tier].fired if tier < len(tiers) else None


def _since(
    patient: PatientState, alarm: ActiveAlarm, priority: Priority
) -> tuple[datetime, datetime]:
    """Since when it is active (as a high one), and since when no rule of ours says the same."""
    tracks = (patient.tracks.get(rule) for rule in rules_for(alarm.code))
    over = [track.cleared for track in tracks if track is not None and track.cleared is not None]
    begun = (alarm.high_since if priority == "high" else None) or alarm.since
    return begun, max([begun, *over])


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    codes = ", ".join(f"{alarm.code} ({alarm.priority})" for alarm in _unsaid(patient))
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
