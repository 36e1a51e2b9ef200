"""A state as bytes for the changelog and the table: JSON, packed with zstd.

A table holds one of every open course in memory and a checkpoint writes hundreds at a time; packed
they are a sixth of the size. What an earlier version wrote unpacked is read as well.
"""

from functools import cache

import msgspec
import zstandard

from schemas.encode import encode
from schemas.state import PatientState

_STATE = msgspec.json.Decoder(PatientState)
_LEVEL = 1
_MOST_BYTES = 64 * 1024 * 1024
"""No state is as large; a value that claims to be is not unpacked."""


def packed(state: PatientState) -> bytes:
    """Write a state down."""
    return _compressor().compress(encode(state))


def unpacked(value: bytes) -> PatientState:
    """Read a state; raises ``ValueError`` for anything else."""
    try:
        raw = value if value[:1] == b"{" else _decompressor().decompress(value, _MOST_BYTES)
        return _STATE.decode(raw)
    except (zstandard.ZstdError, msgspec.DecodeError) as wrong:
        raise ValueError(f"{len(value)} bytes of the changelog are no state: {wrong}") from wrong


@cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=_LEVEL)


@cache
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()
