"""The therapy of one patient moves on: samples, results, context and acts change the state.

Applies facts and judges nothing: the rules look at what stands here afterwards. Time is what the
records say; the only clock is the one handed in. The states it changes are ``schemas.state``.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.methb import first_check
from alerts.rules import course_over_14_days
from schemas.action import Action
from schemas.course import Course, Flags
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.state import CourseState, DeviceState, LabState, PatientState
from schemas.telemetry import Telemetry
from streams.course_machine import TABLE, Phase, Signal

MAX_KEPT = 64
"""Results, and plans to stop, that are kept a patient: weeks of checks, a few kilobytes."""


def is_news(patient: PatientState, sample: Telemetry) -> bool:
    """Whether a sample is to be judged: real, not a repeat, not older than the newest judged.

    A late sample is counted and moves no state back.
    """
    if sample.generation != "real":
        return False
    device = patient.devices.get(sample.device)
    if device is None or sample.time > device.time:
        return True
    if sample.time < device.time:
        patient.late_samples += 1
        return False
    return sample.seq not in device.seqs


def take_sample(
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> None:
    """Apply a sample that is news and arrives at ``clock``."""
    before = patient.devices.get(sample.device)
    was_active = before is not None and before.active
    device = _device_after(patient, sample, before)
    # A device that sends what it had stored is not silent, however old its samples are.
    stale = clock is not None and clock - sample.time >= limits.telemetry_lost.low
    device.heard = clock if stale and clock is not None else sample.time
    signal = _signal(patient, sample, device, was_active=was_active, limits=limits)
    course = patient.course
    gap = None if course is None else _count(patient, course, sample.time, signal, limits)
    _follow(patient, sample, signal, gap, limits)
    if patient.course is not None:
        _note_dose(patient, patient.course, sample.time, limits)
        _note_over(patient, patient.course, limits)
    patient.unit, patient.bed = sample.unit, sample.bed
    if device.active or patient.device == "?":
        patient.device = sample.device
    patient.sample_time = sample.time
    patient.no_ppm, patient.no2_ppm = sample.no_ppm, sample.no2_ppm
    patient.fio2_pct, patient.spo2_pct = sample.fio2_pct, sample.spo2_pct


def _device_after(
    patient: PatientState, sample: Telemetry, before: DeviceState | None
) -> DeviceState:
    """The device's own state after the sample; a missing dose leaves the last one standing."""
    device = before or DeviceState(sample.device, sample.time, sample.time, [], sample.mode)
    if before is not None and sample.time > device.time:
        device.seqs = []
    device.time, device.mode = sample.time, sample.mode
    device.seqs.append(sample.seq)
    if sample.set_ppm is not None:
        device.set_ppm = sample.set_ppm
    if sample.mode == "backup":
        device.active = True
    elif sample.mode == "delivering":
        # Delivering at a dose that was never told is delivering; delivering at 0 is an end.
        device.active = device.set_ppm is None or device.set_ppm > 0
    elif sample.mode in ("off", "standby"):
        device.active = False
    patient.devices[sample.device] = device
    return device


def _signal(
    patient: PatientState,
    sample: Telemetry,
    device: DeviceState,
    *,
    was_active: bool,
    limits: Limits,
) -> Signal:
    """What the sample says of the patient's delivery, all devices seen together."""
    if sample.mode in ("calibrating", "purging"):
        return "keep"
    if device.active:
        for other in patient.devices.values():
            silent = sample.time - other.time
            if other is not device and other.active and silent > limits.telemetry_lost.low:
                # It was handed over without a word: this device has the patient now.
                other.active, other.mode = False, "off"
        return "deliver"
    elsewhere = any(
        other.active and sample.time - other.time <= limits.telemetry_lost.low
        for other in patient.devices.values()
    )
    if elsewhere:
        return "keep"
    still_ended = patient.course is not None and patient.course.phase == "paused"
    return "end" if was_active or still_ended else "keep"


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
        course.blind += gap or timedelta()
    course.counted_to = max(at, course.counted_to)
    course.counting = any(
        device.active and device.mode in ("delivering", "backup")
        for device in patient.devices.values()
    )
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
        _resume(course)
    elif after == "paused" and phase == "running":
        _pause(course, sample.time, gap, limits)
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
        _resume(before)
        return
    has_dose = sample.mode == "delivering" and bool(sample.set_ppm)
    if not has_dose or sample.validity != "valid":
        return
    if patient.closed is not None and sample.time <= patient.closed:
        return
    patient.lapsed = None
    patient.course = CourseState(start=sample.time, counted_to=sample.time, counting=True)


def _resume(course: CourseState) -> None:
    """Delivery is back within the interruption that is allowed: the course goes on."""
    course.phase, course.ended = "running", None
    course.stop_since = course.stop_from_ppm = course.stop_gap = None


def _pause(course: CourseState, at: datetime, gap: timedelta | None, limits: Limits) -> None:
    """Delivery ended: note from which dose, and whether nobody could see it for a while."""
    held = course.dose_since is not None and (
        at - course.dose_since >= limits.abrupt_stop.dose_held
    )
    course.stop_from_ppm = course.dose_ppm if held or course.held_ppm is None else course.held_ppm
    course.phase, course.ended = "paused", at
    course.stop_since, course.stop_gap = at, gap


def _stay_paused(course: CourseState, sample: Telemetry, signal: Signal, limits: Limits) -> None:
    """Still ended. A suspended sample resets a hold that still runs; one that is over stays."""
    if signal == "end" and course.stop_since is None:
        course.stop_since = sample.time
    elif (
        sample.mode in ("calibrating", "purging")
        and course.stop_since is not None
        and sample.time < course.stop_since + limits.abrupt_stop.hold
    ):
        course.stop_since = None


def _note_dose(patient: PatientState, course: CourseState, at: datetime, limits: Limits) -> None:
    """The patient's dose is the highest that a delivering device is set to; never their sum."""
    doses = [
        device.set_ppm
        for device in patient.devices.values()
        if device.active and device.mode == "delivering" and device.set_ppm is not None
    ]
    if not doses or course.phase != "running" or max(doses) == course.dose_ppm:
        return
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


def take_lab(patient: PatientState, lab: Lab, at: datetime, limits: Limits) -> None:
    """Keep a methemoglobin result; an amendment replaces what stands under its id."""
    if lab.code != METHEMOGLOBIN:
        return
    known = patient.labs.get(lab.id)
    if known is not None and known.resulted and lab.resulted and lab.resulted < known.resulted:
        return
    course = patient.course
    had_check = course is not None and first_check(patient, course, limits) is not None
    patient.labs[lab.id] = LabState(lab.time, lab.resulted, lab.value_pct, lab.withdrawn)
    if course is not None and had_check and first_check(patient, course, limits) is None:
        course.methb_withdrawn = at
    while len(patient.labs) > MAX_KEPT:
        oldest = min(patient.labs, key=lambda key: patient.labs[key].time)
        del patient.labs[oldest]


def take_course(patient: PatientState, course: Course) -> None:
    """Fold the record into the context: the newest word on each field stands."""
    context = patient.context
    for name in (
        "born",
        "gestational_age",
        "indication",
        "payer",
        "profile",
        "oxygenation_index",
        "dose_order",
    ):
        value = getattr(course, name)
        if value is not None and _is_newest(context.said, name, course.time):
            setattr(context, name, value)
    if course.flags is not None:
        flags = {name: getattr(context.flags, name) for name in Flags.__struct_fields__}
        for name in Flags.__struct_fields__:
            value = getattr(course.flags, name)
            if value is not None and _is_newest(context.said, f"flags.{name}", course.time):
                flags[name] = value
        context.flags = Flags(**flags)
    if patient.sample_time is None or course.time > patient.sample_time:
        patient.unit, patient.bed = course.unit or patient.unit, course.bed or patient.bed


def _is_newest(said: dict[str, datetime], name: str, time: datetime) -> bool:
    if name in said and time < said[name]:
        return False
    said[name] = time
    return True


def take_action(patient: PatientState, action: Action) -> None:
    """Apply what a person did, as far as it changes the therapy."""
    course = patient.course
    if course is None:
        return
    match action.action:
        case "plan-stop":
            if action.time not in course.planned:
                course.planned = sorted([*course.planned, action.time])[-MAX_KEPT:]
        case "resume":
            course.unplanned = max(action.time, course.unplanned or action.time)
        case "review":
            over = patient.tracks.get(course_over_14_days.NAME)
            opened = over.open if over is not None else None
            meant = opened if action.rule == course_over_14_days.NAME else None
            if meant is not None and action.time >= meant.onset:
                patient.reviewed = action.time
