"""Lengths of time as people write them: ``4 h``, ``8 h 30 min``, ``14 d 1 s``, ``18 y``, ``0``."""

import re
from datetime import timedelta

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(y|d|h|min|s)")
_UNITS = {
    "y": timedelta(days=365.25),  # the mean year: at most half a day off a birthday
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def parse_span(text: object) -> timedelta:
    """Read a length of time. Raises ``ValueError`` for anything that is none."""
    written = str(text).strip()
    if written == "0":
        return timedelta()
    span, rest = timedelta(), written
    while rest:
        part = _PART.match(rest)
        if not part:
            raise ValueError(f"{written!r} is no length of time such as '8 h 30 min'")
        span += _UNITS[part[2]] * float(part[1])
        rest = rest[part.end() :].lstrip()
    return span


def write_span(span: timedelta) -> str:
    """Write a length of time as ``parse_span`` reads it, in days and less."""
    seconds = span.total_seconds()
    parts = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count:g} {unit}")
    if seconds or not parts:
        parts.append(f"{seconds:.6f}".rstrip("0").rstrip(".") + " s")
    return " ".join(parts)
