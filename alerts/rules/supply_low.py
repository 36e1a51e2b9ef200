"""The cylinder is nearly empty, or will be soon if it goes on falling as it does.

Recalled devices did not notice an empty cylinder (2010) or showed gas in one (2017), so the
pressure is watched here too: its value, and how long it lasts at the fall of the last minutes.
"""

from datetime import datetime, timedelta

from alerts.gas import in_charge
from alerts.limits import Limits
from alerts.rule import SUSPENDED, UNKNOWN, Ended, Finding, Levels, Reading, SampledRule, Tier
from schemas.state import DeviceState, PatientState
from schemas.telemetry import Telemetry

_HOUR = timedelta(hours=1)


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    clear_hold = limits.supply_low.clear_hold
    return (Tier("medium", timedelta(), clear_hold), Tier("high", timedelta(), clear_hold))


def most_bar(device: DeviceState, limits: Limits) -> float:
    """The pressure from which on, and below, the rule may have something to say."""
    rule = limits.supply_low
    return max(rule.low_bar, device.fall_bar_h * (rule.low / _HOUR))


def _bar(device: DeviceState) -> float | None:
    return device.readings[-1]


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    if patient.course is None:
        return Ended("course-ended")
    devices = in_charge(patient)
    if all(device.name != sample.device for device in devices):
        return UNKNOWN
    if sample.validity in ("invalid", "calibrating"):
        return SUSPENDED
    if sample.cylinder_bar is None and _bar(patient.devices[sample.device]) is not None:
        return UNKNOWN
    rule = limits.supply_low
    return Levels(
        (
            any(_is_low(device, rule.low_bar, rule.low) for device in devices),
            any(_is_low(device, rule.high_bar, rule.high) for device in devices),
        )
    )


def _is_low(device: DeviceState, limit_bar: float, limit: timedelta) -> bool:
    bar = _bar(device)
    if bar is None:
        return False
    return bar <= limit_bar or bar < device.fall_bar_h * (limit / _HOUR)


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    rule = limits.supply_low
    known = [device for device in in_charge(patient) if _bar(device) is not None]
    device = min(known, key=lambda device: _bar(device) or 0.0, default=None)
    bar, fall = (_bar(device), device.fall_bar_h) if device is not None else (None, 0.0)
    left = f", empty in about {bar / fall * 60:.0f} min at the present fall" if bar and fall else ""
    return Finding(
        summary=(
            f"cylinder at {'?' if bar is None else f'{bar:g}'} bar{left};"
            f" limit {rule.low_bar:g} bar or {rule.low / _HOUR * 60:g} min"
        ),
        reason="running-out",
        value=bar,
        limit=rule.low_bar,
        unit_of_measure="bar",
        source=limits.sources["supply_low.low_bar"],
    )


RULE = SampledRule(
    "supply-low",
    "gas supply low",
    _tiers,
    _read,
    _finding,
    raised={
        "medium": "the cylinder is at {supply_low.low_bar} or below, or empty in less than"
        " {supply_low.low} if it goes on falling as in the last {supply_low.window} (of which"
        " {supply_low.least} must be known, a pressure every {supply_low.step}; a rise by more than"
        " {supply_low.rise_bar} or a drop by more than {supply_low.drop_bar} is another cylinder)",
        "high": "at {supply_low.high_bar} or below, or empty in less than {supply_low.high}",
    },
    clears="above both for {supply_low.clear_hold}, or the course ends",
)
