"""One transition of one alert, as it travels on the alerts topic."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.stand_in import EVERY, NOT_KNOWN

Priority = Literal["info", "low", "medium", "high"]
PRIORITIES: tuple[Priority, ...] = ("info", "low", "medium", "high")
"""Weakest first; the meanings are those of IEC 60601-1-8."""

Phase = Literal["raised", "escalated", "deescalated", "cleared"]


def rank(priority: Priority) -> int:
    """0 for ``info`` to 3 for ``high``."""
    return PRIORITIES.index(priority)


def place(bed: str, unit: str = "") -> str:
    """Write where it is, as a summary opens with it: ``Bed 4``; a whole unit by its own name."""
    if bed == EVERY:
        return unit or "Every bed"
    if bed == NOT_KNOWN:
        return "Unknown bed"
    return bed if bed.lower().startswith("bed") else f"Bed {bed}"


class Alert(Struct, frozen=True, kw_only=True):
    """A transition of the occurrence ``id``.

    ``onset`` is when the condition became true and ``at`` when this transition was due, both in
    event time. ``course`` is the start of the course that it belongs to. ``value`` and ``limit``
    are in ``unit_of_measure``. ``limit`` carries its origin in ``source``.
    """

    id: str
    rule: str
    phase: Phase
    priority: Priority
    onset: datetime
    at: datetime
    patient: str
    unit: str
    bed: str
    device: str
    course: datetime | None
    summary: str
    value: float | None
    limit: float | None
    unit_of_measure: str | None
    reason: str
    profile: str
    rules_version: str
    source: str
