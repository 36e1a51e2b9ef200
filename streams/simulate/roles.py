"""What may happen at one bed: each role is a way to make a regimen.

Here are correct care and the hazards of the demo's ward; ``faulty_devices`` and ``lapses`` have the
others.

A role takes its random numbers and the hour of its first event (``None``: it chooses one) and
returns the whole course. The event comes back several times where one course can hold that, so
that a ward stays worth watching. Knows no dates: see ``ward`` for when a course begins.
"""

from random import Random

from streams.simulate import faulty_devices, lapses
from streams.simulate.care import STANDARD_PPM, events, hold_and_wean, regimen, wean
from streams.simulate.regimen import Deed, Draw, Hazard, Make, Regimen, Stretch

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
    doses, hazards = [(0.0, STANDARD_PPM)], list[Hazard]()
    hours = events(rng, at_h or rng.uniform(8.5, 10.5), 4, (3.5, 5.5))
    for event_h in hours:
        higher_h = event_h + rng.uniform(15.0, 20.0) / 60
        back_h = higher_h + rng.uniform(10.0, 12.0) / 60
        doses += [(event_h, 25.0), (higher_h, 45.0), (back_h, STANDARD_PPM)]
        hazards.append(Hazard("set-dose-high", "medium", event_h))
        hazards.append(Hazard("set-dose-high", "high", higher_h))
    doses += wean(rng, hours[-1] + rng.uniform(4.0, 6.0), (10.0, 5.0, 3.0, 2.0, 1.0, 0.0), (4, 6))
    return regimen(rng, doses, draw_every_h=(9.0, 11.5), hazards=tuple(hazards))


def methb_missed(rng: Random, _at_h: float | None) -> Regimen:
    """Nothing from the laboratory by 8 h: drawn too late, or drawn in time and resulted late."""
    if rng.random() < 1 / 2:
        collected_h = rng.uniform(8.1, 8.7)
        resulted_h = collected_h + rng.uniform(0.35, 0.6)
    else:
        collected_h, resulted_h = rng.uniform(7.3, 7.8), rng.uniform(8.4, 9.2)
    late = Draw(collected_h, resulted_h, round(rng.uniform(0.8, 2.0), 1))
    doses = hold_and_wean(rng, rng.uniform(10.5, 12.0), (2.4, 3.2))
    hazards = (
        Hazard("methb-first-due", "info", 4.0),
        Hazard("methb-first-overdue", "medium", 8.0),
    )
    return regimen(rng, doses, first=late, hazards=hazards)


def abrupt_stop(rng: Random, at_h: float | None) -> Regimen:
    """Cut from 20 ppm without a plan, the saturation falls, and delivered again minutes later."""
    doses = [(0.0, STANDARD_PPM)]
    hours = events(rng, at_h or rng.uniform(5.5, 7.5), 4, (4.8, 6.5))
    for event_h in hours:
        doses += [(event_h, 0.0), (event_h + rng.uniform(10.0, 20.0) / 60, STANDARD_PPM)]
    doses += wean(rng, hours[-1] + rng.uniform(4.0, 6.0), (10.0, 5.0, 3.0, 2.0, 1.0, 0.0), (4, 6))
    hazards = tuple(Hazard("abrupt-stop", "high", event_h) for event_h in hours)
    return regimen(rng, doses, hazards=hazards)


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
    hazards = (
        Hazard("course-near-14-days", "info", 288.0),
        Hazard("course-near-14-days", "low", 324.0),
        Hazard("course-over-14-days", "medium", over_h),
    )
    return regimen(rng, doses, deeds=(review,), hazards=hazards)


def telemetry_lost(rng: Random, at_h: float | None) -> Regimen:
    """Silence the bed's gateway for over 15 min; therapy goes on."""
    hours = events(rng, at_h or rng.uniform(9.0, 12.0), 4, (5.0, 8.0))
    silences = tuple((event_h, event_h + rng.uniform(16.0, 21.0) / 60) for event_h in hours)
    doses = hold_and_wean(rng, hours[-1] + rng.uniform(3.0, 6.0))
    hazards: list[Hazard] = []
    for event_h in hours:
        hazards.append(Hazard("telemetry-lost", "low", event_h))
        hazards.append(Hazard("telemetry-lost", "medium", event_h))
        hazards.append(Hazard("telemetry-lost", "high", event_h))
    return regimen(rng, doses, silences=silences, hazards=tuple(hazards))


def handover(rng: Random, at_h: float | None) -> Regimen:
    """Hand over to a transport device and back again, without a break in delivery."""
    hours = events(rng, at_h or rng.uniform(8.0, 10.0), 3, (6.0, 10.0))
    transports = tuple((event_h, event_h + rng.uniform(0.5, 1.2)) for event_h in hours)
    doses = hold_and_wean(rng, hours[-1] + rng.uniform(4.0, 8.0))
    return regimen(rng, doses, transports=transports)


ROLES: dict[str, Make] = {
    "correct": correct,
    "dose-high": dose_high,
    "methb-missed": methb_missed,
    "abrupt-stop": abrupt_stop,
    "past-14-days": past_14_days,
    "telemetry-lost": telemetry_lost,
    "handover": handover,
    "noisy": noisy,
    **faulty_devices.ROLES,
    **lapses.ROLES,
}
"""Role to the maker of its regimen."""
