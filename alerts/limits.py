"""The numbers that the rules judge by: profiles as data, read once and checked as a whole.

A profile is a TOML file; ``inherits`` names the one whose numbers it starts from. Every number is a
table of value, bound and source. Reading one either gives ``Limits`` or an ``InvalidProfile`` that
lists all its faults at once. Nothing here judges.
"""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct

RULES_VERSION = "1"
"""Goes up when any rule may decide differently on the same numbers."""

_DURATIONS = {"s": "seconds", "min": "minutes", "h": "hours"}
MOST = 1e6
"""No number of a profile is larger, whatever its unit."""
_BOUNDS = (">", ">=", "<", "<=")


class CourseLimits(Struct, frozen=True):
    """When an interruption starts a new course, and how long a changed dose takes to settle.

    ``either_order`` is how far records of different sources may overtake one another.
    """

    interruption: timedelta
    settling: timedelta
    either_order: timedelta


class SetDoseHighLimits(Struct, frozen=True):
    """Of ``set-dose-high``."""

    limit_ppm: float
    high_ppm: float
    hold: timedelta
    clear_hold: timedelta


class AbruptStopLimits(Struct, frozen=True):
    """Of ``abrupt-stop``; ``plan`` is how long a plan to stop is good for."""

    floor_ppm: float
    high_ppm: float
    after: timedelta
    hold: timedelta
    plan: timedelta
    dose_held: timedelta


class MethbFirstLimits(Struct, frozen=True):
    """Of both rules on the first methemoglobin check, counted from the start."""

    due: timedelta
    overdue: timedelta
    high: timedelta


class MethbRepeatLimits(Struct, frozen=True):
    """``grace`` and ``medium_share`` are shares of the interval; see ``methb-repeat-overdue``."""

    interval: timedelta
    short_interval: timedelta
    grace: float
    medium_share: float
    value_pct: float


class MethbHighLimits(Struct, frozen=True):
    """Of ``methb-high``."""

    low_pct: float
    medium_pct: float
    high_pct: float


class MeasuredDoseLimits(Struct, frozen=True):
    """Of both rules on the measured dose: how far a reading may be from the dose that is set."""

    tolerance_share: float
    tolerance_ppm: float
    high_ppm: float
    high_share: float
    least_set_ppm: float
    hold: timedelta
    clear_hold: timedelta


class No2HighLimits(Struct, frozen=True):
    """Of ``no2-high``; each tier has a hold of its own."""

    low_ppm: float
    low_hold: timedelta
    medium_ppm: float
    medium_hold: timedelta
    high_ppm: float
    high_hold: timedelta
    clear_hold: timedelta


class BackupDeliveryLimits(Struct, frozen=True):
    """Of ``backup-delivery``."""

    hold: timedelta


class FastWeanLimits(Struct, frozen=True):
    """Of ``fast-wean``."""

    step_ppm: float
    step_share: float
    pause: timedelta
    correction: timedelta


class NoResponse72hLimits(Struct, frozen=True):
    """Of ``no-response-72h``: by how much SpO2 rises or the need of oxygen falls when it helps."""

    after: timedelta
    spo2_points: float
    fio2_points: float


class SupplyLowLimits(Struct, frozen=True):
    """Of ``supply-low``; ``low`` and ``high`` are how long the gas lasts at the present fall.

    The fall is taken over the last ``window``, once ``least`` of it is known, from a pressure
    every ``step``. A rise by more than ``rise_bar`` or a drop by more than ``drop_bar`` between
    two samples is another cylinder.
    """

    low_bar: float
    low: timedelta
    high_bar: float
    high: timedelta
    clear_hold: timedelta
    window: timedelta
    least: timedelta
    step: timedelta
    rise_bar: float
    drop_bar: float


class ReadingFrozenLimits(Struct, frozen=True):
    """Of ``reading-frozen``."""

    hold: timedelta


class CalibrationOverdueLimits(Struct, frozen=True):
    """Of ``calibration-overdue``: delivered time without one."""

    after: timedelta


class DeviceAlarmLimits(Struct, frozen=True):
    """Of ``device-alarm``."""

    hold: timedelta


class ReboundSuspectedLimits(Struct, frozen=True):
    """Of ``rebound-suspected``; ``window`` is how long after a stop or step down it is looked for.

    ``fall_points`` is a fall of the saturation, ``least_pct`` the value that it falls below.
    """

    window: timedelta
    fall_points: float
    least_pct: float
    hold: timedelta
    clear_hold: timedelta


class Course14DaysLimits(Struct, frozen=True):
    """Of both rules on 14 days; ``again`` is how long a review holds."""

    near: timedelta
    near_low: timedelta
    over: timedelta
    again: timedelta


class TelemetryLostLimits(Struct, frozen=True):
    """Of ``telemetry-lost``; ``low`` is also what counts as a gap."""

    low: timedelta
    medium: timedelta
    high: timedelta


class Limits(Struct, frozen=True):
    """One profile, ready to judge by. ``sources`` maps ``section.key`` to where it comes from."""

    name: str
    version: str
    course: CourseLimits
    set_dose_high: SetDoseHighLimits
    abrupt_stop: AbruptStopLimits
    methb_first: MethbFirstLimits
    methb_repeat: MethbRepeatLimits
    methb_high: MethbHighLimits
    measured_dose: MeasuredDoseLimits
    no2_high: No2HighLimits
    backup_delivery: BackupDeliveryLimits
    fast_wean: FastWeanLimits
    course_14_days: Course14DaysLimits
    no_response_72h: NoResponse72hLimits
    supply_low: SupplyLowLimits
    reading_frozen: ReadingFrozenLimits
    calibration_overdue: CalibrationOverdueLimits
    device_alarm: DeviceAlarmLimits
    rebound_suspected: ReboundSuspectedLimits
    telemetry_lost: TelemetryLostLimits
    sources: dict[str, str]

    @property
    def rules_version(self) -> str:
        """What judged: the version of the rules and of the profile."""
        return f"{RULES_VERSION}+{self.name}.{self.version}"


class InvalidProfile(ValueError):
    """A profile that cannot be judged by. The message lists every fault, one a line."""


def profile_names() -> list[str]:
    """The profiles that come with the product."""
    found = files("alerts").joinpath("profiles").iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in found if entry.name[-5:] == ".toml")


@cache
def load_profile(name: str) -> Limits:
    """Read the profile ``name`` and those it inherits from.

    Raises ``InvalidProfile`` when there is no such profile or when any number in it is wrong.
    """
    return limits_from(_read(name), name)


def _read(name: str, heirs: tuple[str, ...] = ()) -> dict[str, Any]:
    if name in heirs:
        raise InvalidProfile(f"{name}.toml: inherits from itself")
    if name not in profile_names():
        raise InvalidProfile(f"no profile {name!r}; there are {', '.join(profile_names())}")
    document = tomllib.loads(files("alerts").joinpath("profiles", f"{name}.toml").read_text())
    parent = document.pop("inherits", None)
    if parent is None:
        return document
    merged = _read(parent, (*heirs, name))
    for key, value in document.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def limits_from(document: dict[str, Any], name: str) -> Limits:
    """Check a whole profile and make it ``Limits``; ``name`` stands in the errors."""
    faults: list[str] = []
    sources: dict[str, str] = {}
    plain: dict[str, Any] = {"sources": sources}
    for section, content in document.items():
        if isinstance(content, dict):
            plain[section] = dict(_numbers(section, content, sources, faults))
        else:
            plain[section] = content
    if not faults:
        try:
            limits = msgspec.convert(plain, Limits, strict=True)
        except msgspec.ValidationError as wrong:
            faults.append(str(wrong))
        else:
            faults.extend(_impossible(limits))
    if faults:
        raise InvalidProfile("\n".join(f"{name}.toml: {fault}" for fault in faults))
    return limits


def _numbers(
    section: str, content: dict[str, Any], sources: dict[str, str], faults: list[str]
) -> Iterator[tuple[str, float | timedelta]]:
    for key, entry in content.items():
        place = f"{section}.{key}"
        if not isinstance(entry, dict) or not {"value", "bound", "source"} <= entry.keys():
            faults.append(f"{place}: must be a table with value, bound and source")
            continue
        value, stem, unit = entry["value"], *key.rpartition("_")[::2]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
            faults.append(f"{place}: {value!r} is not a number from 0 to {MOST:.0f}")
        elif entry["bound"] not in _BOUNDS:
            faults.append(f"{place}: bound {entry['bound']!r} is none of {' '.join(_BOUNDS)}")
        elif unit in _DURATIONS:
            sources[f"{section}.{stem}"] = str(entry["source"])
            yield stem, timedelta(**{_DURATIONS[unit]: value})
        else:
            sources[place] = str(entry["source"])
            yield key, float(value)


def _impossible(limits: Limits) -> Iterator[str]:
    """Tiers that are out of order would never be reached, or never left."""
    ladders: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("set_dose_high: limit < high", _of(limits.set_dose_high, "limit_ppm", "high_ppm")),
        ("abrupt_stop: floor <= high", _of(limits.abrupt_stop, "floor_ppm", "high_ppm")),
        (
            "methb_high: low < medium < high",
            _of(limits.methb_high, "low_pct", "medium_pct", "high_pct"),
        ),
        (
            "no2_high: low < medium < high",
            _of(limits.no2_high, "low_ppm", "medium_ppm", "high_ppm"),
        ),
        (
            "methb_repeat: short_interval < interval",
            _of(limits.methb_repeat, "short_interval", "interval"),
        ),
        ("methb_first: due < overdue < high", _of(limits.methb_first, "due", "overdue", "high")),
        (
            "course_14_days: near < near_low < over",
            _of(limits.course_14_days, "near", "near_low", "over"),
        ),
        ("supply_low: high_bar < low_bar", _of(limits.supply_low, "high_bar", "low_bar")),
        ("supply_low: high < low", _of(limits.supply_low, "high", "low")),
        (
            "telemetry_lost: low < medium < high",
            _of(limits.telemetry_lost, "low", "medium", "high"),
        ),
    )
    for rule, steps in ladders:
        for lower, upper in pairwise(steps):
            if lower > upper or (lower == upper and "<=" not in rule):
                yield f"{rule}: {lower} and {upper} are out of order"


def _of(section: Struct, *keys: str) -> tuple[Any, ...]:
    return tuple(getattr(section, key) for key in keys)
