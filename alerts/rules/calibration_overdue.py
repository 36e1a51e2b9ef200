"""The device has delivered for more than a day since it was last calibrated.

The label names failure to calibrate as a cause of wrong doses; common devices ask for it daily.
Only devices that ever reported a calibration at this patient are held to it.
"""

from datetime import datetime

from alerts.gas import in_charge
from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import PatientState


def _watch(patient: PatientState, _limits: Limits) -> Watch:
    if patient.course is None:
        return Quiet("course-ended")
    due = min(
        (device.calibration_due for device in in_charge(patient) if device.calibration_due),
        default=None,
    )
    if due is None:
        elsewhere = any(device.calibration_due for device in patient.devices.values())
        return Quiet("delivery-ended" if elsewhere else "calibrated")
    return Armed((Stage("info", max(due, patient.course.start)),), otherwise="calibrated")


def _finding(_patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    limit_h = limits.calibration_overdue.after.total_seconds() / 3600
    return Finding(
        summary=f"the device has delivered for more than {limit_h:g} h since its last calibration",
        reason="uncalibrated",
        value=limit_h,
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources["calibration_overdue.after"],
    )


RULE = DeadlineRule(
    "calibration-overdue",
    "calibration overdue",
    _watch,
    _finding,
    moves_with="samples",
    raised={
        "info": "delivery for more than {calibration_overdue.after} since the device's last sample"
        " in mode calibrating; only for devices that ever sent one",
    },
    clears="the device calibrates, or the course ends",
)
