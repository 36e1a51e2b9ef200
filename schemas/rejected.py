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


MOST_KEPT_BYTES = 5 * 1024 * 1024
"""Of a key or value larger than this the beginning is kept; the whole is where it came from."""


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


def kept(part: bytes | None) -> bytes | None:
    """Return what a dead letter keeps of a key or a value: all of it, within reason."""
    return None if part is None else part[:MOST_KEPT_BYTES]
