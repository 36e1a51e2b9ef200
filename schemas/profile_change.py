"""A patient is judged by another profile from now on: what the product notes of it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Cause = Literal["course", "unit", "settings"]
"""A course record named it, the unit of the patient has its own, or the site's profiles changed."""


class ProfileChange(Struct, frozen=True, kw_only=True):
    """Who (``by``, as far as the record said), when (``time``), ``old`` and ``new``.

    ``old`` and ``new`` are as in an alert's ``rules_version``; ``record`` is the id of the course
    record that asked for it.
    """

    time: datetime
    patient: str
    unit: str
    cause: Cause
    by: str | None
    record: str | None
    old: str
    new: str
