"""When a sample says something about the gas that the patient gets, and when it does not.

Calibration, purging, backup delivery, invalid readings and, where the reading is compared with the
dose, the time in which a new dose settles say nothing. A second device that is being prepared says
nothing about what the first one gives.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import SUSPENDED, UNKNOWN, Ended, Silent
from schemas.state import CourseState, DeviceState, PatientState
from schemas.telemetry import Telemetry


def silence_of(patient: PatientState, sample: Telemetry) -> Ended | Silent | None:
    """Why the sample says nothing of the gas delivered; ``None`` when it does say something."""
    course = patient.course
    if course is None or course.phase != "running":
        return Ended("delivery-ended")
    suspended = sample.mode in ("calibrating", "purging", "backup")
    if suspended or sample.validity in ("invalid", "calibrating"):
        return UNKNOWN if another_gives(patient, sample) else SUSPENDED
    return None if sample.mode == "delivering" else UNKNOWN


def reading_of(patient: PatientState, sample: Telemetry, limits: Limits) -> float | Ended | Silent:
    """The measured ppm where it can be compared with the dose, valid and settled; or why not."""
    silence = silence_of(patient, sample)
    if silence is not None:
        return silence
    if patient.course is not None and _settles(patient.course, sample, limits):
        return SUSPENDED
    if sample.no_ppm is None or sample.validity == "questionable":
        return UNKNOWN
    return sample.no_ppm


def _settles(course: CourseState, sample: Telemetry, limits: Limits) -> bool:
    since = course.dose_since
    return since is not None and sample.time - since < limits.course.settling


def another_gives(patient: PatientState, sample: Telemetry) -> bool:
    """Whether another device than the sample's delivers to the patient."""
    return any(
        device.active and device.mode == "delivering" and device.name != sample.device
        for device in patient.devices.values()
    )


def in_charge(patient: PatientState) -> list[DeviceState]:
    """The devices that give; where none does, the one that gave or spoke last."""
    giving = [device for device in patient.devices.values() if device.active]
    last = patient.devices.get(patient.device)
    return giving or ([] if last is None else [last])


def set_ppm_of(patient: PatientState, sample: Telemetry) -> float | None:
    """The dose that the sample's own device is set to."""
    device = patient.devices.get(sample.device)
    return device.set_ppm if device is not None else None


def ordered_ppm(patient: PatientState, at: datetime) -> float:
    """The dose that an order in force at ``at`` allows; 0 when there is none."""
    order = patient.context.dose_order
    return order.max_set_ppm if order is not None and at < order.until else 0.0
