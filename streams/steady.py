"""The common sample: one device delivers the same dose as before, and nothing is running.

Nearly every sample of a ward is such a one, so it is worth a path of its own: it moves the times
and the delivered hours on and leaves the rules unasked, because they would say what they said
before.
``is_steady`` marks the state after a sample was judged in full; ``take_steady`` takes the next one
if it is alike. That both paths give the same transitions is held by a property test.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rules import SAMPLED
from alerts.rules.measured_dose_high import most_ppm
from alerts.rules.under_delivery import least_ppm
from schemas.state import PatientState
from schemas.telemetry import Telemetry

NO_BAND = (1.0, 0.0, 0.0)
"""No reading lies in it."""


def is_steady(patient: PatientState, at: datetime) -> bool:
    """Whether the next like sample could be taken without asking the rules."""
    course = patient.course
    if course is None or course.phase != "running" or not course.counting:
        return False
    if len(patient.devices) != 1 or not next(iter(patient.devices.values())).active:
        return False
    order = patient.context.dose_order
    if order is not None and at < order.until:
        return False
    lost = patient.tracks.get("telemetry-lost")
    if lost is not None and lost.open is not None:
        return False
    return not any(
        state.active or state.due is not None
        for rule in SAMPLED
        if (track := patient.tracks.get(rule.name)) is not None
        for state in track.tiers
    )


def steady_band(patient: PatientState, limits: Limits) -> tuple[float, float, float]:
    """The readings between which the rules on the gas say nothing: NO from, NO to, NO2 below."""
    course = patient.course
    dose = course.dose_ppm if course is not None else None
    if dose is None:
        return NO_BAND
    judged = dose >= limits.measured_dose.least_set_ppm
    least = least_ppm(dose, limits) if judged else 0.0
    most = most_ppm(min(dose, limits.set_dose_high.limit_ppm), limits)
    return (least, most, limits.no2_high.low_ppm)


def take_steady(
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> bool:
    """Take the sample if it is like the one before; ``False`` leaves everything as it was."""
    device, course, next_due = patient.devices.get(sample.device), patient.course, patient.next_due
    if device is None or course is None or next_due is None:
        return False
    time = sample.time
    if (
        sample.set_ppm != device.set_ppm
        or sample.mode != "delivering"
        or device.mode != "delivering"
        or time <= device.time
        or time >= next_due
        or sample.validity != "valid"
        or sample.generation != "real"
        or sample.bed != patient.bed
        or sample.unit != patient.unit
    ):
        return False
    low, high, no2 = patient.band
    if (sample.no_ppm is not None and not low <= sample.no_ppm <= high) or (
        sample.no2_ppm is not None and sample.no2_ppm >= no2
    ):
        return False
    if clock is not None and clock - time >= limits.telemetry_lost.low:
        return False
    passed = time - course.counted_to
    delivered = course.delivered + passed
    if passed > limits.telemetry_lost.low or (
        course.over_since is None and patient.earlier + delivered > limits.course_14_days.over
    ):
        return False
    course.delivered, course.counted_to = delivered, time
    device.time = device.heard = device.gave = time
    course.heard = max(time, course.heard or time)
    device.seqs = [sample.seq]
    patient.sample_time, patient.no_ppm, patient.no2_ppm = time, sample.no_ppm, sample.no2_ppm
    patient.fio2_pct, patient.spo2_pct = sample.fio2_pct, sample.spo2_pct
    return True
