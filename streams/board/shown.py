"""What the board shows, as data ready for JSON. Times in s carry ``_s``, in h ``_h``.

Every word that a person reads is already here, so that the page has nothing to decide.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.alert import Priority
from schemas.board_row import Delivery

Level = Literal["high", "medium", "low", "unjudged", "info", "well", "idle"]
LEVELS: tuple[Level, ...] = ("high", "medium", "low", "unjudged", "info", "well", "idle")
"""Worst first. What cannot be judged stands above what was judged and is only information."""

ToldStatus = Literal["told", "waiting", "untold", "withheld"]
MethbStatus = Literal["overdue", "due", "soon", "later", "none"]


class Limits(Struct, frozen=True, kw_only=True):
    """From when on the board doubts what it shows.

    ``judged_s``: a judgement older than this counts as none. ``data_s``: silence longer than this
    is no data. ``told_s``: a high or medium alert nobody was told of for longer is undelivered.
    ``course_h``: the length of a course that calls for review. ``speed``: seconds of ward time per
    second on the wall; 1 outside a demonstration.
    """

    judged_s: float = 10.0
    data_s: float = 120.0
    told_s: float = 60.0
    course_h: float = 336.0
    speed: float = 1.0

    @classmethod
    def at_speed(cls, speed: float, course_h: float = 336.0) -> "Limits":
        """Return the limits for ward time that runs ``speed`` times as fast as the wall's.

        A record's way through the workers takes wall time: what allows for it is stretched.
        """
        usual, factor = cls(), max(1.0, speed)
        return cls(
            judged_s=usual.judged_s * factor,
            data_s=usual.data_s + usual.judged_s * (factor - 1),
            told_s=usual.told_s * factor,
            course_h=course_h,
            speed=speed,
        )


class Told(Struct, frozen=True, kw_only=True):
    """Whether anybody was told; ``sink`` gave the last answer, at ``time``."""

    status: ToldStatus
    text: str
    sink: str | None
    time: datetime | None


class ShownAlert(Struct, frozen=True, kw_only=True):
    """One open alert; its age counts from the onset of the condition."""

    id: str
    rule: str
    priority: Priority
    symbol: str
    summary: str
    onset: datetime
    age_s: float
    age_text: str
    told: Told


class Badge(Struct, frozen=True, kw_only=True):
    """A state in three ways: colour (by level), symbol and word."""

    level: Level
    symbol: str
    word: str


class Age(Struct, frozen=True, kw_only=True):
    """How old something is. ``doubt`` is the word for too old, or of unknown age; else empty."""

    time: datetime | None
    age_s: float | None
    text: str
    doubt: str


class Dose(Struct, frozen=True, kw_only=True):
    """Set and measured nitric oxide in ``unit``, and what the device is doing."""

    set: str
    measured: str
    unit: str
    doing: str


class Methb(Struct, frozen=True, kw_only=True):
    """The last methemoglobin with its age, and how the next check stands."""

    value: str
    time: datetime | None
    age_s: float | None
    age_text: str
    due: datetime | None
    due_in_s: float | None
    overdue_in_s: float | None
    text: str
    status: MethbStatus


class CourseShown(Struct, frozen=True, kw_only=True):
    """Hours of the course against its limit; ``hours`` is the greater of elapsed and delivered."""

    text: str
    left: str
    hours: float | None
    limit_h: float
    over: bool


class ShownRow(Struct, frozen=True, kw_only=True):
    """One bed.

    ``beside`` tells apart what the bed's name alone does not. ``doubts`` are what else must be
    said beside ``state``; ``why`` says in words what cannot be judged. ``none`` stands where there
    is no alert: none is open, or none is known of.
    """

    patient: str
    unit: str
    bed: str
    beside: str
    device: str | None
    delivery: Delivery
    state: Badge
    doubts: list[Badge]
    why: list[str]
    judged: Age
    data: Age
    dose: Dose
    no2: str
    fio2: str
    spo2: str
    methb: Methb
    course: CourseShown
    alerts: list[ShownAlert]
    none: str
    late_samples: int


class Counts(Struct, frozen=True, kw_only=True):
    """The head of the board.

    ``on_ino_unknown``: nobody knows now whether these are on iNO. ``left_off``: rows not shown,
    because without a course their devices were silent for a day.
    """

    beds: int
    on_ino: int
    on_ino_unknown: int
    high_open: int
    medium_open: int
    methb_near: int
    silent: int
    undelivered: int
    oldest_data_age_s: float | None
    oldest_data: str
    left_off: int


class BoardView(Struct, frozen=True, kw_only=True):
    """The whole board as of ``as_of``."""

    as_of: datetime
    units: list[str]
    profiles: list[str]
    limits: Limits
    counts: Counts
    rows: list[ShownRow]
