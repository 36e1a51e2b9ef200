"""The dose that is set is above the limit, and no order allows it.

Doses above 20 ppm bring no further benefit and raise methemoglobin and nitrogen dioxide (S0,
label). An order in force (``dose_order``) lifts every tier to its own maximum. Judged on the
setting, not the measurement: a perfectly delivered 20 ppm may read well above 20.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import SUSPENDED, UNKNOWN, Ended, Finding, Levels, Reading, SampledRule, Tier
from schemas.state import PatientState
from schemas.telemetry import Telemetry


def _ordered_ppm(patient: PatientState, at: datetime) -> float:
    """The dose that an order in force allows; 0 when there is none."""
    order = patient.context.dose_order
    return order.max_set_ppm if order is not None and at < order.until else 0.0


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    rule = limits.set_dose_high
    return (
        Tier("medium", rule.hold, rule.clear_hold),
        Tier("high", rule.hold, rule.clear_hold),
    )


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    course = patient.course
    if course is None or course.phase != "running":
        return Ended("delivery-ended")
    suspended = sample.mode in ("calibrating", "purging", "backup")
    if suspended or sample.validity in ("invalid", "calibrating"):
        # A second device that is being prepared says nothing about what the first one gives.
        return UNKNOWN if _another_gives(patient, sample) else SUSPENDED
    if sample.mode != "delivering" or sample.set_ppm is None or course.dose_ppm is None:
        return UNKNOWN
    return _levels(patient, limits, sample.time)


def _another_gives(patient: PatientState, sample: Telemetry) -> bool:
    return any(
        device.active and device.mode == "delivering" and device.name != sample.device
        for device in patient.devices.values()
    )


def _levels(patient: PatientState, limits: Limits, at: datetime) -> Levels:
    dose = patient.course.dose_ppm if patient.course else None
    ordered, rule = _ordered_ppm(patient, at), limits.set_dose_high
    return Levels(
        tuple(
            dose is not None and dose > max(limit, ordered)
            for limit in (rule.limit_ppm, rule.high_ppm)
        )
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    dose = patient.course.dose_ppm if patient.course else None
    limit = max(limits.set_dose_high.limit_ppm, _ordered_ppm(patient, at))
    return Finding(
        summary=f"set dose {dose:g} ppm is above the limit of {limit:g} ppm",
        reason="over-limit",
        value=dose,
        limit=limit,
        unit_of_measure="ppm",
        source=limits.sources["set_dose_high.limit_ppm"],
    )


RULE = SampledRule("set-dose-high", "set dose above the limit", _tiers, _read, _finding, _levels)
