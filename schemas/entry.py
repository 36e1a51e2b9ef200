"""One entry of the audit journal: a record of a topic, as it came, in its place in a chain."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from schemas.anchor import Digest, Number
from schemas.units import Time, Word

EntryKind = Literal["alert", "page", "action", "profile-change", "view"]


class Entry(Struct, frozen=True, kw_only=True):
    """The record at ``offset`` of the topic's partition that ``chain`` names (``ino.alerts/3``).

    ``seq`` counts from 1. ``at`` is the record's own time, where it has a readable one, and
    ``recorded`` the ward's time at which Kafka had it. ``body`` is the record, byte for byte, when
    it is plain JSON on one line; otherwise ``body`` is null and ``raw`` has the bytes in base64.
    ``prev`` is the hash of the entry before (zeros for the first), and ``hash`` the HMAC under the
    key ``key_id`` of all that stands before it in the line.
    """

    chain: Word
    seq: Number
    kind: EntryKind
    at: datetime | None
    recorded: Time
    offset: Annotated[int, Meta(ge=0)]
    body: Raw
    raw: str | None
    prev: Digest
    key_id: Word
    hash: Digest
