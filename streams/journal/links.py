"""Lines to links: what one line of a journal says of its place, if it is genuine.

A chain's entries and the anchors are linked alike, so that one reading finds what is wrong with
either. Pure: it knows neither files nor what comes before a line.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from schemas.anchor import Anchor
from schemas.entry import Entry
from streams.journal.sealed import is_genuine

ANCHORS = "anchors"
"""The name of the chain that the anchors are."""

What = Literal[
    "edited", "missing", "reordered", "replaced", "truncated", "unknown-key", "torn", "unreadable"
]

_R = TypeVar("_R", Entry, Anchor)
_ENTRY = msgspec.json.Decoder(Entry)
_ANCHOR = msgspec.json.Decoder(Anchor)


class Bad(Struct, frozen=True):
    """Why a line is no link: ``what`` in a word, ``detail`` in a sentence."""

    what: What
    detail: str


class Link(Struct, frozen=True, kw_only=True):
    """Number ``seq`` of ``chain``, on top of the one with the hash ``prev``.

    ``time`` is when Kafka had the record, or when the anchor was made; ``offset`` is the record's
    place in Kafka, which an anchor has not.
    """

    chain: str
    seq: int
    prev: str
    hash: str
    time: datetime
    offset: int | None


Read = Callable[[bytes], Link | Bad]
"""Makes a link of a line without its newline."""


def entry_link(line: bytes, keys: Mapping[str, bytes]) -> Link | Bad:
    """Read one line, without its newline, as an entry."""
    entry = _genuine(line, _ENTRY, keys)
    if isinstance(entry, Bad):
        return entry
    return Link(
        chain=entry.chain,
        seq=entry.seq,
        prev=entry.prev,
        hash=entry.hash,
        time=entry.recorded,
        offset=entry.offset,
    )


def anchor_of(line: bytes, keys: Mapping[str, bytes]) -> Anchor | Bad:
    """Read one line, without its newline, as an anchor."""
    return _genuine(line, _ANCHOR, keys)


def anchor_link(anchor: Anchor) -> Link:
    """Give an anchor's place among the anchors."""
    return Link(
        chain=ANCHORS,
        seq=anchor.number,
        prev=anchor.prev,
        hash=anchor.hash,
        time=anchor.time,
        offset=None,
    )


def _genuine(line: bytes, decoder: msgspec.json.Decoder[_R], keys: Mapping[str, bytes]) -> _R | Bad:
    try:
        record = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Bad("edited", "it cannot be read any more")
    key = keys.get(record.key_id)
    if key is None:
        return Bad("unknown-key", f"the key {record.key_id!r} is not at hand")
    if not is_genuine(line, key):
        return Bad("edited", "its hash does not fit what it says")
    return record
