"""A record and the moment at which it reaches the monitor."""

from datetime import datetime

from msgspec import Struct

from schemas.action import Action
from schemas.course import Course
from schemas.lab import Lab
from schemas.telemetry import Telemetry


class Arrival(Struct, frozen=True):
    """``record`` reaches the monitor at ``at``; its own ``time`` is when it was measured.

    The two differ by a tenth of a second for telemetry, by the laboratory's work for a lab.
    """

    at: datetime
    record: Telemetry | Lab | Course | Action
