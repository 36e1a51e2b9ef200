"""A device that was giving nitric oxide has gone silent.

Silence is neither a stop nor safety: nobody knows what the baby breathes. The longer it lasts, the
more it matters. Any sample of a delivering device ends it, whatever the sample says.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import DeviceState, PatientState

NAME = "telemetry-lost"


def may_deliver(device: DeviceState) -> bool:
    """Whether its last word leaves the patient in its care."""
    return device.active and device.mode in ("delivering", "calibrating", "backup")


def last_heard(patient: PatientState) -> datetime | None:
    """When a device that may be delivering was last heard of; ``None`` when none may be."""
    if patient.course is None or not any(map(may_deliver, patient.devices.values())):
        return None
    return patient.course.heard


def _watch(patient: PatientState, limits: Limits) -> Watch:
    if patient.course is None:
        return Quiet("course-ended")
    heard, rule = last_heard(patient), limits.telemetry_lost
    if heard is None:
        return Quiet("resumed")
    return Armed(
        (
            Stage("low", heard + rule.low),
            Stage("medium", heard + rule.medium),
            Stage("high", heard + rule.high),
        ),
        otherwise="resumed",
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    heard = last_heard(patient)
    silent_s = (at - heard).total_seconds() if heard else 0.0
    limit_s = limits.telemetry_lost.low.total_seconds()
    return Finding(
        summary=(
            f"no telemetry for {silent_s / 60:.3g} min while delivering,"
            f" limit {limit_s / 60:g} min; go and look"
        ),
        reason="silent",
        value=silent_s,
        limit=limit_s,
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
        " delivering, calibrating or in backup",
        "medium": "no sample for {telemetry_lost.medium}",
        "high": "no sample for {telemetry_lost.high}",
    },
    clears="a sample, whatever it says, or the course ends",
)
