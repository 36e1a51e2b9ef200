"""The therapy runs on the backup for longer than a change of device takes.

In backup the dose is not known to telemetry (device manuals: a fixed flow, so the dose depends on
the ventilator), and no dose rule can judge.
"""

from datetime import datetime, timedelta

from alerts.gas import another_gives
from alerts.limits import Limits
from alerts.rule import UNKNOWN, Ended, Finding, Levels, Reading, SampledRule, Tier
from schemas.state import PatientState
from schemas.telemetry import Telemetry


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    return (Tier("medium", limits.backup_delivery.hold, timedelta()),)


def _read(patient: PatientState, sample: Telemetry, _limits: Limits) -> Reading:
    if patient.course is None or patient.course.phase != "running":
        return Ended("delivery-ended")
    if sample.mode != "backup" and another_gives(patient, sample):
        return UNKNOWN
    return Levels((sample.mode == "backup",))


def _finding(_patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    hold_min = limits.backup_delivery.hold / timedelta(minutes=1)
    return Finding(
        summary=f"backup delivery for {hold_min:g} min, the dose is not known",
        reason="in-backup",
        value=hold_min,
        limit=hold_min,
        unit_of_measure="min",
        source=limits.sources["backup_delivery.hold"],
    )


RULE = SampledRule(
    "backup-delivery",
    "backup delivery",
    _tiers,
    _read,
    _finding,
    raised={
        "medium": "mode backup for {backup_delivery.hold}",
    },
    clears="another mode, or delivery ends",
)
