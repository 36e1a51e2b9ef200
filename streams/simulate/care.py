"""What correct care does around a list of doses: wean, draw blood, calibrate, plan the stop.

Promise: a regimen made here from doses of at most 20 ppm and without faults gives no reason for an
alert above *info*. Each margin is kept inside the rule's limit on purpose and says which one it is.
"""

from collections.abc import Iterable, Sequence
from random import Random

from streams.simulate.regimen import Deed, Draw, Fault, Hazard, Oxygen, Regimen, Stretch

STANDARD_PPM = 20.0
WEANING_PPM = (10.0, 5.0, 3.0, 2.0, 1.0, 0.0)
"""No step is more than half of the dose or 10 ppm, and the last one starts from 1 ppm."""

_FIO2_PCT = {
    20.0: 72.0,
    10.0: 60.0,
    8.0: 56.0,
    5.0: 50.0,
    3.0: 45.0,
    2.0: 42.0,
    1.0: 40.0,
    0.0: 50.0,
}
_RESCUE_FIO2_PCT = 100.0
_REBOUND_SPO2_PCT = 78.0
_DRAW_MARGIN_H = 1.5
_CALIBRATION_MARGIN_H = 0.3


def events(rng: Random, first_h: float, count: int, every_h: Stretch) -> list[float]:
    """Repeat an event from ``first_h`` on, after ``every_h`` each time."""
    hours = [first_h]
    while len(hours) < count:
        hours.append(hours[-1] + rng.uniform(*every_h))
    return hours


def hold_and_wean(
    rng: Random, hold_h: float, pause_h: Stretch = (4.2, 7.0)
) -> list[tuple[float, float]]:
    """Give the standard dose for ``hold_h``, then step down after each pause, to 0 ppm."""
    return [(0.0, STANDARD_PPM), *wean(rng, hold_h, WEANING_PPM, pause_h)]


def wean(
    rng: Random, from_h: float, doses: Iterable[float], pause_h: Stretch
) -> list[tuple[float, float]]:
    """Step down from ``from_h`` on; a pause is over 2 h, as fast-wean asks."""
    at_h = from_h
    steps = []
    for ppm in doses:
        steps.append((at_h, ppm))
        at_h += rng.uniform(*pause_h)
    return steps


def first_draw(rng: Random) -> Draw:
    """Draw between 4.5 and 7 h, resulted before 8 h."""
    collected_h = rng.uniform(4.5, 7.0)
    return Draw(collected_h, collected_h + rng.uniform(0.34, 0.95), _methb_pct(rng))


def later_draws(rng: Random, after: Draw, end_h: float, every_h: Stretch) -> list[Draw]:
    """Draw again in every ``every_h`` until shortly before the end; resulted within an hour."""
    draws = []
    at_h = after.collected_h + rng.uniform(*every_h)
    while at_h < end_h - _DRAW_MARGIN_H:
        draws.append(Draw(at_h, at_h + rng.uniform(0.34, 0.95), _methb_pct(rng)))
        at_h += rng.uniform(*every_h)
    return draws


def regimen(  # noqa: PLR0913 - each departure from plain care is a parameter of its own
    rng: Random,
    doses: Sequence[tuple[float, float]],
    *,
    first: Draw | None = None,
    draw_every_h: Stretch = (18.0, 23.0),
    transports: tuple[Stretch, ...] = (),
    silences: tuple[Stretch, ...] = (),
    deeds: tuple[Deed, ...] = (),
    noisy: bool = False,
    faults: tuple[Fault, ...] = (),
    hazards: tuple[Hazard, ...] = (),
) -> Regimen:
    """Complete the care around ``doses``; ``first`` replaces the first draw of blood."""
    end_h = doses[-1][0]
    first = first or first_draw(rng)
    changes = [(at_h, at_h) for at_h, _ in doses]
    faulty = [(fault.from_h, fault.to_h) for fault in faults]
    return Regimen(
        doses=tuple(doses),
        oxygen=_oxygen(rng, doses),
        draws=(first, *later_draws(rng, first, end_h, draw_every_h)),
        deeds=(*deeds, *_farewell(rng, end_h)),
        calibrations=_calibrations(rng, end_h, [*changes, *transports, *silences, *faulty]),
        transports=transports,
        silences=silences,
        noisy=noisy,
        faults=faults,
        hazards=hazards,
    )


def _methb_pct(rng: Random) -> float:
    return round(rng.triangular(0.5, 1.8, 1.0), 1)


def _farewell(rng: Random, end_h: float) -> tuple[Deed, Deed]:
    """Plan the stop within the hour before it and close the course within the hour after it."""
    return (
        Deed(end_h - rng.uniform(0.15, 0.6), "plan-stop", "weaned to 1 ppm, oxygen need is low"),
        Deed(end_h + rng.uniform(0.4, 0.9), "close-course", "weaned"),
    )


def _calibrations(rng: Random, end_h: float, busy: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Calibrate to zero for 3 to 5 min every 19 to 21.5 h, later while something else goes on.

    The longest other thing is a leak of 1.5 h, so that 24 h are never reached.
    """
    margin_h = _CALIBRATION_MARGIN_H
    taken = sorted((begin_h - margin_h, stop_h + margin_h) for begin_h, stop_h in busy)
    found: list[Stretch] = []
    at_h = rng.uniform(14.0, 20.0)
    while True:
        length_h = rng.uniform(3.0, 5.0) / 60
        for begin_h, stop_h in taken:
            if at_h < stop_h and begin_h < at_h + length_h:
                at_h = stop_h
        if at_h + length_h >= end_h:
            return tuple(found)
        found.append((at_h, at_h + length_h))
        at_h += rng.uniform(19.0, 21.5)


def _oxygen(rng: Random, doses: Sequence[tuple[float, float]]) -> tuple[Oxygen, ...]:
    """Give less oxygen with each step; let the saturation fall when therapy is cut."""
    states = [Oxygen(-1.0, 95.0, 90.0)]
    for at_h, ppm in doses:
        if ppm == 0.0 and (at_h, ppm) != doses[-1]:
            states.append(Oxygen(at_h, _RESCUE_FIO2_PCT, _REBOUND_SPO2_PCT))
            continue
        fio2_pct = _FIO2_PCT[min(ppm, STANDARD_PPM)] + rng.uniform(-3.0, 3.0)
        states.append(Oxygen(at_h, fio2_pct, rng.uniform(93.5, 96.5)))
    return tuple(states)
