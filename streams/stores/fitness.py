"""What no store takes, said before any store is asked, so that all stores answer alike.

The rules are the narrowest of the stores behind the port: a ward that begins with a file and
moves to InfluxDB finds nothing there that would not fit. Knows no store and no record.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import Literal

from streams.stores.port import Field, Point, PointsRefused

Kind = Literal["float", "boolean", "string"]

MAX_STRING_BYTES = 64 * 1024
"""InfluxDB documents 64 KB for a string field (it takes 1 MiB, but does not promise it)."""
MAX_TAGS_BYTES = 16 * 1024
"""InfluxDB bounds a series key by 65 535 bytes; escaping may double what is written here."""
EARLIEST = datetime(1678, 1, 1, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)
"""Nanoseconds since 1970 in 64 bits end here."""
TWINS = 1000
"""So many nanoseconds make a microsecond."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_RESERVED = frozenset({"time", "result", "table", "error", "reference"})
"""Column names that InfluxDB's answers use for themselves."""


@lru_cache(1000)
def checked_name(name: str) -> str:
    """Give ``name`` back if a measurement, tag or field may be called so; else ``ValueError``.

    Names come from our own code, never from a record; so they stay plain words.
    """
    if _NAME.fullmatch(name) and name not in _RESERVED:
        return name
    raise ValueError(f"{name!r} is no name for a measurement, tag or field: letters, digits and _")


def kind_of(value: Field) -> Kind:
    """Name the kind of value that a field which once held ``value`` holds for ever."""
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "float"


def is_short(text: str) -> bool:
    """Whether a text is within what one field takes; most are told by their length alone."""
    if text.isascii():
        return len(text) <= MAX_STRING_BYTES
    return len(text) <= MAX_STRING_BYTES and len(text.encode()) <= MAX_STRING_BYTES


def _fit_value(name: str, value: Field) -> float | str | bool:
    if isinstance(value, str):
        if not value:
            raise ValueError(f"{name} is empty: InfluxDB reads that as absent, so leave it out")
        if not value.isascii() or len(value) > MAX_STRING_BYTES:
            _bounded(name, value, MAX_STRING_BYTES)
        return value
    if isinstance(value, bool):
        return value
    try:
        number = float(value)
    except OverflowError as too_large:
        raise ValueError(f"{name} is too large for a 64-bit float") from too_large
    if not isfinite(number):
        raise ValueError(f"{name} is {number}, which is no measurement: leave it out")
    return number


def _bounded(name: str, text: str, most_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as surrogate:
        raise ValueError(f"{name} is not valid Unicode: {surrogate.reason}") from surrogate
    if size > most_bytes:
        raise ValueError(f"{name} has {size} bytes; at most {most_bytes} are kept")


def fitted(point: Point) -> Point:
    """Give the point as stores keep it, with floats; ``ValueError`` says what does not fit."""
    _check_names(point.measurement, tuple(point.tags), tuple(point.fields))
    fields = {
        name: value if type(value) is float and isfinite(value) else _fit_value(name, value)
        for name, value in point.fields.items()
    }
    for name, value in point.tags.items():
        if not value:
            raise ValueError(f"tag {name} is empty: leave it out")
    _bounded("the tag set", "".join(point.tags.values()), MAX_TAGS_BYTES)
    if point.time.tzinfo is None:
        raise ValueError("the time has no offset")
    if not EARLIEST <= point.time < LATEST:
        raise ValueError(f"time {point.time.isoformat()} is outside 1678 to 2262")
    if not 0 <= point.twin < TWINS:
        raise ValueError(f"twin {point.twin} is outside 0 to {TWINS - 1}")
    return Point(point.measurement, point.tags, fields, point.time, point.twin)


@lru_cache(1000)
def _check_names(measurement: str, tags: tuple[str, ...], fields: tuple[str, ...]) -> None:
    """Check all names of a point; there are few sets of them, and many points of each."""
    for name in (measurement, *fields, *tags):
        checked_name(name)
    if not fields:
        raise ValueError("a point without fields says nothing")
    for name in tags:
        if name in fields:
            raise ValueError(f"{name} is a tag and a field: a reader could not tell them apart")


def sifted(
    points: Sequence[Point],
) -> tuple[list[tuple[Point, Point]], list[tuple[Point, str]]]:
    """Part the points that fit, each with its form as stores keep it, from those that do not.

    The latter come with their reasons.
    """
    fit: list[tuple[Point, Point]] = []
    unfit: list[tuple[Point, str]] = []
    for point in points:
        try:
            fit.append((point, fitted(point)))
        except ValueError as reason:
            unfit.append((point, str(reason)))
    return fit, unfit


def refuse(refused: Sequence[tuple[Point, str]]) -> None:
    """Raise ``PointsRefused`` if there is anything to refuse."""
    if refused:
        reasons = [reason for _, reason in refused]
        raise PointsRefused([point for point, _ in refused], reasons[0], reasons)
