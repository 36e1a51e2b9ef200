"""Stretches of time, each from its start up to its end: what they share, what is left, how long.

A list of them is in order and without overlaps unless it says otherwise. Pure arithmetic.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

Span = tuple[datetime, datetime]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Bring any spans into order; those that touch become one, empty ones none."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def shared(ones: Iterable[Span], others: list[Span]) -> list[Span]:
    """Return what lies in both."""
    return joined(
        (max(start, other_start), min(end, other_end))
        for start, end in ones
        for other_start, other_end in others
    )


def without(ones: Iterable[Span], others: list[Span]) -> list[Span]:
    """Return what of ``ones`` lies in none of ``others``."""
    left: list[Span] = []
    for start, end in ones:
        for other_start, other_end in others:
            if other_end <= start or other_start >= end:
                continue
            if other_start > start:
                left.append((start, other_start))
            start = max(start, other_end)  # noqa: PLW2901 - what is left of it begins here
        if start < end:
            left.append((start, end))
    return left


def length(spans: Iterable[Span]) -> timedelta:
    """Add up how long they are."""
    return sum((end - start for start, end in spans), timedelta())
