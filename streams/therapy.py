"""The course of one patient moves on with its samples.

Applies facts and judges nothing: the rules look at what stands here afterwards. Time is what the
records say; the only clock is the one handed in. ``streams.course_machine`` has the table.
"""

from datetime import datetime, timedelta

from alerts.eligibility import note_asked
from alerts.limits import Limits
from alerts.methb import note_checks
from schemas.state import CourseState, DeviceState, PatientState
from schemas.telemetry import Telemetry
from streams.course_machine import TABLE, Phase, Signal
from streams.devices import device_after, gives, leading, note_arrival, signal_of
from streams.readings import (
    note_alarms,
    note_calibration,
    note_lowered,
    note_readings,
    note_response,
    note_supply,
)
from streams.weaning import note_step


def take_sample(
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> None:
    """Apply a sample that is news and arrives at ``clock``."""
    before = patient.devices.get(sample.device)
    was_active = before is not None and before.active
    since = before.time if before is not None and gives(before) else None
    device = device_after(patient, sample, before)
    note_arrival(patient, device, clock, limits)
    signal = signal_of(patient, sample, device, was_active=was_active, limits=limits)
    course = patient.course
    gap = None if course is None else _count(patient, course, sample.time, signal, limits)
    passed = sample.time - since if course is not None and since is not None else timedelta()
    silent = passed > limits.telemetry_lost.low and signal != "deliver"
    _follow(patient, sample, signal, gap, limits)
    note_supply(device, sample, limits)
    note_calibration(device, sample, timedelta() if silent else passed, limits)
    note_alarms(device, sample)
    if patient.course is not None:
        _note_dose(patient, patient.course, device, sample, limits)
        note_response(patient.course, sample, limits)
        _note_over(patient, patient.course, limits)
        note_checks(patient, patient.course, sample.time, limits)
        if device.active:
            patient.course.heard = max(device.heard, patient.course.heard or device.heard)
    note_readings(device, sample, limits, after_gap=gap is not None)
    patient.unit, patient.bed = sample.unit, sample.bed
    patient.device = leading(patient, device)
    patient.sample_time = sample.time
    patient.no_ppm, patient.no2_ppm = sample.no_ppm, sample.no2_ppm
    patient.fio2_pct, patient.spo2_pct = sample.fio2_pct, sample.spo2_pct


def _count(
    patient: PatientState, course: CourseState, at: datetime, signal: Signal, limits: Limits
) -> timedelta | None:
    """Add up delivered time to ``at``; return how long nothing was heard, if too long.

    A gap counts as delivered when delivery stands on both its sides.
    """
    passed = at - course.counted_to
    gap = passed if passed > limits.telemetry_lost.low else None
    if course.counting and passed > timedelta():
        if gap is None or signal == "deliver":
            course.delivered += passed
        if gap is not None:
            course.blind += gap
    course.counted_to = max(at, course.counted_to)
    course.counting = any(map(gives, patient.devices.values()))
    return gap


def _follow(
    patient: PatientState,
    sample: Telemetry,
    signal: Signal,
    gap: timedelta | None,
    limits: Limits,
) -> None:
    """Move the course as its table says."""
    course = patient.course
    phase: Phase = course.phase if course else "none"
    after = TABLE[phase, signal]
    if course is None:
        if after == "running":
            _begin(patient, sample, limits)
        return
    if after == "running" and phase == "paused":
        _resume(course, sample.time)
    elif after == "paused" and phase == "running":
        _pause(course, sample, gap, limits)
        note_lowered(course, patient.devices[sample.device], sample, limits)
    elif after == "paused":
        _stay_paused(course, sample, signal, limits)


def _begin(patient: PatientState, sample: Telemetry, limits: Limits) -> None:
    """A course begins with the first valid delivering sample with a dose, or goes on.

    It goes on when the one before ended by itself while samples were still under way that show
    that the interruption was shorter than it had seemed.
    """
    before = patient.lapsed
    ended = before.ended if before is not None else None
    if before and ended and sample.time - ended <= limits.course.interruption:
        patient.course, patient.lapsed = before, None
        patient.earlier -= before.delivered
        before.counted_to, before.counting = sample.time, True
        before.reopened = max(sample.time, ended + limits.course.interruption)
        _resume(before, sample.time)
        note_asked(patient, before, sample.time)
        return
    has_dose = sample.mode == "delivering" and bool(sample.set_ppm)
    if not has_dose or sample.validity not in (None, "valid"):
        return
    # The last samples of a course may overtake the act that closes it.
    if patient.closed and sample.time <= patient.closed + limits.course.either_order:
        return
    patient.lapsed = None
    at = sample.time
    patient.course = CourseState(start=at, running_since=at, counted_to=at, counting=True)
    note_asked(patient, patient.course, at)


def _resume(course: CourseState, at: datetime) -> None:
    """Delivery is back within the interruption that is allowed: the course goes on."""
    course.phase, course.ended, course.dose_since = "running", None, at
    course.running_since = at
    course.stop_since = course.stop_from_ppm = course.stop_gap = None


def _pause(course: CourseState, sample: Telemetry, gap: timedelta | None, limits: Limits) -> None:
    """Delivery ended: note from which dose, and whether nobody could see it for a while."""
    at = sample.time
    held = course.dose_since is not None and (
        at - course.dose_since >= limits.abrupt_stop.dose_held
    )
    if held or course.held_ppm is None:
        course.held_ppm = course.dose_ppm
    course.stop_from_ppm, course.stop_device = course.held_ppm, sample.device
    course.phase, course.ended = "paused", at
    course.stop_since, course.stop_gap = at, gap


def _stay_paused(course: CourseState, sample: Telemetry, signal: Signal, limits: Limits) -> None:
    """Still ended. A suspended sample resets a hold that still runs; one that is over stays."""
    if signal == "end" and course.stop_since is None:
        course.stop_since = sample.time
    elif (
        sample.mode in ("calibrating", "purging")
        and sample.device == course.stop_device
        and course.stop_since is not None
        and sample.time < course.stop_since + limits.abrupt_stop.hold
    ):
        course.stop_since = None


def _note_dose(
    patient: PatientState,
    course: CourseState,
    device: DeviceState,
    sample: Telemetry,
    limits: Limits,
) -> None:
    """The patient's dose is the highest that a delivering device is set to; never their sum."""
    at = sample.time
    doses = [
        other.set_ppm
        for other in patient.devices.values()
        if other.active and other.mode == "delivering" and other.set_ppm is not None
    ]
    if not doses or course.phase != "running" or max(doses) == course.dose_ppm:
        return
    note_step(course, max(doses), at, limits)
    if course.dose_ppm is not None and max(doses) < course.dose_ppm:
        note_lowered(course, device, sample, limits)
    if course.dose_since is not None and at - course.dose_since >= limits.abrupt_stop.dose_held:
        course.held_ppm = course.dose_ppm
    course.dose_ppm, course.dose_since = max(doses), at


def _note_over(patient: PatientState, course: CourseState, limits: Limits) -> None:
    """Remember the very moment at which delivered hours went past the limit."""
    beyond = patient.earlier + course.delivered - limits.course_14_days.over
    if course.over_since is None and beyond > timedelta():
        course.over_since = max(course.start, course.counted_to - beyond)


def end_course(patient: PatientState, *, closed: datetime | None) -> None:
    """The course is over: by a person at ``closed``, or by itself."""
    course = patient.course
    if course is None:
        return
    patient.earlier += course.delivered
    patient.course = None
    patient.lapsed = course if closed is None else None
    patient.closed = closed if closed is not None else patient.closed
