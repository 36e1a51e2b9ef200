"""An anchor: how far each chain of the audit journal was, kept in a second place."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.units import Time, Word

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256 in hexadecimal, lower case."""
Number = Annotated[int, Meta(ge=1)]
"""A place in a chain, counted from 1."""


class Head(Struct, frozen=True, kw_only=True):
    """The newest entry of ``chain``: its number and its hash."""

    chain: Word
    seq: Number
    hash: Digest


class Anchor(Struct, frozen=True, kw_only=True):
    """All heads at ``time``, in the order of their names.

    Anchors are a chain themselves: ``number`` counts from 1, ``prev`` is the hash of the one
    before, and ``hash`` is the HMAC under the key ``key_id`` of all that stands before it.
    """

    time: Time
    number: Number
    heads: tuple[Head, ...]
    prev: Digest
    key_id: Word
    hash: Digest
