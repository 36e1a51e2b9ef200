"""The common sample: one device delivers the same dose as before, and nothing is running.

Nearly every sample of a ward is such a one, so it is worth a path of its own: it moves the times
and the delivered hours on and leaves the rules unasked, because they would say what they said
before.
``is_steady`` marks the state after a sample was judged in full; ``take_steady`` takes the next one
if it is alike. That both paths give the same transitions is held by a property test.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.rules import SAMPLED, reading_frozen, rebound_suspected, supply_low, telemetry_lost
from alerts.rules.measured_dose_high import most_ppm
from alerts.rules.under_delivery import least_ppm
from schemas.decode import FOREVER
from schemas.state import Band, PatientState
from schemas.telemetry import Telemetry
from streams.readings import first_of, note_response, note_supply

_CLEARED_BY_SAMPLES = (telemetry_lost.NAME, reading_frozen.NAME)
_ALWAYS, _NEVER = -1.0, 1e9
"""Bounds that every reading is above, or below."""
_JUST = 1e-6
"""Sums of decimal fractions are off by less: what is on a bound is looked at, not passed by."""
_NO_LAG = timedelta()


def is_steady(patient: PatientState, at: datetime) -> bool:
    """Whether the next like sample could be taken without asking the rules."""
    course = patient.course
    if course is None or course.phase != "running" or not course.counting:
        return False
    device = next(iter(patient.devices.values()))
    if len(patient.devices) != 1 or not device.active or device.alarms:
        return False
    order = patient.context.dose_order
    if order is not None and at < order.until:
        return False
    for rule in _CLEARED_BY_SAMPLES:
        track = patient.tracks.get(rule)
        if track is not None and track.open is not None:
            return False
    return not any(
        state.active or state.due is not None
        for rule in SAMPLED
        if (track := patient.tracks.get(rule.name)) is not None
        for state in track.tiers
    )


def steady_until(patient: PatientState, limits: Limits) -> datetime | None:
    """The time from which on the next sample has to be judged in full; ``None``: at once."""
    course, device = patient.course, patient.devices.get(patient.device)
    if course is None or device is None:
        return None
    times = [patient.quiet_until or FOREVER]
    if course.over_since is None:
        left = limits.course_14_days.over - patient.earlier - course.delivered
        times.append(course.counted_to + left)
    if device.uncalibrated is not None and device.calibration_due is None:
        left = limits.calibration_overdue.after - device.uncalibrated
        times.append(course.counted_to + left)
    return min(times)


def put_off(patient: PatientState, clock: datetime, limits: Limits) -> bool:
    """Whether nothing is due by ``clock``, as steady samples have put silence off until later."""
    heard = patient.course.heard if patient.course is not None else None
    if heard is None:
        return False
    bound = min(heard + limits.telemetry_lost.low, patient.quiet_until or FOREVER)
    if clock >= bound:
        return False
    patient.next_due = bound
    return True


def steady_band(patient: PatientState, limits: Limits) -> Band | None:
    """The readings about which the rules have nothing to say; ``None``: they always have."""
    course, device = patient.course, patient.devices.get(patient.device)
    dose = course.dose_ppm if course is not None else None
    if course is None or device is None or dose is None or patient.sample_time is None:
        return None
    judged = dose >= limits.measured_dose.least_set_ppm
    looked_for = rebound_suspected.is_looked_for(course, patient.sample_time, limits)
    better = limits.no_response_72h
    open_question = course.improved is None
    spo2, fio2 = first_of(course.spo2_first_pct), first_of(course.fio2_first_pct)
    return Band(
        no_from_ppm=least_ppm(dose, limits) if judged else 0.0,
        no_to_ppm=most_ppm(min(dose, limits.set_dose_high.limit_ppm), limits),
        no2_ppm=limits.no2_high.low_ppm,
        bar=supply_low.most_bar(device, limits),
        spo2_from_pct=rebound_suspected.least_pct(course, limits) if looked_for else _ALWAYS,
        spo2_to_pct=_better(spo2, better.spo2_points - _JUST, _ALWAYS) if open_question else _NEVER,
        fio2_pct=_better(fio2, _JUST - better.fio2_points, _NEVER) if open_question else _ALWAYS,
    )


def _better(first: float | None, points: float, unknown: float) -> float:
    """The value that would be an improvement; any, while there is none to compare it with."""
    return unknown if first is None else first + points


def take_steady(  # noqa: C901, PLR0911, PLR0912 - written out: it runs for nearly every sample
    patient: PatientState, sample: Telemetry, clock: datetime | None, limits: Limits
) -> bool:
    """Take the sample if it is like the one before; ``False`` leaves everything as it was."""
    device, course, band = patient.devices.get(sample.device), patient.course, patient.band
    until, time = patient.steady_until, sample.time
    if device is None or course is None or band is None or until is None:
        return False
    if (
        time >= until
        or time <= device.time
        or sample.set_ppm != device.set_ppm
        or sample.mode != "delivering"
        or device.mode != "delivering"
        or sample.validity != "valid"
        or sample.generation != "real"
        or sample.bed != patient.bed
        or sample.unit != patient.unit
        or sample.alarms
    ):
        return False
    lost = limits.telemetry_lost.low
    # In a replay the clock is the sample's own time.
    if clock is not time and clock is not None and clock - time >= lost:
        return False
    passed = time - course.counted_to
    if passed >= lost:
        return False
    before = device.readings
    no, no2, fio2, spo2, bar = before
    if sample.no_ppm is not None:
        no = sample.no_ppm
        if not band.no_from_ppm <= no <= band.no_to_ppm or device.same_since is None:
            return False
    if sample.no2_ppm is not None:
        no2 = sample.no2_ppm
        if no2 >= band.no2_ppm:
            return False
    if sample.fio2_pct is not None:
        fio2 = sample.fio2_pct
    if sample.spo2_pct is not None:
        spo2 = sample.spo2_pct
        if spo2 < band.spo2_from_pct:
            return False
    if sample.cylinder_bar is not None:
        last, bar = bar, sample.cylinder_bar
        rule = limits.supply_low
        if last is None or not -rule.drop_bar <= bar - last <= rule.rise_bar:
            return False
        if not device.supplies or time - device.supplies[-1].time >= rule.step:
            # Noted once; should it matter now, the rules are asked and find it noted.
            note_supply(device, sample, limits)
            band.bar = supply_low.most_bar(device, limits)
        if bar <= band.bar:
            return False
    if course.improved is None and (
        course.better_since is not None
        or (sample.spo2_pct is not None and sample.spo2_pct >= band.spo2_to_pct)
        or (sample.fio2_pct is not None and sample.fio2_pct <= band.fio2_pct)
    ):
        # Noted once as well; the rules are asked when the question is answered.
        note_response(course, sample, limits)
        if course.improved is not None:
            return False
    readings = (no, no2, fio2, spo2, bar)
    if sample.no_ppm is not None and readings != before:
        device.same_since = time
    device.readings = readings
    course.delivered += passed
    course.counted_to = time
    if device.uncalibrated is not None:
        device.uncalibrated += passed
    device.time = device.heard = device.gave = time
    if course.heard is None or course.heard < time:
        course.heard = time
    device.seqs = [sample.seq]
    patient.lag = clock - time if clock is not None and clock > time else _NO_LAG
    patient.sample_time, patient.no_ppm, patient.no2_ppm = time, sample.no_ppm, sample.no2_ppm
    patient.fio2_pct, patient.spo2_pct = sample.fio2_pct, sample.spo2_pct
    return True
