"""The front door: every reason of the contract, and nothing that gets past it or raises."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decode import MAX_RECORD_BYTES, Event, Kind, decode
from schemas.encode import encode
from schemas.lab import Lab
from schemas.rejected import Reason, Rejected
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from schemas.unit import UnitWord
from streams.door import admit

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)

SAMPLE: dict[str, Any] = {
    "type": "telemetry",
    "time": "2026-11-20T10:00:00.250Z",
    "device": "d1",
    "patient": "p-1",
    "unit": "nicu",
    "bed": "4",
    "mode": "delivering",
}
LAB: dict[str, Any] = {
    "type": "lab",
    "time": "2026-11-20T10:00:00Z",
    "id": "l1",
    "patient": "p-1",
    "code": "2614-6",
    "value": 1.2,
    "unit": "%",
    "resulted": "2026-11-20T10:30:00+00:00",
    "status": "final",
}
COURSE: dict[str, Any] = {
    "type": "course",
    "time": "2026-11-20T10:00:00Z",
    "id": "c1",
    "patient": "p-1",
}
ACTION: dict[str, Any] = {
    "type": "action",
    "time": "2026-11-20T10:00:00Z",
    "id": "a1",
    "patient": "p-1",
    "by": "nurse-1",
    "action": "resume",
}
ORDER = {"max_set_ppm": 40, "until": "2026-11-20T12:00:00Z", "by": "dr-1", "reason": "trial"}


def raw(base: dict[str, Any], **changes: Any) -> bytes:
    """Write a record with some fields changed; a change to ``...`` leaves the field out."""
    record = {**base, **changes}
    return msgspec.json.encode({k: v for k, v in record.items() if v is not ...})


TAKEN: list[tuple[str, bytes]] = [
    ("least sample", raw(SAMPLE)),
    ("null is unknown", raw(SAMPLE, set_ppm=None, no_ppm=None)),
    ("bounds of numbers", raw(SAMPLE, set_ppm=100, no_ppm=200, no2_ppm=50, cylinder_bar=300)),
    ("lower bounds", raw(SAMPLE, set_ppm=0, fio2_pct=0, spo2_pct=0, seq=0)),
    ("unknown field", raw(SAMPLE, firmware="7")),
    ("64 characters", raw(SAMPLE, patient="a" * 64, device="d" * 64)),
    ("another offset", raw(SAMPLE, time="2026-11-20T11:00:00+01:00")),
    ("first moment", raw(SAMPLE, time="2015-01-01T00:00:00Z")),
    ("device alarms", raw(SAMPLE, alarms=[{"code": "x", "priority": "high", "active": True}])),
    ("lab", raw(LAB)),
    ("lab without resulted", raw(LAB, resulted=...)),
    ("fraction", raw(LAB, value=1, unit="1")),
    ("cancelled without a value", raw(LAB, status="cancelled", value=None, unit=None)),
    ("course", raw(COURSE, gestational_age="36w2d", flags={"cdh": False})),
    ("born before 2015", raw(COURSE, born="2014-11-19T00:00:00Z")),
    ("weeks plus days", raw(COURSE, gestational_age="34+0")),
    ("weeks and sevenths", raw(COURSE, gestational_age="34 6/7")),
    ("order", raw(COURSE, dose_order=ORDER)),
    ("order for ever", raw(COURSE, dose_order=ORDER | {"until": "9999-12-31T23:59:59-05:00"})),
    (
        "silence for ever",
        raw(ACTION, action="silence", rule="r", reason="x", until="9999-12-31T23:59:59-05:00"),
    ),
    ("null for a default", raw(SAMPLE, validity=None, generation=None)),
    ("long bed", raw(SAMPLE, bed="b" * 200)),
    ("wild value of a cancelled result", raw(LAB, status="cancelled", value=45, unit="1")),
    ("action", raw(ACTION)),
    ("plan", raw(ACTION, action="plan-stop", reason="weaned")),
    ("close", raw(ACTION, action="close-course", reason="ecmo")),
    ("tick", b'{"type":"tick","time":"2026-11-20T10:00:00Z"}'),
]

REFUSED: list[tuple[Reason, bytes]] = [
    ("too-large", raw(SAMPLE, firmware="x" * MAX_RECORD_BYTES)),
    ("not-utf8", raw(SAMPLE).replace(b"nicu", b"ni\xffcu")),
    ("not-utf8", b"\xff\xfe"),
    ("not-json", b""),
    ("not-json", b"rubbish"),
    ("not-json", raw(SAMPLE) + b" trailing"),
    ("not-json", raw(SAMPLE)[:-1]),
    ("not-a-number", raw(SAMPLE, set_ppm=1).replace(b":1}", b":NaN}")),
    ("not-a-number", raw(SAMPLE, set_ppm=1).replace(b":1}", b":-Infinity}")),
    ("not-an-object", b"[]"),
    ("not-an-object", b"null"),
    ("not-an-object", b'"text"'),
    ("missing-field", raw(SAMPLE, type=...)),
    ("missing-field", raw(SAMPLE, time=...)),
    ("missing-field", raw(SAMPLE, device=...)),
    ("missing-field", raw(SAMPLE, patient=...)),
    ("missing-field", raw(SAMPLE, unit=...)),
    ("missing-field", raw(SAMPLE, bed=...)),
    ("missing-field", raw(SAMPLE, mode=...)),
    ("missing-field", raw(LAB, value=None)),
    ("missing-field", raw(LAB, unit=...)),
    ("missing-field", raw(LAB, status=...)),
    ("missing-field", raw(COURSE, dose_order={"max_set_ppm": 40})),
    ("missing-field", raw(ACTION, action="acknowledge")),
    ("missing-field", raw(ACTION, action="silence", rule="no2-high", reason="x")),
    ("missing-field", raw(ACTION, action="plan-stop")),
    ("missing-field", raw(ACTION, action="plan-stop", reason="")),
    ("missing-field", raw(ACTION, action="review", rule="course-over-14-days")),
    ("missing-field", raw(ACTION, action="close-course")),
    ("missing-field", b'{"type":"tick"}'),
    ("wrong-type", raw(SAMPLE, set_ppm="20")),
    ("wrong-type", raw(SAMPLE, set_ppm=True)),
    ("wrong-type", raw(SAMPLE, patient=7)),
    ("wrong-type", raw(SAMPLE, time=1_700_000_000)),
    ("wrong-type", raw(SAMPLE, seq=1.5)),
    ("wrong-type", raw(SAMPLE, alarms=["x"])),
    ("wrong-type", raw(COURSE, flags={"cdh": "yes"})),
    ("unknown-type", raw(SAMPLE, type="vitals")),
    ("unknown-value", raw(SAMPLE, mode="on")),
    ("unknown-value", raw(SAMPLE, validity="maybe")),
    ("unknown-value", raw(LAB, unit="g/dL")),
    ("unknown-value", raw(ACTION, action="close-course", reason="bored")),
    ("out-of-range", raw(SAMPLE, set_ppm=100.1)),
    ("out-of-range", raw(SAMPLE, set_ppm=-0.1)),
    ("out-of-range", raw(SAMPLE, no_ppm=200.5)),
    ("out-of-range", raw(SAMPLE, no2_ppm=50.5)),
    ("out-of-range", raw(SAMPLE, spo2_pct=101)),
    ("out-of-range", raw(SAMPLE, cylinder_bar=301)),
    ("out-of-range", raw(SAMPLE, set_ppm=1).replace(b":1}", b":1e999}")),
    ("out-of-range", raw(SAMPLE, seq=-1)),
    ("out-of-range", raw(SAMPLE, device="")),
    ("out-of-range", raw(SAMPLE, device="d" * 65)),
    ("out-of-range", raw(LAB, value=45, unit="1")),
    ("out-of-range", raw(LAB, value=101)),
    ("out-of-range", raw(LAB, value=-1)),
    ("out-of-range", raw(COURSE, dose_order=ORDER | {"max_set_ppm": 101})),
    ("not-a-pseudonym", raw(SAMPLE, patient="Jane Doe")),
    ("not-a-pseudonym", raw(SAMPLE, patient="p1\n")),
    ("not-a-pseudonym", raw(SAMPLE, patient="")),
    ("not-a-pseudonym", raw(SAMPLE, patient="p" * 65)),
    ("time-without-offset", raw(SAMPLE, time="2026-11-20T10:00:00")),
    ("time-without-offset", raw(LAB, resulted="2026-11-20T10:30:00")),
    ("bad-time", raw(SAMPLE, time="yesterday")),
    ("bad-time", raw(SAMPLE, time="9999-12-31T23:59:59-05:00")),
    ("bad-time", b'{"type":"tick","time":"9999-12-20T00:00:00Z"}'),
    ("bad-time", raw(LAB, resulted="9999-12-31T23:59:59-05:00")),
    ("not-utf8", raw(SAMPLE, firmware="x").replace(b'"x"', b'"\xff"')),
    ("bad-time", raw(SAMPLE, time="2026-02-30T10:00:00Z")),
    ("before-2015", raw(SAMPLE, time="1970-01-01T00:00:00Z")),
    ("before-2015", raw(SAMPLE, time="0001-01-01T00:00:00+23:00")),
    ("before-2015", raw(LAB, resulted="2014-12-31T23:59:59Z")),
    ("before-2015", raw(COURSE, dose_order=ORDER | {"until": "2014-01-01T00:00:00Z"})),
    (
        "before-2015",
        raw(ACTION, action="silence", rule="r", reason="x", until="1999-01-01T00:00:00Z"),
    ),
    ("ambiguous-gestational-age", raw(COURSE, gestational_age="34.6")),
    ("ambiguous-gestational-age", raw(COURSE, gestational_age=34.6)),
    ("ambiguous-gestational-age", raw(COURSE, gestational_age="34")),
    ("bad-gestational-age", raw(COURSE, gestational_age="34w7d")),
    ("bad-gestational-age", raw(COURSE, gestational_age="term")),
]


@pytest.mark.parametrize(("what", "record"), TAKEN, ids=[what for what, _ in TAKEN])
def test_taken(what: str, record: bytes) -> None:
    """A record within the contract is an event, its time in UTC."""
    event = decode(record)
    assert not isinstance(event, Rejected)
    assert event.time.utcoffset() == timedelta()


@pytest.mark.parametrize(("reason", "record"), REFUSED)
def test_refused(reason: Reason, record: bytes) -> None:
    """What breaks the contract is refused with its own reason and a sentence."""
    refused = decode(record)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    assert refused.detail


def test_from_the_future() -> None:
    """Two minutes ahead of the clock is taken, a moment more is not; a recording has no clock."""
    edge = raw(SAMPLE, time="2026-11-20T10:02:00Z")
    beyond = raw(SAMPLE, time="2026-11-20T10:02:00.001Z")
    resulted = raw(LAB, resulted="2026-11-20T10:03:00Z")
    assert isinstance(decode(edge, now=NOW), Telemetry)
    for ahead in (beyond, resulted):
        refused = decode(ahead, now=NOW)
        assert isinstance(refused, Rejected)
        assert refused.reason == "from-the-future"
        assert not isinstance(decode(ahead), Rejected)


@pytest.mark.parametrize("kind", ["telemetry", "lab", "course", "action"])
def test_a_topic_carries_its_own_type_and_ticks(kind: Kind) -> None:
    """On a topic the type may be left out; another is refused, what is our own never is."""
    records = {"telemetry": SAMPLE, "lab": LAB, "course": COURSE, "action": ACTION}
    assert decode(raw(records[kind], type=...), kind) == decode(raw(records[kind]))
    assert isinstance(decode(b'{"type":"tick","time":"2026-11-20T10:00:00Z"}', kind), Tick)
    word = UnitWord(time=NOW, unit="nicu", since=None)
    assert decode(encode(word), kind) == decode(encode(word)) == word
    for other, record in records.items():
        if other != kind:
            refused = decode(raw(record), kind)
            assert isinstance(refused, Rejected)
            assert refused.reason == "wrong-topic"
    broken = decode(b'{"type":"tick","time":"1970-01-01T00:00:00Z"}', kind)
    assert isinstance(broken, Rejected)
    assert broken.reason == "before-2015"


def test_unknown_profile() -> None:
    """A course that names a profile nobody has is refused, and told which there are."""
    refused = admit(raw(COURSE, profile="mine"))
    assert isinstance(refused, Rejected)
    assert refused.reason == "unknown-profile"
    assert "floor-2" in refused.detail
    assert not isinstance(admit(raw(COURSE, profile="floor-2")), Rejected)


def test_a_fraction_is_percent() -> None:
    """0.031 with unit 1 is 3.1 %, and limits are met exactly."""
    for value, percent in ((0.031, 3.1), (0.07, 7.0), (0.025, 2.5), (1, 100.0)):
        lab = decode(raw(LAB, value=value, unit="1"))
        assert isinstance(lab, Lab)
        assert lab.value_pct == percent


def _never_raises(record: bytes) -> Event | Rejected:
    for kind in (None, "telemetry", "lab", "course", "action"):
        decode(record, kind, NOW)  # type: ignore[arg-type] # the loop's words are kinds
    return decode(record)


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes(record: bytes) -> None:
    """Bytes that mean nothing are refused, and never raise."""
    assert isinstance(_never_raises(record), Rejected)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=1500, deadline=None)
@given(
    st.sampled_from([SAMPLE, LAB, COURSE, ACTION]),
    st.dictionaries(
        st.sampled_from([*SAMPLE, *LAB, "set_ppm", "flags", "dose_order", "action", "until"]),
        json_values,
        max_size=3,
    ),
)
def test_mutated_records(base: dict[str, Any], changes: dict[str, Any]) -> None:
    """A record with a wild field is refused or keeps the promises of its type."""
    event = _never_raises(raw(base, **changes))
    if isinstance(event, Telemetry):
        assert event.set_ppm is None or 0 <= event.set_ppm <= 100
    if isinstance(event, Lab) and event.value_pct is not None:
        assert 0 <= event.value_pct <= 100


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([SAMPLE, LAB, COURSE, ACTION]), st.data())
def test_damaged_records(base: dict[str, Any], data: st.DataObject) -> None:
    """A byte changed, or the end torn off, never raises."""
    whole = raw(base)
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    _never_raises(whole[:place] + bytes([byte]) + whole[place + 1 :])
    assert isinstance(_never_raises(whole[:place]), Rejected)
