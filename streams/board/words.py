"""Numbers and times in the words of the board.

Promise: what is unknown reads as unknown, and a dose that is there never reads as 0. The page says
its times again between two pushes with ``static/words.js``; a test holds the two to the same words.
"""

import math
import re

UNKNOWN = "?"
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400
_DAYS_FROM_S = 48 * _HOUR_S
_WHOLE_HOURS_FROM_S = 10 * _HOUR_S
_DIGITS = re.compile(r"([0-9]+)")


def number(value: float | None, decimals: int) -> str:
    """Return ``value`` with up to ``decimals`` places, ``?`` when there is none.

    A positive value too small to show is ``<0.01``, because 0 would say that there is nothing.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    smallest = 10**-decimals
    if 0 < value < smallest / 2:
        return f"<{smallest:.{decimals}f}"
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float | None, unit: str, decimals: int) -> str:
    """Return a number with its unit; ``?`` alone when it is unknown."""
    text = number(value, decimals)
    return text if text == UNKNOWN else f"{text} {unit}"


def duration(seconds: float) -> str:
    """Return ``12 s``, ``25 min``, ``1 h 12 min``, ``18 h`` or ``3 d 4 h``, never rounded up."""
    whole = int(max(0.0, seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < _WHOLE_HOURS_FROM_S:
        return _two(whole // _HOUR_S, "h", whole % _HOUR_S // _MINUTE_S, "min")
    if whole < _DAYS_FROM_S:
        return f"{whole // _HOUR_S} h"
    return _two(whole // _DAY_S, "d", whole % _DAY_S // _HOUR_S, "h")


def _two(great: int, unit: str, small: int, small_unit: str) -> str:
    return f"{great} {unit} {small} {small_unit}" if small else f"{great} {unit}"


def age(seconds: float) -> str:
    """Return a duration; a time that lies a second or more ahead of the clock says so."""
    return f"{duration(-seconds)} ahead" if seconds <= -1 else duration(seconds)


def countdown(due_in_s: float, overdue_in_s: float | None) -> str:
    """Return how a check stands that is due in ``due_in_s`` and missed after ``overdue_in_s``.

    The bound is strict: at the very moment it is due, not overdue.
    """
    missed_in_s = due_in_s if overdue_in_s is None else overdue_in_s
    if missed_in_s < 0:
        return f"overdue by {duration(-missed_in_s)}"
    if due_in_s > 0:
        return f"due in {duration(due_in_s)}"
    return "due now" if overdue_in_s is None else f"due, {duration(missed_in_s)} left"


def hours(span_h: float) -> str:
    """Return ``17.6 h``; less than an hour is said in minutes, so that it never reads as 0."""
    return f"{span_h:.1f} h" if span_h >= 1 else duration(span_h * _HOUR_S)


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """Return a key that puts bed 2 before bed 10; the numbers may be of any length."""
    parts = _DIGITS.split(text.casefold())
    # Words stand at even places and numbers at odd ones, so like is compared with like; a longer
    # number without leading zeros is a greater one.
    return tuple(
        (len(bare := part.lstrip("0")), bare) if place % 2 else (0, part)
        for place, part in enumerate(parts)
    )
