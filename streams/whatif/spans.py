"""Stretches of time, each from its start up to its end: what they share, what is left, how long.

A list of them is in order and without overlaps unless it says otherwise. Pure arithmetic.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter

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


def shared(ones: list[Span], others: list[Span]) -> list[Span]:
    """Return what lies in both."""
    found: list[Span] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        start = max(ones[one][0], others[other][0])
        end = min(ones[one][1], others[other][1])
        if start < end:
            found.append((start, end))
        if ones[one][1] <= others[other][1]:
            one += 1
        else:
            other += 1
    return found


def without(ones: list[Span], others: list[Span]) -> list[Span]:
    """Return what of ``ones`` lies in none of ``others``."""
    left: list[Span] = []
    first = 0
    for start, end in ones:
        while first < len(others) and others[first][1] <= start:
            first += 1
        begin, other = start, first
        while other < len(others) and others[other][0] < end:
            if others[other][0] > begin:
                left.append((begin, others[other][0]))
            begin = max(begin, others[other][1])
            other += 1
        if begin < end:
            left.append((begin, end))
    return left


def meets(one: Span, others: list[Span]) -> bool:
    """Whether a stretch has any time in common with one of ``others``."""
    after = bisect_right(others, one[0], key=itemgetter(1))
    return after < len(others) and max(one[0], others[after][0]) < min(one[1], others[after][1])


def length(spans: Iterable[Span]) -> timedelta:
    """Add up how long they are."""
    return sum((end - start for start, end in spans), timedelta())
