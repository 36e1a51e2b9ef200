"""A dead letter as people name it, and which ones are meant. Data and words; it asks no Kafka."""

import re
from datetime import datetime
from typing import Self

import msgspec
from msgspec import Struct

from schemas.rejected import MOST_KEPT_BYTES, DeadLetter, Reason

_PLACE = re.compile(r"(\d{1,9}):(\d{1,18})", re.ASCII)
_LETTER = msgspec.json.Decoder(DeadLetter)


class Place(Struct, frozen=True, order=True):
    """Where a letter lies in the dead-letter topic; written ``2:1041``, that is its name."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name. Raises ``ValueError`` with a sentence for anything else."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} names no dead letter: PARTITION:OFFSET, as in 2:1041")
        return cls(int(found[1]), int(found[2]))


class Found(Struct, frozen=True):
    """A letter and where it lies."""

    place: Place
    letter: DeadLetter


class Wanted(Struct, frozen=True):
    """Which letters are meant; what is ``None`` does not narrow.

    ``topic`` is the one that the record was sent to; it was refused in ``[since, until)``.
    """

    reason: Reason | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def means(self, letter: DeadLetter) -> bool:
        """Whether this letter is one of them."""
        return (
            self.reason in {None, letter.reason}
            and self.topic in {None, letter.topic}
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time < self.until)
        )


EVERY = Wanted()


def letter_of(raw: bytes | None) -> DeadLetter | None:
    """Read what lies in the topic; ``None`` for what was not written by this product."""
    try:
        return _LETTER.decode(raw or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def is_cut(part: bytes | None) -> bool:
    """Whether there may have been more of a key or value than the letter keeps."""
    return part is not None and len(part) >= MOST_KEPT_BYTES
