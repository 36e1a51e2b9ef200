"""One row of the ward board: what is known of one patient now, and what is open."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.alert import Priority

Delivery = Literal["delivering", "suspended", "stopped", "lost", "no-course"]


class OpenAlert(Struct, frozen=True, kw_only=True):
    """An open occurrence as the board shows it."""

    id: str
    rule: str
    priority: Priority
    onset: datetime
    at: datetime
    summary: str


class BoardRow(Struct, frozen=True, kw_only=True):
    """The row of one patient.

    ``clock`` is the partition's clock when the row was made: the page shows the age of the data
    against it, and says *not judged* when it falls behind. Absent numbers are unknown, not 0.
    ``methb_due`` is when the next methemoglobin check is due; ``methb_overdue`` when it counts as
    missed. ``cannot_judge`` says in words what is missing; empty when nothing is.
    """

    patient: str
    unit: str
    bed: str
    clock: datetime
    delivery: Delivery
    device: str | None
    mode: str | None
    sample_time: datetime | None
    set_ppm: float | None
    no_ppm: float | None
    no2_ppm: float | None
    fio2_pct: float | None
    spo2_pct: float | None
    course: datetime | None
    elapsed_h: float | None
    delivered_h: float | None
    methb_pct: float | None
    methb_time: datetime | None
    methb_due: datetime | None
    methb_overdue: datetime | None
    late_samples: int
    cannot_judge: list[str]
    alerts: list[OpenAlert]
    profile: str
