"""One attempt to tell somebody about an alert, and what came of it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Outcome = Literal["delivered", "refused", "failed", "withheld"]
"""``refused``: the receiver will never take it. ``failed``: it is tried again.
``withheld``: not sent, for the named reason."""


class Page(Struct, frozen=True, kw_only=True):
    """What sink ``sink`` answered to transition (``alert``, ``phase``, ``priority``).

    ``time`` is when the answer came, ``at`` the transition's own time. ``attempt`` counts from 1.
    """

    time: datetime
    alert: str
    rule: str
    phase: str
    priority: str
    at: datetime
    patient: str
    sink: str
    attempt: int
    outcome: Outcome
    reason: str
