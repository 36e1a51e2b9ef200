"""What a device measures, remembered only as far as a rule asks: unchanged, emptying, improving.

Applies facts and judges nothing. Each function takes one sample into the state of its device or of
the course; a value that is missing leaves what stands.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from alerts.limits import Limits, SupplyLowLimits
from schemas.state import ActiveAlarm, CourseState, DeviceState, Readings, Supply
from schemas.telemetry import DeviceAlarm, Telemetry

_HOUR = timedelta(hours=1)
_SPO2, _BAR = 3, 4
_TOLD = ("high", "medium")
_NOT_MEASURED = ("invalid", "calibrating")
_FIRST = 3
"""The first values of a course are the median of so many: one of them may be an artefact."""


def readings_of(sample: Telemetry) -> Readings:
    """Return what the sample measured."""
    return (
        sample.no_ppm,
        sample.no2_ppm,
        sample.fio2_pct,
        sample.spo2_pct,
        sample.cylinder_bar,
    )


def note_readings(
    device: DeviceState, sample: Telemetry, limits: Limits, *, after_gap: bool
) -> None:
    """Note since when nothing has changed, and the newest known value of each.

    A suspended sample begins the time anew where it still runs; what it reads is not compared.
    """
    before = device.readings
    if sample.mode != "delivering" or sample.validity in _NOT_MEASURED:
        hold_is_over = (
            device.same_since is not None
            and sample.time >= device.same_since + limits.reading_frozen.hold
        )
        device.same_since = device.same_since if hold_is_over else None
        if sample.cylinder_bar is not None and sample.validity not in _NOT_MEASURED:
            no, no2, fio2, spo2, _ = before
            device.readings = (no, no2, fio2, spo2, sample.cylinder_bar)
        return
    device.readings = _known(before, readings_of(sample))
    first = device.same_since is None or after_gap
    if sample.no_ppm is not None and (first or device.readings != before):
        device.same_since = sample.time


def _known(before: Readings, new: Readings) -> Readings:
    no, no2, fio2, spo2, bar = (
        old if value is None else value for old, value in zip(before, new, strict=True)
    )
    return no, no2, fio2, spo2, bar


def note_supply(device: DeviceState, sample: Telemetry, limits: Limits) -> None:
    """Note the pressure every few minutes and how fast it falls; before ``note_readings``."""
    bar, rule = sample.cylinder_bar, limits.supply_low
    if bar is None or sample.validity in _NOT_MEASURED:
        return
    last = device.readings[_BAR]
    if last is not None and not -rule.drop_bar <= bar - last <= rule.rise_bar:
        device.supplies, device.fall_bar_h = (), 0.0
    if device.supplies and sample.time - device.supplies[-1].time < rule.step:
        return
    recent = [old for old in device.supplies if sample.time - old.time <= rule.window]
    device.supplies = (*recent, Supply(sample.time, bar))
    device.fall_bar_h = _fall_bar_h(device.supplies, rule)


def _fall_bar_h(supplies: tuple[Supply, ...], rule: SupplyLowLimits) -> float:
    """Fit a line through the pressures (least squares); 0 while too little is known.

    A leak that has just begun shows in the last two stretches, which then both fall faster.
    """
    first = supplies[0].time
    if supplies[-1].time - first < rule.least:
        return 0.0
    hours = [(supply.time - first) / _HOUR for supply in supplies]
    mean_h = sum(hours) / len(hours)
    mean_bar = sum(supply.bar for supply in supplies) / len(supplies)
    spread = sum((hour - mean_h) ** 2 for hour in hours)
    common = sum(
        (hour - mean_h) * (supply.bar - mean_bar)
        for hour, supply in zip(hours, supplies, strict=True)
    )
    last = min(
        (before.bar - after.bar) / ((after.time - before.time) / _HOUR)
        for before, after in pairwise(supplies[-3:])
    )
    return max(0.0, round(-common / spread, 6), round(last, 6))


def note_alarms(device: DeviceState, sample: Telemetry) -> None:
    """Note since when each alarm of the device is active. A list is the whole of them."""
    if sample.alarms is None:
        if sample.mode == "off":
            device.alarms = ()
        return
    before = {alarm.code: alarm for alarm in device.alarms}
    device.alarms = tuple(
        _active(alarm, before.get(alarm.code), sample.time)
        for alarm in sample.alarms
        if alarm.active and alarm.priority in _TOLD
    )


def _active(alarm: DeviceAlarm, before: ActiveAlarm | None, at: datetime) -> ActiveAlarm:
    since = at if before is None else before.since
    high_since = before.high_since if before is not None else None
    return ActiveAlarm(
        alarm.code, alarm.priority, since, (high_since or at) if alarm.priority == "high" else None
    )


def note_calibration(
    device: DeviceState, sample: Telemetry, delivered: timedelta, limits: Limits
) -> None:
    """Add ``delivered`` to the time since the last calibration, or begin anew with this one."""
    if sample.mode == "calibrating":
        device.uncalibrated, device.calibration_due = timedelta(), None
    elif device.uncalibrated is not None:
        device.uncalibrated += delivered
        beyond = device.uncalibrated - limits.calibration_overdue.after
        if device.calibration_due is None and beyond > timedelta():
            device.calibration_due = sample.time - beyond


def note_response(course: CourseState, sample: Telemetry, limits: Limits) -> None:
    """Note the first saturations and needs of oxygen, and since when they are better for good."""
    if course.improved is not None or sample.validity in (*_NOT_MEASURED, "questionable"):
        return
    spo2, fio2 = sample.spo2_pct, sample.fio2_pct
    if spo2 is not None and len(course.spo2_first_pct) < _FIRST:
        course.spo2_first_pct = (*course.spo2_first_pct, spo2)
    if fio2 is not None and len(course.fio2_first_pct) < _FIRST:
        course.fio2_first_pct = (*course.fio2_first_pct, fio2)
    if spo2 is None and fio2 is None:
        return
    if not _is_better(course, spo2, fio2, limits):
        course.better_since = None
        return
    course.better_since = course.better_since or sample.time
    if sample.time - course.better_since >= limits.no_response_72h.hold:
        course.improved = sample.time


def first_of(values: tuple[float, ...]) -> float | None:
    """Return the median of the first values; ``None`` while there are too few."""
    return sorted(values)[_FIRST // 2] if len(values) == _FIRST else None


def _is_better(course: CourseState, spo2: float | None, fio2: float | None, limits: Limits) -> bool:
    """Whether one of them is better by enough, and the other not worse by as much."""
    rule = limits.no_response_72h
    spo2_first, fio2_first = first_of(course.spo2_first_pct), first_of(course.fio2_first_pct)
    rise = spo2 - spo2_first if spo2 is not None and spo2_first is not None else 0.0
    fall = fio2_first - fio2 if fio2 is not None and fio2_first is not None else 0.0
    if rise >= rule.spo2_points:
        return fall > -rule.fio2_points
    return fall >= rule.fio2_points and rise > -rule.spo2_points


def note_lowered(
    course: CourseState, device: DeviceState, sample: Telemetry, limits: Limits
) -> None:
    """Delivery is lowered or stops with this sample: note when, and the saturation before it.

    Of two changes within the time in which a rebound is looked for, the higher one counts.
    """
    before, earlier = device.readings[_SPO2], course.spo2_before_pct
    window = limits.rebound_suspected.window
    recent = course.lowered is not None and sample.time - course.lowered <= window
    if recent and before is not None and earlier is not None:
        before = max(before, earlier)
    course.lowered, course.spo2_before_pct = sample.time, before
