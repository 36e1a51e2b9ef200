"""The dose that is set is above the limit, and no order allows it.

Doses above 20 ppm bring no further benefit and raise methemoglobin and nitrogen dioxide (S0,
label). An order in force (``dose_order``) lifts every tier to its own maximum. Judged on the
setting, not the measurement: a perfectly delivered 20 ppm may read well above 20.
"""

from datetime import datetime

from alerts.gas import ordered_ppm, silence_of
from alerts.limits import Limits
from alerts.rule import UNKNOWN, Finding, Levels, Reading, SampledRule, Tier
from schemas.state import PatientState
from schemas.telemetry import Telemetry


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    rule = limits.set_dose_high
    return (
        Tier("medium", rule.hold, rule.clear_hold),
        Tier("high", rule.hold, rule.clear_hold),
    )


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    silence = silence_of(patient, sample)
    if silence is not None:
        return silence
    if sample.set_ppm is None or patient.course is None or patient.course.dose_ppm is None:
        return UNKNOWN
    return _levels(patient, limits, sample.time)


def _levels(patient: PatientState, limits: Limits, at: datetime) -> Levels:
    dose = patient.course.dose_ppm if patient.course else None
    ordered, rule = ordered_ppm(patient, at), limits.set_dose_high
    return Levels(
        tuple(
            dose is not None and dose > max(limit, ordered)
            for limit in (rule.limit_ppm, rule.high_ppm)
        )
    )


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    dose = patient.course.dose_ppm if patient.course else None
    limit = max(limits.set_dose_high.limit_ppm, ordered_ppm(patient, at))
    return Finding(
        summary=f"set dose {dose:g} ppm is above the limit of {limit:g} ppm",
        reason="over-limit",
        value=dose,
        limit=limit,
        unit_of_measure="ppm",
        source=limits.sources["set_dose_high.limit_ppm"],
    )


RULE = SampledRule(
    "set-dose-high",
    "set dose above the limit",
    _tiers,
    _read,
    _finding,
    _levels,
    raised={
        "medium": "the set dose is above {set_dose_high.limit_ppm}, and above any order in force,"
        " for {set_dose_high.hold}",
        "high": "the same above {set_dose_high.high_ppm}",
    },
    clears="the set dose is not above it for {set_dose_high.clear_hold}, or delivery ends",
)
