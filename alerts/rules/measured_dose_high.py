"""The analyser reads more nitric oxide than the dose and its own tolerance explain.

Two findings, one alert: the reading is above what the highest recommended dose could read, or above
what the dose that is set could read. An analyser may be off by a fifth and half a ppm (FDA guidance
on analysers), so a perfectly delivered 20 ppm may read 24.5.
"""

from datetime import datetime

from alerts.gas import ordered_ppm, reading_of, set_ppm_of
from alerts.limits import Limits
from alerts.rule import Ended, Finding, Levels, Reading, SampledRule, Silent, Tier
from schemas.state import PatientState
from schemas.telemetry import Telemetry


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    rule = limits.measured_dose
    return (Tier("medium", rule.hold, rule.clear_hold), Tier("high", rule.hold, rule.clear_hold))


def most_ppm(dose_ppm: float, limits: Limits) -> float:
    """The highest reading that a dose explains."""
    rule = limits.measured_dose
    return round(dose_ppm * (1 + rule.tolerance_share) + rule.tolerance_ppm, 6)


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    reading = reading_of(patient, sample, limits)
    if isinstance(reading, Ended | Silent):
        return reading
    rule, dose = limits.measured_dose, set_ppm_of(patient, sample)
    highest = max(limits.set_dose_high.limit_ppm, ordered_ppm(patient, sample.time))
    explained = highest if dose is None else min(dose, highest)
    over = reading > most_ppm(explained, limits)
    far = reading > rule.high_ppm or (dose is not None and reading > dose * rule.high_share)
    return Levels((over, over and far))


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    dose = patient.course.dose_ppm if patient.course else None
    highest = max(limits.set_dose_high.limit_ppm, ordered_ppm(patient, at))
    limit = most_ppm(highest if dose is None else min(dose, highest), limits)
    told = "an unknown dose" if dose is None else f"{dose:g} ppm set"
    return Finding(
        summary=f"measured {_number(patient.no_ppm)} ppm NO at {told}, limit {limit:g} ppm",
        reason="over-limit",
        value=patient.no_ppm,
        limit=limit,
        unit_of_measure="ppm",
        source=limits.sources["measured_dose.tolerance_share"],
    )


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


RULE = SampledRule(
    "measured-dose-high",
    "measured dose too high",
    _tiers,
    _read,
    _finding,
    raised={
        "medium": "the reading is more than {measured_dose.tolerance_share} and"
        " {measured_dose.tolerance_ppm} above the set dose, or above what"
        " {set_dose_high.limit_ppm} (or an order in force) may read, for"
        " {measured_dose.hold}; not within {course.settling} of a change of dose",
        "high": "the same, and above {measured_dose.high_ppm} or {measured_dose.high_share} of"
        " the set dose",
    },
    clears="the reading is in range for {measured_dose.clear_hold}, or delivery ends",
)
