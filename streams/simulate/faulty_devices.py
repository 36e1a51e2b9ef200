"""Roles in which the device is at fault, or the gas that it gets: care itself goes by the book.

Each fault comes from the fault list of the regimen; the hazards say which rule is to find it.
"""

from random import Random

from streams.simulate.care import STANDARD_PPM, events, hold_and_wean, regimen
from streams.simulate.physics import fall_bar_h
from streams.simulate.regimen import Fault, FaultKind, Hazard, Make, Regimen

_LEAK_BAR_H = 90.0
_FULL_BAR = 150.0
_MINUTE_H = 1 / 60


def over_delivery(rng: Random, at_h: float | None) -> Regimen:
    """The device gives half as much again as is set, and hours later two and a half times that."""
    more_h, far_more_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("delivery", more_h, 10, 1.5), _fault("delivery", far_more_h, 10, 2.5)),
        Hazard("measured-dose-high", "medium", more_h),
        Hazard("measured-dose-high", "high", far_more_h),
    )


def under_delivery(rng: Random, at_h: float | None) -> Regimen:
    """Half of the dose arrives, and hours later nothing, while the setting stays."""
    half_h, nothing_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("delivery", half_h, 10, 0.5), _fault("delivery", nothing_h, 10, 0.0)),
        Hazard("under-delivery", "high", half_h),
        Hazard("under-delivery", "high", nothing_h),
    )


def backup(rng: Random, at_h: float | None) -> Regimen:
    """The device gives up and its backup delivers for longer than it takes to change it."""
    once_h, again_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("backup", once_h, 8), _fault("backup", again_h, 15)),
        Hazard("backup-delivery", "medium", once_h),
        Hazard("backup-delivery", "medium", again_h),
    )


def no2(rng: Random, at_h: float | None) -> Regimen:
    """A little NO2 for long, more of it for a while, much of it for a short time."""
    little_h, more_h, much_h = events(rng, at_h or rng.uniform(8.5, 10.5), 3, (4.0, 6.0))
    return _faulty(
        rng,
        (
            _fault("no2", little_h, 12, 0.6),
            _fault("no2", more_h, 6, 1.2),
            _fault("no2", much_h, 2, 2.5),
        ),
        Hazard("no2-high", "low", little_h),
        Hazard("no2-high", "medium", more_h),
        Hazard("no2-high", "high", much_h),
    )


def used_cylinder(rng: Random, at_h: float | None) -> Regimen:
    """Somebody connects a cylinder that is nearly used up, and hours later an empty one."""
    used_h, empty_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("cylinder", used_h, 25, 34.0), _fault("cylinder", empty_h, 10, 9.5)),
        Hazard("supply-low", "medium", used_h),
        Hazard("supply-low", "high", empty_h),
    )


def leaking_cylinder(rng: Random, at_h: float | None) -> Regimen:
    """A full cylinder leaks: it lasts under an hour, then under a quarter, then is changed."""
    leak_h = at_h or rng.uniform(8.5, 10.5)
    falls_bar_h = _LEAK_BAR_H + fall_bar_h(STANDARD_PPM)
    hour_left_h = leak_h + _FULL_BAR / falls_bar_h - 1.0
    quarter_left_h = hour_left_h + 0.75
    for_min = (quarter_left_h - leak_h) * 60 + 5
    return _faulty(
        rng,
        (
            _fault("cylinder", leak_h, for_min, _FULL_BAR),
            _fault("leak", leak_h, for_min, _LEAK_BAR_H),
        ),
        Hazard("supply-low", "medium", hour_left_h),
        Hazard("supply-low", "high", quarter_left_h),
    )


def frozen(rng: Random, at_h: float | None) -> Regimen:
    """Every reading stays as it is, for minutes, and hours later again."""
    once_h, again_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("frozen", once_h, 12), _fault("frozen", again_h, 20)),
        Hazard("reading-frozen", "low", once_h),
        Hazard("reading-frozen", "low", again_h),
    )


def alarming(rng: Random, at_h: float | None) -> Regimen:
    """The device alarms by itself, of things that only it can know."""
    medium_h, high_h = _twice(rng, at_h)
    return _faulty(
        rng,
        (_fault("alarm-medium", medium_h, 4), _fault("alarm-high", high_h, 4)),
        Hazard("device-alarm", "medium", medium_h),
        Hazard("device-alarm", "high", high_h),
    )


def _twice(rng: Random, at_h: float | None) -> list[float]:
    return events(rng, at_h or rng.uniform(8.5, 10.5), 2, (4.0, 6.0))


def _fault(kind: FaultKind, from_h: float, for_min: float, value: float = 0.0) -> Fault:
    return Fault(kind, from_h, from_h + for_min * _MINUTE_H, value)


def _faulty(rng: Random, faults: tuple[Fault, ...], *hazards: Hazard) -> Regimen:
    """Give the standard dose until some hours after the last fault, then wean."""
    over_h = max(fault.to_h for fault in faults)
    doses = hold_and_wean(rng, over_h + rng.uniform(3.0, 6.0))
    return regimen(rng, doses, faults=faults, hazards=hazards)


ROLES: dict[str, Make] = {
    "over-delivery": over_delivery,
    "under-delivery": under_delivery,
    "backup": backup,
    "no2": no2,
    "used-cylinder": used_cylinder,
    "leaking-cylinder": leaking_cylinder,
    "frozen": frozen,
    "alarming": alarming,
}
"""Role to the maker of its regimen."""
