"""What may happen at one bed: each role is a way to make a regimen.

A role takes its random numbers and the hour of its first event (``None``: it chooses one) and
returns the whole course. The event comes back several times where one course can hold that, so
that a ward stays worth watching. Knows no dates: see ``ward`` for when a course begins.
"""

from collections.abc import Callable
from random import Random

from streams.simulate.care import STANDARD_PPM, hold_and_wean, regimen, wean
from streams.simulate.regimen import Deed, Draw, Regimen, Stretch

Make = Callable[[Random, float | None], Regimen]

LONGEST_COURSE_H = 336.0


def correct(rng: Random, _at_h: float | None) -> Regimen:
    """Care goes by the book; in one course of three the baby is taken somewhere and back."""
    hold_h = rng.uniform(24.0, 60.0)
    transports: tuple[Stretch, ...] = ()
    if rng.random() < 1 / 3:
        from_h = rng.uniform(7.5, hold_h - 4.0)
        transports = ((from_h, from_h + rng.uniform(0.5, 1.2)),)
    return regimen(rng, hold_and_wean(rng, hold_h), transports=transports)


def noisy(rng: Random, _at_h: float | None) -> Regimen:
    """Care is correct, and the analyser uses its whole tolerance and spikes."""
    return regimen(rng, hold_and_wean(rng, rng.uniform(24.0, 60.0)), noisy=True)


def dose_high(rng: Random, at_h: float | None) -> Regimen:
    """Set 25, then 45 ppm, then 20 again. Methemoglobin is watched closely meanwhile."""
    doses = [(0.0, STANDARD_PPM)]
    events = _events(rng, at_h or rng.uniform(8.5, 10.5), 4, (3.5, 5.5))
    for event_h in events:
        higher_h = event_h + rng.uniform(15.0, 20.0) / 60
        back_h = higher_h + rng.uniform(10.0, 12.0) / 60
        doses += [(event_h, 25.0), (higher_h, 45.0), (back_h, STANDARD_PPM)]
    doses += wean(rng, events[-1] + rng.uniform(4.0, 6.0), (10.0, 5.0, 3.0, 2.0, 1.0, 0.0), (4, 6))
    return regimen(rng, doses, draw_every_h=(9.0, 11.5))


def methb_missed(rng: Random, _at_h: float | None) -> Regimen:
    """Nothing from the laboratory by 8 h: drawn too late, or drawn in time and resulted late."""
    if rng.random() < 1 / 2:
        collected_h = rng.uniform(8.1, 8.7)
        resulted_h = collected_h + rng.uniform(0.35, 0.6)
    else:
        collected_h, resulted_h = rng.uniform(7.3, 7.8), rng.uniform(8.4, 9.2)
    late = Draw(collected_h, resulted_h, round(rng.uniform(0.8, 2.0), 1))
    return regimen(rng, hold_and_wean(rng, rng.uniform(10.5, 12.0), (2.4, 3.2)), first=late)


def abrupt_stop(rng: Random, at_h: float | None) -> Regimen:
    """Cut from 20 ppm without a plan, the saturation falls, and delivered again minutes later."""
    doses = [(0.0, STANDARD_PPM)]
    events = _events(rng, at_h or rng.uniform(5.5, 7.5), 4, (4.8, 6.5))
    for event_h in events:
        doses += [(event_h, 0.0), (event_h + rng.uniform(10.0, 20.0) / 60, STANDARD_PPM)]
    doses += wean(rng, events[-1] + rng.uniform(4.0, 6.0), (10.0, 5.0, 3.0, 2.0, 1.0, 0.0), (4, 6))
    return regimen(rng, doses)


def past_14_days(rng: Random, _at_h: float | None) -> Regimen:
    """Cross 288, 324 and 336 h; the course is reviewed, then weaned."""
    doses = [(0.0, 20.0), (rng.uniform(60, 80), 10.0), (rng.uniform(100, 130), 5.0)]
    over_h = LONGEST_COURSE_H
    doses += wean(rng, over_h + rng.uniform(3.0, 4.0), (3.0, 2.0, 1.0, 0.0), (4.2, 5.5))
    review = Deed(
        over_h + rng.uniform(1.0, 2.0),
        "review",
        "seen by the attending physician; wean within the day",
        "course-over-14-days",
    )
    return regimen(rng, doses, deeds=(review,))


def telemetry_lost(rng: Random, at_h: float | None) -> Regimen:
    """Silence the bed's gateway for over 15 min; therapy goes on."""
    events = _events(rng, at_h or rng.uniform(9.0, 12.0), 4, (5.0, 8.0))
    silences = tuple((event_h, event_h + rng.uniform(16.0, 21.0) / 60) for event_h in events)
    doses = hold_and_wean(rng, events[-1] + rng.uniform(3.0, 6.0))
    return regimen(rng, doses, silences=silences)


def handover(rng: Random, at_h: float | None) -> Regimen:
    """Hand over to a transport device and back again, without a break in delivery."""
    events = _events(rng, at_h or rng.uniform(8.0, 10.0), 3, (6.0, 10.0))
    transports = tuple((event_h, event_h + rng.uniform(0.5, 1.2)) for event_h in events)
    doses = hold_and_wean(rng, events[-1] + rng.uniform(4.0, 8.0))
    return regimen(rng, doses, transports=transports)


def _events(rng: Random, first_h: float, count: int, every_h: Stretch) -> list[float]:
    hours = [first_h]
    while len(hours) < count:
        hours.append(hours[-1] + rng.uniform(*every_h))
    return hours


ROLES: dict[str, Make] = {
    "correct": correct,
    "dose-high": dose_high,
    "methb-missed": methb_missed,
    "abrupt-stop": abrupt_stop,
    "past-14-days": past_14_days,
    "telemetry-lost": telemetry_lost,
    "handover": handover,
    "noisy": noisy,
}
"""Role to the maker of its regimen."""
