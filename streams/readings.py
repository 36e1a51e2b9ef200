"""What a device measures, remembered only as far as a rule asks: unchanged, emptying, improving.

Applies facts and judges nothing. Each function takes one sample into the state of its device or of
the course; a value that is missing leaves what stands.
"""

from datetime import timedelta

from alerts.limits import Limits, SupplyLowLimits
from schemas.state import ActiveAlarm, CourseState, DeviceState, Readings, Supply
from schemas.telemetry import Telemetry

_HOUR = timedelta(hours=1)
_SPO2, _BAR = 3, 4
_TOLD = ("high", "medium")


def readings_of(sample: Telemetry) -> Readings:
    """Return what the sample measured."""
    return (
        sample.no_ppm,
        sample.no2_ppm,
        sample.fio2_pct,
        sample.spo2_pct,
        sample.cylinder_bar,
    )


def note_readings(device: DeviceState, sample: Telemetry, limits: Limits) -> None:
    """Note since when nothing has changed, and the newest known value of each."""
    before, new = device.readings, readings_of(sample)
    device.readings = _known(before, new)
    if sample.mode != "delivering" or sample.validity in ("invalid", "calibrating"):
        hold_is_over = (
            device.same_since is not None
            and sample.time >= device.same_since + limits.reading_frozen.hold
        )
        device.same_since = device.same_since if hold_is_over else None
    elif sample.no_ppm is not None and (device.same_since is None or device.readings != before):
        device.same_since = sample.time


def _known(before: Readings, new: Readings) -> Readings:
    no, no2, fio2, spo2, bar = (
        old if value is None else value for old, value in zip(before, new, strict=True)
    )
    return no, no2, fio2, spo2, bar


def note_supply(device: DeviceState, sample: Telemetry, limits: Limits) -> None:
    """Note the pressure every few minutes and how fast it falls; before ``note_readings``."""
    bar, rule = sample.cylinder_bar, limits.supply_low
    if bar is None:
        return
    last = device.readings[_BAR]
    if last is not None and not -rule.drop_bar <= bar - last <= rule.rise_bar:
        device.supplies, device.fall_bar_h = [], 0.0
    if device.supplies and sample.time - device.supplies[-1].time < rule.step:
        return
    recent = [old for old in device.supplies if sample.time - old.time <= rule.window]
    device.supplies = [*recent, Supply(sample.time, bar)]
    device.fall_bar_h = _fall_bar_h(device.supplies, rule)


def _fall_bar_h(supplies: list[Supply], rule: SupplyLowLimits) -> float:
    """Fit a line through the pressures (least squares); 0 while too little is known."""
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
    return max(0.0, round(-common / spread, 6))


def note_alarms(device: DeviceState, sample: Telemetry) -> None:
    """Note since when each alarm of the device is active. A list is the whole of them."""
    if sample.alarms is None:
        if sample.mode == "off":
            device.alarms = []
        return
    since = {alarm.code: alarm.since for alarm in device.alarms}
    device.alarms = [
        ActiveAlarm(alarm.code, alarm.priority, since.get(alarm.code, sample.time))
        for alarm in sample.alarms
        if alarm.active and alarm.priority in _TOLD
    ]


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
    """Note the first known saturation and need of oxygen, and when either became better."""
    rule, spo2, fio2 = limits.no_response_72h, sample.spo2_pct, sample.fio2_pct
    if course.improved is not None or sample.validity in ("invalid", "questionable"):
        return
    if course.spo2_first_pct is None:
        course.spo2_first_pct = spo2
    elif spo2 is not None and spo2 >= course.spo2_first_pct + rule.spo2_points:
        course.improved = sample.time
    if course.fio2_first_pct is None:
        course.fio2_first_pct = fio2
    elif fio2 is not None and fio2 <= course.fio2_first_pct - rule.fio2_points:
        course.improved = sample.time


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
