"""Bad input as data: why a record was refused, and the dead letter that keeps it."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Reason = Literal[
    "too-large",
    "not-utf8",
    "not-json",
    "not-a-number",
    "not-an-object",
    "missing-field",
    "wrong-type",
    "unknown-type",
    "unknown-value",
    "out-of-range",
    "not-a-pseudonym",
    "time-without-offset",
    "bad-time",
    "before-2015",
    "from-the-future",
    "ambiguous-gestational-age",
    "bad-gestational-age",
    "unknown-profile",
    "wrong-topic",
    "wrong-partition",
    "unreadable-output",
    "refused-by-store",
]
"""The last two are found by the recorder: a record on one of the product's own topics that is none,
and a record that the store will never take."""


class Rejected(Struct, frozen=True):
    """A record that is not judged. ``detail`` is a sentence for the person who sent it."""

    reason: Reason
    detail: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A refused record as it came: ``key`` and ``value`` are the original bytes in base64.

    ``time`` is when it was refused.
    """

    time: datetime
    topic: str
    partition: int
    offset: int
    reason: Reason
    detail: str
    key: bytes | None
    value: bytes | None
