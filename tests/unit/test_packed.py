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


FORMER = (
    b'{"patient":"p1","devices":{"d":{"name":"d","time":"2026-01-01T00:00:00Z",'
    b'"heard":"2026-01-01T00:00:00Z","seqs":[1],"mode":"delivering",'
    b'"supplies":[{"time":"2026-01-01T00:00:00Z","bar":90.5}],'
    b'"alarms":[{"code":"E1","priority":"high","since":"2026-01-01T00:00:00Z"}]}},'
    b'"course":{"start":"2026-01-01T00:00:00Z","running_since":"2026-01-01T00:00:00Z",'
    b'"counted_to":"2026-01-01T00:00:00Z","counting":true,"planned":["2026-01-01T00:00:00Z"],'
    b'"methb_high":[{"at":"2026-01-01T00:00:00Z","onset":"2026-01-01T00:00:00Z"}],'
    b'"spo2_first_pct":[91.0],"fio2_first_pct":[60.0]},"context":{},"seen":["0f"],'
    b'"tracks":{"no2-high":{"tiers":[{},{"active":true}]}}}'
)
"""What was written when these fields were lists in memory."""


def test_the_written_form_stays() -> None:
    """What a former version wrote is read, and written again to the same bytes."""
    assert encode(unpacked(FORMER)) == FORMER


@pytest.mark.parametrize("rubbish", [b"", b"{", b"x", packed(STATE)[:-3], b'{"unit":"u"}'])
def test_rubbish_is_named(rubbish: bytes) -> None:
    """What is no state is said to be none, with its size and the reason."""
    with pytest.raises(ValueError, match=f"{len(rubbish)} bytes of the changelog are no state: ."):
        unpacked(rubbish)
