"""States as bytes: what is written is read back, and rubbish is named as such."""

from datetime import UTC, datetime

import msgspec
import pytest

from schemas.encode import encode
from schemas.state import PatientState
from streams.packed import packed, unpacked

STATE = PatientState(
    "p1", unit="nicu", offsets={"t": 7}, sample_time=datetime(2026, 1, 1, tzinfo=UTC)
)


def test_there_and_back() -> None:
    """A state comes back as it was."""
    assert unpacked(packed(STATE)) == STATE


def test_an_earlier_version_is_read() -> None:
    """States that were written unpacked, with every field, are taken up over an upgrade."""
    everything = msgspec.json.encode(msgspec.to_builtins(STATE))
    assert unpacked(everything) == unpacked(encode(STATE)) == STATE


@pytest.mark.parametrize("rubbish", [b"", b"{", b"x", packed(STATE)[:-3], b'{"unit":"u"}'])
def test_rubbish_is_named(rubbish: bytes) -> None:
    """What is no state is said to be none, with its size and the reason."""
    with pytest.raises(ValueError, match=f"{len(rubbish)} bytes of the changelog are no state: ."):
        unpacked(rubbish)
