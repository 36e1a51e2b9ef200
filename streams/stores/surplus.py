"""What a sender said beyond the contract: ignored when judging, kept all the same.

Knows JSON, but no record type: whatever the canonical record does not repeat is surplus.
"""

import base64
from typing import Any

import msgspec

from streams.stores.pieces import pieces


def surplus(raw: bytes | None, canonical: bytes) -> dict[str, str]:
    """Give the fields that keep ``raw`` if it has names that ``canonical`` lacks; else nothing.

    A record may hold bytes that are no text where nobody reads it; those are kept in base64.
    """
    if raw is None or raw == canonical:
        return {}
    try:
        sent = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return pieces("raw_base64", base64.b64encode(raw).decode())
    if _adds(sent, msgspec.json.decode(canonical)):
        return pieces("raw", raw.decode())
    return {}


def _adds(sent: Any, kept: Any) -> bool:
    if isinstance(sent, dict) and isinstance(kept, dict):
        return any(name not in kept or _adds(value, kept[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(kept, list):
        return any(map(_adds, sent, kept))
    return False
