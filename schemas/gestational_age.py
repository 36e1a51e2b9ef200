"""Gestational age at birth, as it is written on a ward."""

import re
from typing import Literal

_WEEKS_AND_DAYS = re.compile(
    r"(?P<weeks>[1-4][0-9])(?:w(?P<d>[0-6])d|\+(?P<plus>[0-6])| (?P<sevenths>[0-6])/7)"
)
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")

Unreadable = Literal["ambiguous-gestational-age", "bad-gestational-age"]


def gestational_age_days(written: str | float) -> int | Unreadable:
    """Completed days of gestation from ``34w0d``, ``34+0`` or ``34 0/7`` (10 to 49 weeks).

    A bare number is ambiguous: 34.6 may be 34 weeks and 6 days or 34.6 weeks. It is not guessed.
    """
    if not isinstance(written, str):
        return "ambiguous-gestational-age"
    text = written.strip()
    if _NUMBER.fullmatch(text):
        return "ambiguous-gestational-age"
    found = _WEEKS_AND_DAYS.fullmatch(text)
    if not found:
        return "bad-gestational-age"
    days = found["d"] or found["plus"] or found["sevenths"]
    return int(found["weeks"]) * 7 + int(days)
