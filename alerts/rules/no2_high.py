"""Nitrogen dioxide in the gas that the patient breathes is above its limits.

Each tier has a hold of its own: a little for long, or much for a short time (device manuals, FDA
guidance on devices, published protocols).
"""

from datetime import datetime

from alerts.gas import silence_of
from alerts.limits import Limits
from alerts.rule import UNKNOWN, Finding, Levels, Reading, SampledRule, Tier, told_priority
from schemas.state import PatientState
from schemas.telemetry import Telemetry

NAME = "no2-high"


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    rule = limits.no2_high
    return (
        Tier("low", rule.low_hold, rule.clear_hold),
        Tier("medium", rule.medium_hold, rule.clear_hold),
        Tier("high", rule.high_hold, rule.clear_hold),
    )


def _read(patient: PatientState, sample: Telemetry, limits: Limits) -> Reading:
    silence, rule, reading = silence_of(patient, sample), limits.no2_high, sample.no2_ppm
    if silence is not None:
        return silence
    if reading is None or sample.validity == "questionable":
        return UNKNOWN
    steps = (rule.low_ppm, rule.medium_ppm, rule.high_ppm)
    return Levels(tuple(reading >= limit for limit in steps))


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    rule, reading = limits.no2_high, patient.no2_ppm
    key = f"{told_priority(patient, NAME) or 'low'}_ppm"
    limit = float(getattr(rule, key))
    told = "?" if reading is None else f"{reading:g}"
    return Finding(
        summary=f"{told} ppm NO2 in the gas, limit {limit:g} ppm",
        reason="over-limit",
        value=reading,
        limit=limit,
        unit_of_measure="ppm",
        source=limits.sources[f"no2_high.{key}"],
    )


RULE = SampledRule(
    NAME,
    "nitrogen dioxide too high",
    _tiers,
    _read,
    _finding,
    raised={
        "low": "{no2_high.low_ppm} or more for {no2_high.low_hold}",
        "medium": "{no2_high.medium_ppm} or more for {no2_high.medium_hold}",
        "high": "{no2_high.high_ppm} or more for {no2_high.high_hold}",
    },
    clears="below for {no2_high.clear_hold}, or delivery ends",
)
