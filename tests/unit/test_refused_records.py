"""Refused records are counted, once each, for whom they claim to be of."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.profile_book import load_profile
from schemas.alert import Alert
from schemas.claimed import claimed
from schemas.decode import MAX_RECORD_BYTES
from schemas.encode import encode
from schemas.state import PatientState
from streams.refusals import MOST_DEVICES
from streams.replay import replay, replay_until
from streams.row import row_of
from streams.ward import Ward
from tests.unit.partitions import T0, TELEMETRY, Site

RULE = "data-rejected"


def bad(patient: str | None, device: str | None = "d1", **fields: Any) -> bytes:
    """Make a sample that is refused for its NaN."""
    named = {"patient": patient, "device": device} | fields
    known = {key: value for key, value in named.items() if value is not None}
    return json.dumps(known | {"no_ppm": float("nan")}).encode()


def known_patient(site: Site, partition: int = 1) -> str:
    """Let one patient of a partition be known."""
    (name,) = site.names(1, partition)
    site.tick()
    site.send([name])
    return name


def test_a_clock_that_runs_ahead() -> None:
    """A known device whose clock is ten minutes ahead: after five samples somebody is told."""
    site = Site()
    name = known_patient(site)
    ahead = site.now + timedelta(minutes=10)
    for second in range(5):
        site.run(10)
        site.send([name], time=(ahead + timedelta(seconds=10 * second)).isoformat(), device="d9")
    (alert,) = [alert for alert in site.alerts if alert.rule == RULE]
    assert alert.summary == (
        f"Bed {name}: 5 records of device d9 refused within 10 min (from the future):"
        " they are not judged"
    )
    assert (alert.patient, alert.device, alert.course, alert.at) == (name, "d9", None, site.now)
    state = site.state(name)
    assert state is not None
    row = row_of(state, site.now, load_profile("default"))
    assert "its records are refused" in row.cannot_judge
    assert [one.rule for one in row.alerts] == [RULE]
    site.run(601, [name])
    assert site.told(RULE)[-1][1] == "cleared"


def test_by_their_arrival_and_not_by_the_clock() -> None:
    """After an outage the clock stands still while hours of records are read: each counts there."""
    site = Site()
    name = known_patient(site)
    for number in range(12):
        site.now += timedelta(minutes=3)
        site.put(1, TELEMETRY, bad(name, seq=number))
    assert site.told(RULE) == []
    for _ in range(5):
        site.now += timedelta(minutes=1)
        site.put(1, TELEMETRY, bad(name))
    arrived = (site.now - T0).total_seconds()
    site.now += timedelta(hours=1)
    for _ in range(5):
        site.now += timedelta(minutes=1)
        site.put(1, TELEMETRY, bad(name))
    again = (site.now - T0).total_seconds()
    assert [told for told in site.told(RULE) if told[1] == "cleared"] == [
        (name, "cleared", "low", arrived + 600)
    ]
    assert site.told(RULE)[-1] == (name, "raised", "low", again)


def test_redelivered_ones_count_once() -> None:
    """Records that come again after a crash are dead letters again, and are not counted again."""
    site = Site()
    name = known_patient(site)
    arrivals = [site.now + timedelta(minutes=3 * number) for number in range(12)]
    for number, site.now in enumerate(arrivals):
        site.put_again(1, TELEMETRY, (100 + number, None, bad(name), site.now))
    for number, arrived in enumerate(arrivals):
        site.restart(1)
        site.put_again(1, TELEMETRY, (100 + number, None, bad(name), arrived))
    assert site.told(RULE) == []
    assert sum(len(outcome.dead_letters) for outcome in site.outcomes) == 24
    for second in range(5):
        site.run(1)
        site.put_again(1, TELEMETRY, (200 + second, None, bad(name), site.now))
    assert [told[:2] for told in site.told(RULE)] == [(name, "raised")]


def test_a_restart_keeps_the_count() -> None:
    """A restart between the records, and one while it is open: raised and cleared once."""
    site = Site()
    name = known_patient(site)
    for _ in range(5):
        site.restart(1)
        site.run(10)
        site.put(1, TELEMETRY, bad(name))
    site.restart(1)
    site.run(700)
    assert [told[:2] for told in site.told(RULE)] == [(name, "raised"), (name, "cleared")]


def test_rubbish_makes_no_patients() -> None:
    """Rubbish under a thousand names is one unknown patient, with a name of its own a partition."""
    site = Site()
    site.tick()
    for number in range(1000):
        site.put(number % 4, TELEMETRY, bad(f"x{number}", f"d{number}"), b"x%d" % number)
    for number, part in site.parts.items():
        assert set(part.ward.patients) == {f"?{number}"}
        assert len(encode(part.ward.patients[f"?{number}"])) < 4000
    assert {told[:2] for told in site.told(RULE)} == {(f"?{n}", "raised") for n in range(4)}
    alert = site.alerts[0]
    assert alert.summary.startswith("Unknown bed: 5 records of device d")
    assert "that belong to no known patient" in alert.summary


def test_many_devices_are_bounded() -> None:
    """A known patient under whose name a hundred devices send rubbish keeps the newest few."""
    site = Site()
    name = known_patient(site)
    for number in range(100):
        site.put(1, TELEMETRY, bad(name, f"d{number}"))
    state = site.state(name)
    assert state is not None
    assert list(state.refused) == [f"d{number}" for number in range(100 - MOST_DEVICES, 100)]


def test_a_stray_record_makes_no_patient() -> None:
    """A sound record in another patient's partition is refused, and is nobody's there."""
    site = Site()
    (name,) = site.names(1, 2)
    site.tick()
    sample = {"time": T0.isoformat(), "device": "d", "patient": name, "unit": "u", "bed": "b"}
    for second in range(5):
        time = (T0 + timedelta(seconds=second)).isoformat()
        site.put(3, TELEMETRY, json.dumps(sample | {"mode": "off", "time": time}).encode())
    assert set(site.parts[3].ward.patients) == {"?3"}
    assert [told[0] for told in site.told(RULE)] == ["?3"]
    assert "(wrong partition)" in site.alerts[0].summary


def test_the_key_names_the_patient() -> None:
    """A record that cannot be read at all counts for the patient who is its key."""
    site = Site()
    name = known_patient(site)
    for _ in range(5):
        site.run(1)
        site.put(1, TELEMETRY, b"rubbish", name.encode())
    assert [told[:2] for told in site.told(RULE)] == [(name, "raised")]
    assert "5 records refused within 10 min (not json)" in site.alerts[-1].summary


def judged(lines: list[bytes], until: datetime) -> list[Alert]:
    """Replay these lines."""
    ward = Ward()
    told = list(replay(lines, ward, lambda *_: None))
    return told + list(replay_until(ward, until))


def test_replay_before_any_clock() -> None:
    """Before a recording has a clock a refused record counts at its own time, if it has one."""
    times = [(T0 + timedelta(minutes=minute)).isoformat() for minute in range(5)]
    timed = judged([bad("p1", time=time) for time in times], T0 + timedelta(hours=1))
    assert [(a.patient, a.phase, a.at) for a in timed] == [
        ("?0", "raised", T0 + timedelta(minutes=4)),
        ("?0", "cleared", T0 + timedelta(minutes=14)),
    ]
    assert judged([bad("p1", seq=number) for number in range(9)], T0) == []
    long_ago = [bad("p1", time=f"1970-01-01T00:00:0{n}Z") for n in range(9)]
    assert judged(long_ago, T0) == []


def test_a_refused_record_moves_no_clock() -> None:
    """However late its own time is, nothing falls due by it."""
    ward = Ward()
    sample = b'{"type":"tick","time":"2026-03-01T08:00:00Z"}'
    list(replay([sample, bad("p1", time="2026-03-05T08:00:00Z")], ward, lambda *_: None))
    assert ward.clock == T0


def test_the_same_record_twice_is_one() -> None:
    """In a recording a line that stands there twice counts once, with or without a time."""
    tick = b'{"type":"tick","time":"%s"}'
    lines: list[bytes] = []
    for minute in range(4):
        now = (T0 + timedelta(minutes=minute)).isoformat()
        lines += [tick % now.encode(), bad("p1", time=now), bad("p2")]
    once = [line for line in lines for _ in range(1)]
    twice = [line for line in lines for _ in range(2)]
    until = T0 + timedelta(hours=1)
    assert [encode(alert) for alert in judged(twice, until)] == [
        encode(alert) for alert in judged(once, until)
    ]
    assert judged(lines, until)


@pytest.mark.parametrize(
    ("raw", "key", "expected"),
    [
        (b'{"patient":"p1","device":"d1","x":NaN}', None, ("p1", "d1")),
        (b'{"device" : "d\xc3\xa4", "patient" :"p-1', None, (None, "dä")),
        (b'{"patient":7}', b"p2", ("p2", None)),
        (b'{"patient":"*nicu"}', b"?0", (None, None)),
        (b'{"patient":"' + b"p" * 65 + b'"}', None, (None, None)),
        (b"", b"p3", ("p3", None)),
        (b"", b"\xff", (None, None)),
        (b" " * MAX_RECORD_BYTES + b'{"patient":"p1"}', None, (None, None)),
        (b'{"note":"\\"patient\\":\\"p9\\"","patient":"p1"}', None, ("p1", None)),
    ],
)
def test_claims(raw: bytes, key: bytes | None, expected: tuple[str | None, str | None]) -> None:
    """What can be read is read, whatever else is wrong; a stand-in's name is nobody's claim."""
    claim = claimed(raw, key)
    assert (claim.patient, claim.device) == expected


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-01T09:00:00+01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T08:00:00.25Z", datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01T08:00:00", None),
        ("2026-13-01T08:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-05:00", None),
    ],
)
def test_the_time_of_a_claim(time: str, expected: datetime | None) -> None:
    """A time counts when it has an offset and is plausible."""
    assert claimed(msgspec.json.encode({"time": time})).time == expected


@given(st.binary(max_size=300), st.none() | st.binary(max_size=80))
@example(b'"time":"0001-01-01T00:00:00+14:00"', None)
def test_claims_never_raise(raw: bytes, key: bytes | None) -> None:
    """Whatever the bytes are, a claim comes out, and the state that it makes can be kept."""
    ward = Ward()
    ward.refuse(claimed(raw, key), "not-json", T0)
    for state in ward.patients.values():
        assert msgspec.json.decode(encode(state), type=PatientState) == state
