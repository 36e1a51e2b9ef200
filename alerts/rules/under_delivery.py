"""The analyser reads less nitric oxide than the dose that is set: the therapy may be lost.

Loss of therapy is the first hazard of the FDA's guidance on delivery systems. Judged from 1 ppm on,
outside the settling time, with the analyser's tolerance.
"""

from datetime import datetime

from alerts.gas import reading_of, set_ppm_of
from alerts.limits import Limits
from alerts.rule import UNKNOWN, Ended, Finding, Levels, Reading, SampledRule, Silent, Tier
from schemas.state import PatientState
from schemas.telemetry import Telemetry


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    return (Tier("high", limits.measured_dose.hold, limits.measured_dose.clear_hold),)


def least_ppm(dose_ppm: float, limits: Limits) -> float:
    """The lowest reading that a dose explains."""
    rule = limits.measured_dose
    return round(dose_ppm * (1 - rule.tolerance_share) - rule.tolerance_ppm, 6)


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    reading, dose = reading_of(patient, sample, limits), set_ppm_of(patient, sample)
    if isinstance(reading, Ended | Silent):
        return reading
    if dose is None:
        return UNKNOWN
    judged = dose >= limits.measured_dose.least_set_ppm
    return Levels((judged and reading < least_ppm(dose, limits),))


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    dose = (patient.course.dose_ppm if patient.course else None) or 0.0
    limit = least_ppm(dose, limits)
    reading = "?" if patient.no_ppm is None else f"{patient.no_ppm:g}"
    return Finding(
        summary=f"measured only {reading} ppm NO at {dose:g} ppm set, limit {limit:g} ppm",
        reason="under-limit",
        value=patient.no_ppm,
        limit=limit,
        unit_of_measure="ppm",
        source=limits.sources["measured_dose.tolerance_share"],
    )


RULE = SampledRule(
    "under-delivery",
    "measured dose too low",
    _tiers,
    _read,
    _finding,
    raised={
        "high": "from a set dose of {measured_dose.least_set_ppm} on, the reading is more than"
        " {measured_dose.tolerance_share} and {measured_dose.tolerance_ppm} below it for"
        " {measured_dose.hold}; not within {course.settling} of a change of dose",
    },
    clears="the reading is in range for {measured_dose.clear_hold}, or delivery ends",
)
