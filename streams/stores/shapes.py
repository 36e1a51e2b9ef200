"""What makes a point one point: for each type of record its tags, its time and its twin.

Chosen so that a redelivery changes nothing, so that no second record is swallowed, and so that
the number of series is bounded by people, beds and what is done to them, never by samples: to a
time series store each new set of tags is a new series, which it holds in its index for ever.
"""

import hashlib
from typing import Literal

from msgspec import Struct

from schemas.action import Action
from schemas.alert import Alert
from schemas.anchor import Anchor
from schemas.course import Course
from schemas.health import Health
from schemas.lab import Lab
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter
from schemas.telemetry import Telemetry
from schemas.view import View

Record = (
    Telemetry
    | Lab
    | Course
    | Action
    | Alert
    | Page
    | DeadLetter
    | ProfileChange
    | View
    | Anchor
    | Health
)

SLOTS = 997
"""A prime just below the 999 twins that there are beside 0, which means *no counter*."""


class Shape(Struct, frozen=True):
    """How the records of one type become points.

    ``tags`` and ``hidden`` are names of the record's fields: those that identify it, and those
    that stand in its JSON only. ``time`` is the field that is the point's time. A ``versioned``
    point also carries a digest of its content as the tag ``version``. ``twin`` is the counter
    whose remainder keeps points of one series and one moment apart, or ``content`` for a digest.
    """

    measurement: str
    tags: tuple[str, ...]
    time: str = "time"
    versioned: bool = False
    twin: Literal["seq", "offset", "content"] | None = None
    hidden: frozenset[str] = frozenset({"type", "time"})


SHAPES: dict[type[Record], Shape] = {
    # Known by (device, time, seq), but seq as a tag would be one series a sample. With its
    # remainder as the twin, two samples of a device at one microsecond are lost to each other only
    # if their counters differ by a multiple of 997 and nothing else in the tags differs:
    # consecutive ones never do, nor do those of a clock that was put back by an hour, as the
    # number of samples in an hour is no multiple of the prime.
    Telemetry: Shape("telemetry", ("patient", "unit", "bed", "device"), twin="seq"),
    # An amendment repeats the id and the collection time, and every version has to stay, so the
    # content itself tells them apart. One series a result: 240 a day for 40 beds tested every four
    # hours, 88 000 a year, where an index is made for millions. A remainder, as above, would be
    # too little here: two versions in a thousand would fall together.
    Lab: Shape("lab", ("patient", "code"), versioned=True),
    Course: Shape("course", ("patient",), versioned=True),
    Action: Shape("action", ("patient", "action"), versioned=True),
    # Known by (id, phase, at).
    Alert: Shape("alert", ("patient", "unit", "rule", "phase", "id"), time="at"),
    # Attempts are told apart by the time of the answer. As a tag, their number would make a sink
    # that is down for a day thousands of series; so the rare two answers of one sink about one
    # alert at one microsecond are told apart by a digest that is no tag.
    Page: Shape("page", ("patient", "rule", "phase", "sink", "alert"), twin="content"),
    ProfileChange: Shape("profile_change", ("patient", "unit", "cause")),
    # One person may look at one thing twice in a microsecond only by an error of a clock.
    View: Shape("view", ("patient", "unit", "what", "by"), twin="content"),
    Anchor: Shape("anchor", (), twin="content"),
    # A watchdog has one series for all time: roles and sinks are in the names of the fields.
    Health: Shape("health", ("watcher",)),
    # The original bytes may say anything about anybody: they stay in the one field that must have
    # them, and neighbours in a partition never share a remainder.
    DeadLetter: Shape(
        "dead_letter",
        ("topic", "partition", "reason"),
        twin="offset",
        hidden=frozenset({"type", "time", "key", "value"}),
    ),
}


def slot(counter: int | None) -> int:
    """Map a counter to a twin, 1 to 997; no counter to 0."""
    return 0 if counter is None else 1 + counter % SLOTS


def version(canonical: bytes) -> str:
    """Digest a record's canonical JSON: 16 hexadecimal digits, the same for the same content."""
    return hashlib.blake2b(canonical, digest_size=8).hexdigest()
