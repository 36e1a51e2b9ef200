"""Profiles: TOML files to the numbers that rules judge by, read once and checked as a whole.

Every number is a table of value, bound and source; ``inherits`` names the profile whose numbers a
file starts from. Some profiles come with the product. A site may have a folder with its own; each
inherits from one of these and may name the units that it is for (``units = ["nicu-1"]``).

A profile either becomes ``Limits`` or is refused with all its faults at once.
"""

import tomllib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from alerts.limits import RULES_VERSION, Limits

_DURATIONS = {"s": 1, "min": 60, "h": 3600}
_SHORTEST_S, _LONGEST_S = 1, 366 * 86_400
_MOST = {"ppm": 200.0, "pct": 100.0, "points": 100.0, "bar": 300.0, "share": 10.0, "count": 100.0}
_MOST_OTHERWISE = 1000.0
_BOUNDS = (">", ">=", "<", "<=")
_WORDS = ("name", "version", "inherits", "units")

_LADDERS = (
    ("course.settling", "<=", "course.interruption"),
    ("course.either_order", "<=", "telemetry_lost.low"),
    ("set_dose_high.limit_ppm", "<", "set_dose_high.high_ppm"),
    ("set_dose_high.limit_ppm", "<", "measured_dose.high_ppm"),
    ("abrupt_stop.hold", "<", "course.interruption"),
    ("rebound_suspected.hold", "<=", "rebound_suspected.window"),
    ("supply_low.step", "<=", "supply_low.least"),
    ("abrupt_stop.floor_ppm", "<=", "abrupt_stop.high_ppm"),
    ("methb_first.due", "<", "methb_first.overdue"),
    ("methb_first.overdue", "<", "methb_first.high"),
    ("methb_repeat.short_interval", "<", "methb_repeat.interval"),
    ("methb_high.low_pct", "<", "methb_high.medium_pct"),
    ("methb_high.medium_pct", "<", "methb_high.high_pct"),
    ("no2_high.low_ppm", "<", "no2_high.medium_ppm"),
    ("no2_high.medium_ppm", "<", "no2_high.high_ppm"),
    ("supply_low.high_bar", "<", "supply_low.low_bar"),
    ("supply_low.high", "<", "supply_low.low"),
    ("supply_low.least", "<=", "supply_low.window"),
    ("course_14_days.near", "<", "course_14_days.near_low"),
    ("course_14_days.near_low", "<", "course_14_days.over"),
    ("telemetry_lost.low", "<", "telemetry_lost.medium"),
    ("telemetry_lost.medium", "<", "telemetry_lost.high"),
    ("course.either_order", "<=", "eligibility_review.grace"),
    ("telemetry_lost.group_within", "<", "telemetry_lost.low"),
)
"""A tier that is out of order would never be reached, or never left."""
_SHARES = (
    ("measured_dose.tolerance_share", "<=", "measured_dose.high_share"),
    ("methb_repeat.grace", "<", "methb_repeat.medium_share"),
)
"""The first is a share beyond the whole, the second one of the whole."""

Document = dict[str, Any]
Number = float | timedelta


class InvalidProfile(ValueError):
    """A profile that cannot be judged by. The message lists every fault, one a line."""


class ProfileBook:
    """Every profile there is: those that come with the product and those in a site's ``folder``.

    Raises ``InvalidProfile`` with the faults of all files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        faults: list[str] = []
        documents = dict(_documents(files("alerts").joinpath("profiles"), faults))
        own = dict(_documents(folder, faults)) if folder is not None else {}
        faults += [
            f"{name}.toml: the product has a profile of this name"
            for name in own.keys() & documents.keys()
        ]
        faults += [
            f"{name}.toml: inherits: names one of {_list(documents)}"
            for name, document in own.items()
            if not isinstance(document.get("inherits"), str)
        ]
        bounds = dict(_bounds(documents["default"]))
        documents = own | documents
        self._limits: dict[str, Limits] = {}
        self._of_unit: dict[str, Limits] = {}
        for name in documents:
            found = [f"{name}.toml: {fault}" for fault in self._add(name, documents, bounds)]
            faults += found
        if faults:
            raise InvalidProfile("\n".join(faults))

    def _add(self, name: str, documents: dict[str, Document], bounds: dict[str, str]) -> list[str]:
        faults: list[str] = []
        document = documents[name]
        whole = _inherited(name, documents, faults)
        limits = None if faults else limits_from(name, whole, bounds, faults)
        if limits is None:
            return faults
        self._limits[name] = limits
        units = document.get("units", [])
        if not isinstance(units, list) or not all(isinstance(unit, str) for unit in units):
            return [*faults, f"units: {units!r} is no list of units"]
        for unit in units:
            taken = self._of_unit.setdefault(unit, limits)
            if taken is not limits:
                faults.append(f"units: {unit!r} has the profile {taken.name} already")
        return faults

    @property
    def names(self) -> frozenset[str]:
        """The names of all profiles."""
        return frozenset(self._limits)

    def named(self, name: str) -> Limits:
        """Return the profile ``name``; ``InvalidProfile`` when there is none."""
        if name not in self._limits:
            raise InvalidProfile(f"no profile {name!r}; there are {_list(self._limits)}")
        return self._limits[name]

    def find(self, name: str) -> Limits | None:
        """Return the profile ``name``; ``None``: there is none (any more)."""
        return self._limits.get(name)

    def of_unit(self, unit: str) -> Limits | None:
        """Return the profile that is for a unit; ``None``: it has none of its own."""
        return self._of_unit.get(unit)


@cache
def packaged() -> ProfileBook:
    """Return the profiles that come with the product."""
    return ProfileBook()


def load_profile(name: str) -> Limits:
    """Return a profile that comes with the product; ``InvalidProfile`` when there is none."""
    return packaged().named(name)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _documents(folder: Traversable | Path, faults: list[str]) -> Iterator[tuple[str, Document]]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as wrong:
        faults.append(f"{folder}: cannot be read: {wrong.strerror}")
        return
    for entry in entries:
        if not entry.name.endswith(".toml"):
            continue
        try:
            yield entry.name.removesuffix(".toml"), tomllib.loads(entry.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            faults.append(f"{entry.name}: {wrong}")
        except OSError as wrong:
            faults.append(f"{entry.name}: cannot be read: {wrong.strerror}")


def _bounds(document: Document) -> Iterator[tuple[str, str]]:
    """The bound of each number as the rules have it: a site's file repeats it, or is refused."""
    for section, content in document.items():
        if isinstance(content, dict):
            yield from ((f"{section}.{_stem(key)}", e["bound"]) for key, e in content.items())


def _inherited(
    name: str, documents: dict[str, Document], faults: list[str], heirs: tuple[str, ...] = ()
) -> Document:
    """Lay a profile over the one that it inherits from, number by number."""
    document = documents[name]
    parent = document.get("inherits")
    if not isinstance(parent, str):
        return document
    if parent not in documents:
        faults.append(f"inherits: no profile {parent!r}; there are {_list(documents)}")
        return document
    if parent in (*heirs, name):
        faults.append(f"inherits: {parent!r} inherits from itself")
        return document
    merged = dict(_inherited(parent, documents, faults, (*heirs, name)))
    for section, content in document.items():
        if isinstance(content, dict) and isinstance(merged.get(section), dict):
            given = {_stem(key) for key in content}
            kept = {k: v for k, v in merged[section].items() if _stem(k) not in given}
            merged[section] = kept | content
        else:
            merged[section] = content
    return merged


def limits_from(
    name: str, document: Document, bounds: dict[str, str], faults: list[str]
) -> Limits | None:
    """Check a whole profile; ``None`` when there were ``faults``, to which they are added."""
    before = len(faults)
    sections = {
        section: kind
        for section, kind in get_type_hints(Limits).items()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    }
    faults += [
        f"{key}: no rule has such a section; there are {_list(sections)}"
        for key in document
        if key not in sections and key not in _WORDS
    ]
    faults += [
        f"{key}: a text is needed" for key in ("name", "version") if not _is_text(document.get(key))
    ]
    if _is_text(document.get("name")) and document["name"] != name:
        faults.append(f"name: {document['name']!r} is not the name of the file")
    words: Document = {"name": name, "sources": {}, "bounds": {}}
    numbers: dict[str, dict[str, Number]] = {}
    for section, kind in sections.items():
        content, numbers[section] = document.get(section, {}), {}
        if not isinstance(content, dict):
            faults.append(f"{section}: {content!r} is no table of numbers")
            continue
        fields = get_type_hints(kind)
        numbers[section] = dict(_numbers(section, content, fields, words, faults))
        missing = fields.keys() - {_stem(key) for key in content}
        faults += [f"{section}.{key}: is missing" for key in sorted(missing)]
    faults += [
        f"{place}: bound {bound!r}, but the rule has {bounds[place]!r}"
        for place, bound in words["bounds"].items()
        if bound != bounds.get(place, bound) and bound in _BOUNDS
    ]
    faults += _out_of_order(numbers)
    if len(faults) > before:
        return None
    words["version"] = document["version"]
    words["rules_version"] = f"{RULES_VERSION}+{name}.{words['version']}"
    return msgspec.convert(words | numbers, Limits)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _stem(key: str) -> str:
    """A length of time is written with its unit and known without it."""
    stem, _, unit = key.rpartition("_")
    return stem if unit in _DURATIONS else key


def _numbers(
    section: str,
    content: Document,
    fields: dict[str, type],
    words: Document,
    faults: list[str],
) -> Iterator[tuple[str, Number]]:
    for key, entry in content.items():
        place, stem = f"{section}.{key}", _stem(key)
        if stem not in fields or (fields[stem] is timedelta) != (stem != key):
            faults.append(f"{place}: there is no such number; there are {_list(_keys(fields))}")
        elif not isinstance(entry, dict) or {"value", "bound", "source"} != entry.keys():
            faults.append(f"{place}: must be a table of value, bound and source")
        else:
            value, unit = entry["value"], key.rpartition("_")[2]
            least, most = _range(unit, in_time=fields[stem] is timedelta)
            if entry["bound"] not in _BOUNDS:
                faults.append(f"{place}: bound {entry['bound']!r} is none of {' '.join(_BOUNDS)}")
            if not _is_text(entry["source"]):
                faults.append(f"{place}: its source is needed, a text")
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not least <= value <= most
            ):
                ends = f"from {least:.6g} to {most:.8g}"
                faults.append(f"{place}: {value!r} is not a number {ends}")
                continue
            words["sources"][f"{section}.{stem}"] = str(entry["source"])
            words["bounds"][f"{section}.{stem}"] = entry["bound"]
            in_time = fields[stem] is timedelta
            yield stem, timedelta(seconds=value * _DURATIONS[unit]) if in_time else float(value)


def _keys(fields: dict[str, type]) -> list[str]:
    """The keys as they are written; a length of time may have any of its units."""
    return [f"{name}_s/_min/_h" if kind is timedelta else name for name, kind in fields.items()]


def _range(unit: str, *, in_time: bool) -> tuple[float, float]:
    """Allowed values; a length of time is at least a second and at most a year."""
    if in_time and unit in _DURATIONS:
        return _SHORTEST_S / _DURATIONS[unit], _LONGEST_S / _DURATIONS[unit]
    return 0, _MOST.get(unit, _MOST_OTHERWISE)


def _out_of_order(numbers: dict[str, dict[str, Number]]) -> Iterator[str]:
    for lower, sign, upper in _LADDERS:
        low, high = (_at(numbers, place) for place in (lower, upper))
        if low is None or high is None:
            continue
        if low > high or (low == high and sign == "<"):  # type: ignore[operator] # of one kind
            words = "below" if sign == "<" else "at most"
            yield f"{lower}: {low} has to be {words} {upper}, which is {high}"
    for beyond, sign, of_whole in _SHARES:
        low, high = (_at(numbers, place) for place in (beyond, of_whole))
        if not isinstance(low, float) or not isinstance(high, float):
            continue
        if 1 + low > high or (1 + low == high and sign == "<"):
            words = "below" if sign == "<" else "at most"
            yield f"{beyond}: 1 + {low} has to be {words} {of_whole}, which is {high}"


def _at(numbers: dict[str, dict[str, Number]], place: str) -> Number | None:
    section, _, key = place.partition(".")
    return numbers[section].get(key)
