"""Roles in which the device is well and something else is not: people, the blood, the baby.

Each departs from correct care in one thing; the hazards say which rule is to find it.
"""

from random import Random

from msgspec.structs import replace

from schemas.alert import Priority
from streams.simulate.care import (
    STANDARD_PPM,
    first_draw,
    hold_and_wean,
    later_draws,
    regimen,
    wean,
)
from streams.simulate.regimen import Draw, Fault, Hazard, Make, Note, Oxygen, Regimen

_PAUSE_H = (4.2, 7.0)
_CALIBRATION_H = 24.0
_LAST_CHECK_H = 26.4
_RESPONSE_H = 72.0


def fast_wean(rng: Random, at_h: float | None) -> Regimen:
    """Step from 20 to 8 ppm at once; later from 5 to 3 an hour after the step before."""
    far_h = at_h or rng.uniform(8.5, 10.5)
    pause_kept_h = far_h + rng.uniform(3.0, 5.0)
    soon_h = pause_kept_h + rng.uniform(0.8, 1.2)
    doses = [(0.0, STANDARD_PPM), (far_h, 8.0), (pause_kept_h, 5.0), (soon_h, 3.0)]
    doses += wean(rng, soon_h + rng.uniform(4.0, 6.0), (2.0, 1.0, 0.0), _PAUSE_H)
    hazards = (Hazard("fast-wean", "low", far_h), Hazard("fast-wean", "low", soon_h))
    return regimen(rng, doses, hazards=hazards)


def methb_forgotten(rng: Random, _at_h: float | None) -> Regimen:
    """The first methemoglobin check is done in time, the next one over 36 h later."""
    first = first_draw(rng)
    forgotten_h = rng.uniform(37.0, 39.0)
    hazards = (
        Hazard("methb-repeat-overdue", "low", first.collected_h + _LAST_CHECK_H),
        Hazard("methb-repeat-overdue", "medium", first.collected_h + 36.0),
    )
    doses = hold_and_wean(rng, first.collected_h + forgotten_h + rng.uniform(3.0, 6.0))
    made = regimen(rng, doses, first=first, hazards=hazards)
    late = Draw(first.collected_h + forgotten_h, first.resulted_h + forgotten_h, 1.1)
    return replace(made, draws=(first, late, *later_draws(rng, late, made.end_h, (18.0, 23.0))))


def methb_rising(rng: Random, _at_h: float | None) -> Regimen:
    """Methemoglobin is found at 2.6, 5.5 and 7.5 %, each checked again within half a day."""
    draws = [first_draw(rng)]
    for value_pct in (2.6, 5.5, 7.5, 1.8):
        collected_h = draws[-1].collected_h + rng.uniform(6.0, 10.0)
        draws.append(Draw(collected_h, collected_h + rng.uniform(0.34, 0.95), value_pct))
    hazards = (
        Hazard("methb-high", "low", draws[1].resulted_h),
        Hazard("methb-high", "medium", draws[2].resulted_h),
        Hazard("methb-high", "high", draws[3].resulted_h),
    )
    doses = hold_and_wean(rng, draws[-1].collected_h + rng.uniform(3.0, 6.0))
    made = regimen(rng, doses, hazards=hazards)
    return replace(made, draws=(*draws, *later_draws(rng, draws[-1], made.end_h, (18.0, 23.0))))


def contraindicated(rng: Random, at_h: float | None) -> Regimen:
    """An echo shows a shunt that the circulation depends on; a second echo shows none."""
    made = _noted(rng, at_h, "right_to_left_shunt_dependent", "contraindicated", "high")
    asked = Hazard("eligibility-review", "info", made.notes[0].at_h)
    return replace(made, hazards=(*made.hazards, asked))


def weak_ventricle(rng: Random, at_h: float | None) -> Regimen:
    """An echo shows that the left ventricle fails; it recovers within hours."""
    return _noted(rng, at_h, "lv_dysfunction", "caution-lv-dysfunction", "medium")


def donor_drug(rng: Random, at_h: float | None) -> Regimen:
    """Another nitric oxide donor is given for some hours; methemoglobin is checked twice a day."""
    return _noted(rng, at_h, "no_donor_drug", "no-donor-drug", "low")


def no_response(rng: Random, _at_h: float | None) -> Regimen:
    """After heart surgery three days bring no better saturation and no lower need of oxygen."""
    wean_h = _RESPONSE_H + rng.uniform(2.0, 5.0)
    hazards = (Hazard("no-response-72h", "low", _RESPONSE_H),)
    made = regimen(rng, hold_and_wean(rng, wean_h), hazards=hazards)
    later = (state for state in made.oxygen if state.from_h >= wean_h)
    flat = Oxygen(-1.0, 90.0, 88.0)
    return replace(made, indication="perioperative-chd", oxygen=(flat, *later))


def uncalibrated(rng: Random, _at_h: float | None) -> Regimen:
    """The device is calibrated on the first day and then not for a day and a half."""
    made = regimen(rng, hold_and_wean(rng, rng.uniform(50.0, 60.0)))
    first, _forgotten, *later = made.calibrations
    hazards = (Hazard("calibration-overdue", "info", first[1] + _CALIBRATION_H),)
    return replace(made, calibrations=(first, *later), hazards=hazards)


def rebound(rng: Random, at_h: float | None) -> Regimen:
    """The saturation falls after the first step down, and again after the planned stop."""
    step_h = at_h or rng.uniform(8.5, 10.5)
    doses = hold_and_wean(rng, step_h)
    after_step_h = step_h + rng.uniform(10.0, 40.0) / 60
    after_stop_h = doses[-1][0] + rng.uniform(1.0, 2.0) / 60
    faults = (
        Fault("spo2", after_step_h, after_step_h + 8 / 60, 79.0),
        Fault("spo2", after_stop_h, after_stop_h + 8 / 60, 81.0),
    )
    hazards = (
        Hazard("rebound-suspected", "high", after_step_h),
        Hazard("rebound-suspected", "high", after_stop_h),
    )
    return regimen(rng, doses, faults=faults, hazards=hazards)


def _noted(rng: Random, at_h: float | None, flag: str, rule: str, priority: Priority) -> Regimen:
    """Enter that ``flag`` is so, hours later that it is not; blood is checked as a donor asks."""
    noted_h = at_h or rng.uniform(8.5, 10.5)
    over_h = noted_h + rng.uniform(2.0, 4.0)
    made = regimen(
        rng,
        hold_and_wean(rng, over_h + rng.uniform(3.0, 6.0)),
        draw_every_h=(9.0, 11.5),
        hazards=(Hazard(rule, priority, noted_h),),
    )
    return replace(made, notes=(Note(noted_h, flag, True), Note(over_h, flag, False)))


ROLES: dict[str, Make] = {
    "fast-wean": fast_wean,
    "methb-forgotten": methb_forgotten,
    "methb-rising": methb_rising,
    "contraindicated": contraindicated,
    "weak-ventricle": weak_ventricle,
    "donor-drug": donor_drug,
    "no-response": no_response,
    "uncalibrated": uncalibrated,
    "rebound": rebound,
}
"""Role to the maker of its regimen."""
