"""What must hold of the core for every history, not only for those somebody thought of."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import streams.ward
from alerts.rules.telemetry_lost import is_grouped, last_heard
from schemas.action import Action
from schemas.alert import Alert
from schemas.claimed import Claim
from schemas.course import Course, DoseOrder, Flags
from schemas.encode import encode
from schemas.lab import Lab
from schemas.span import parse_span
from schemas.state import PatientState
from schemas.telemetry import DeviceAlarm, Telemetry
from schemas.tick import Tick
from streams.replay import replay, replay_until, stands_at
from streams.scenario.check import run
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of
from streams.step import PatientEvent
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
FILES = sorted(Path(__file__).parents[1].joinpath("scenarios").glob("*.yaml"))
EXAMPLES = int(os.environ.get("INOWATCH_EXAMPLES", "400"))
"""Histories a test; `make mutants` asks for fewer."""
PATIENTS = ("p1", "p2")
UNIT = (*PATIENTS, "p3", "p4", "p5")
ALARMS = (
    DeviceAlarm(code="battery", priority="medium", active=True),
    DeviceAlarm(code="no2-high", priority="high", active=True),
)

steps_s = st.sampled_from([0, 1, 5, 10, 30, 60, 119, 120, 121, 600, 3600, 7200, 7201, 14_400])


def telemetry() -> st.SearchStrategy[dict[str, Any]]:
    """A sample without its time."""
    return st.fixed_dictionaries(
        {
            "kind": st.just("telemetry"),
            "patient": st.sampled_from(PATIENTS),
            "device": st.sampled_from(["d1", "d1", "d1", "d2"]),
            "mode": st.sampled_from(
                ["delivering"] * 6 + ["standby", "calibrating", "purging", "backup", "off"]
            ),
            "set_ppm": st.sampled_from(
                [None, 0.0, 1.0, 2.0, 5.0, 5.1, 20.0, 20.0, 20.0, 20.1, 25.0, 41.0, 80.0]
            ),
            "no_ppm": st.sampled_from([None, 0.0, 15.0, 20.0, 24.5, 24.6, 50.0]),
            "no2_ppm": st.sampled_from([None, 0.1, 0.5, 1.0, 2.0]),
            "fio2_pct": st.sampled_from([None, 60.0, 60.0, 50.0]),
            "spo2_pct": st.sampled_from([None, 95.0, 95.0, 90.0, 84.0]),
            "cylinder_bar": st.sampled_from([None, 100.0, 99.0, 80.0, 60.0, 35.0, 10.0]),
            "alarms": st.sampled_from([None, None, (), ALARMS[:1], ALARMS[1:], ALARMS]),
            "validity": st.sampled_from(["valid"] * 5 + ["questionable", "invalid", "calibrating"]),
            "generation": st.sampled_from(["real"] * 9 + ["test"]),
            "back_s": st.sampled_from([0] * 9 + [5, 700]),
        }
    )


def others() -> st.SearchStrategy[dict[str, Any]]:
    """A lab result, a context record, an act, a tick or a refused record, without its time."""
    return st.one_of(
        st.fixed_dictionaries(
            {
                "kind": st.just("lab"),
                "patient": st.sampled_from(PATIENTS),
                "id": st.sampled_from(["l1", "l2"]),
                "back_s": st.sampled_from([0, 3600, 7200]),
                "status": st.sampled_from(["final", "amended", "cancelled"]),
                "value": st.sampled_from([1.0, 2.5, 5.0, 8.0]),
            }
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("action"),
                "patient": st.sampled_from(PATIENTS),
                "action": st.sampled_from(["plan-stop", "resume", "review", "close-course"]),
            }
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("course"),
                "patient": st.sampled_from(PATIENTS),
                "until_s": st.sampled_from([None, 0, 30, 7200]),
                "profile": st.sampled_from([None, "floor-2"]),
                "flag": st.sampled_from([None, True, False]),
                "cdh": st.sampled_from([None, None, True, False]),
                "gestational_age": st.sampled_from([None, None, "33w6d", "34w0d", "36w2d"]),
                "payer": st.sampled_from([None, None, "PacificSource", "bcbsma", "other"]),
                "indication": st.sampled_from([None, "hrf-pphn", "hrf-pphn", "perioperative-chd"]),
                "age_d": st.sampled_from([None, 1, 1, 20]),
            }
        ),
        st.just({"kind": "tick"}),
        st.fixed_dictionaries(
            {
                "kind": st.just("refused"),
                "patient": st.sampled_from([*PATIENTS, "nobody", None]),
                "device": st.sampled_from(["d1", "d1", None]),
                "timed": st.booleans(),
            }
        ),
    )


histories = st.lists(
    st.tuples(steps_s, st.one_of(telemetry(), telemetry(), telemetry(), others())), max_size=60
)

CHANGES: list[dict[str, Any]] = [
    {"mode": "calibrating"},
    {"mode": "off"},
    {"set_ppm": None},
    {"set_ppm": 10.0},
    {"no_ppm": None},
    {"no_ppm": 24.6},
    {"no2_ppm": None},
    {"no2_ppm": 2.0},
    {"fio2_pct": None},
    {"fio2_pct": 50.0},
    {"spo2_pct": None},
    {"spo2_pct": 84.0},
    {"spo2_pct": 100.0},
    {"cylinder_bar": 100.0},
    {"cylinder_bar": 60.0},
    {"cylinder_bar": 35.0},
    {"alarms": ALARMS[:1]},
    {"alarms": ()},
    {"validity": "invalid"},
    {"back_s": 30},
    {"back_s": 700},
    {"hours": 23},
]
MOVED = {"kind": "course", "until_s": None, "flag": None, "cdh": None, "age_d": None, "unit": "v"}
CALM = {
    "kind": "telemetry",
    "patient": "p1",
    "device": "d1",
    "mode": "delivering",
    "set_ppm": 20.0,
    "no2_ppm": 0.1,
    "fio2_pct": 60.0,
    "spo2_pct": 95.0,
    "validity": "valid",
}


@st.composite
def calm(draw: st.DrawFn) -> list[tuple[int, dict[str, Any]]]:
    """One device that goes on as before, with now and then something that matters."""
    step_s = draw(st.sampled_from([1, 10, 30, 60, 100]))
    frozen = draw(st.booleans())
    changes = draw(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(CHANGES)), max_size=12))
    first = draw(st.sampled_from([CALM, CALM | {"set_ppm": 40.0}, CALM | {"mode": "calibrating"}]))
    history: list[tuple[int, dict[str, Any]]] = [(0, dict(first)), (step_s, dict(CALM))]
    for quiet, change in [*changes, (12, {})]:
        history += [
            (step_s, CALM | {"no_ppm": 20.0 if frozen else 20.0 + number % 2})
            for number in range(quiet)
        ]
        fields = dict(change)
        hours = fields.pop("hours", 0)
        history.append((step_s, CALM | {"no_ppm": 20.5} | fields))
        history += [(118, CALM | {"no_ppm": 20.0 + number % 2}) for number in range(30 * hours)]
    return history


@st.composite
def outages(draw: st.DrawFn) -> list[tuple[int, dict[str, Any]]]:
    """Five devices of one unit, of which now these send and now those, and what else happens."""
    turns = st.tuples(
        st.sampled_from([1, 10, 30, 59, 60, 61, 119, 121, 200, 600, 1000]),
        st.sets(st.sampled_from(UNIT)),
        st.sampled_from([None] * 4 + ["close", "move", "off", "strict", "refused", "refused"]),
    )
    history = [(1, CALM | {"patient": patient}) for patient in UNIT]
    for step_s, sending, also in draw(st.lists(turns, max_size=20)):
        history.append((step_s, {"kind": "tick"}))
        patient = draw(st.sampled_from(UNIT))
        match also:
            case "close":
                history.append(
                    (0, {"kind": "action", "patient": patient, "action": "close-course"})
                )
            case "move":
                history.append((0, MOVED | {"patient": patient}))
            case "strict":
                history.append((0, MOVED | {"patient": patient, "unit": "u", "profile": "strict"}))
            case "refused":
                record = {"kind": "refused", "patient": patient, "device": "d1", "timed": False}
                history += [(0, dict(record)) for _ in range(draw(st.sampled_from([1, 3, 5])))]
            case "off":
                history.append((0, CALM | {"patient": patient, "mode": "off"}))
        history += [(0, CALM | {"patient": name}) for name in sorted(sending)]
    return history


Event = PatientEvent | Tick | Claim


def events_of(history: Iterable[tuple[int, dict[str, Any]]]) -> list[Event]:
    """Give each entry its time, one step after the other."""
    at, made = T0, []
    for number, (step_s, entry) in enumerate(history):
        at += timedelta(seconds=step_s)
        made.append(_event(number, at, dict(entry)))
    return made


def _event(number: int, at: datetime, entry: dict[str, Any]) -> Event:
    kind = entry.pop("kind")
    time = at - timedelta(seconds=entry.pop("back_s", 0))
    match kind:
        case "telemetry":
            return Telemetry(time=time, unit="u", bed="b", seq=number, **entry)
        case "lab":
            return Lab(time=time, code="2614-6", unit="%", resulted=at, **entry)
        case "action":
            reason = "weaned" if entry["action"] == "close-course" else "because"
            rule = "course-over-14-days"
            return Action(time=at, id=f"a{number}", by="n", reason=reason, rule=rule, **entry)
        case "course":
            until_s = entry.pop("until_s")
            flags = Flags(
                no_donor_drug=entry.pop("flag"),
                cdh=entry.pop("cdh"),
                right_to_left_shunt_dependent=False,
            )
            age_d = entry.pop("age_d")
            born = None if age_d is None else T0 - timedelta(days=age_d)
            order = None
            if until_s is not None:
                until = at + timedelta(seconds=until_s)
                order = DoseOrder(max_set_ppm=41.0, until=until, by="dr", reason="trial")
            return Course(
                time=at, id=f"c{number}", dose_order=order, flags=flags, born=born, **entry
            )
        case "refused":
            timed = at if entry.pop("timed") else None
            return Claim(time=timed, digest=f"{number}", **entry)
    return Tick(time=at)


def feed(ward: Ward, events: Iterable[Event]) -> list[Alert]:
    """Judge the events as replay does."""
    told: list[Alert] = []
    for event in events:
        if isinstance(event, Claim):
            told += ward.refuse(event, "out-of-range")
            continue
        if ward.clock is None or stands_at(event) > ward.clock:
            told += ward.advance(stands_at(event))
        if not isinstance(event, Tick):
            told += ward.take(event)
    return told


def saved(ward: Ward, profile: str = "default") -> Ward:
    """Write a ward's states down and take them up in a new one, as over a restart."""
    states = [
        msgspec.json.decode(encode(state), type=PatientState) for state in ward.patients.values()
    ]
    again = Ward(profile)
    again.restore(states)
    if ward.clock is not None:
        again.clock = ward.clock
    return again


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(histories, outages()))
def test_every_record_twice_changes_nothing(history: list[tuple[int, dict[str, Any]]]) -> None:
    """Each record delivered twice gives the same transitions, byte for byte."""
    events = events_of(history)
    once = feed(Ward(), events)
    twice = feed(Ward(), [event for event in events for _ in range(2)])
    assert [encode(alert) for alert in twice] == [encode(alert) for alert in once]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(histories, outages()), st.integers(min_value=0, max_value=60))
def test_a_restart_anywhere_changes_nothing(
    history: list[tuple[int, dict[str, Any]]], cut: int
) -> None:
    """Cut anywhere, with the state written down and read back, it is one run."""
    events = events_of(history)
    whole = feed(Ward(), events)
    first = Ward()
    parts = feed(first, events[:cut])
    parts += feed(saved(first), events[cut:])
    assert [encode(alert) for alert in parts] == [encode(alert) for alert in whole]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(histories, outages()))
def test_occurrences_are_well_formed(history: list[tuple[int, dict[str, Any]]]) -> None:
    """At most one is open a rule and patient; it is raised first, cleared last, never back."""
    open_now: dict[tuple[str, str], Alert] = {}
    closed: set[str] = set()
    for alert in feed(Ward(), events_of(history)):
        key = (alert.rule, alert.patient)
        before = open_now.get(key)
        if alert.phase == "raised":
            assert before is None
            assert alert.id not in closed
        else:
            assert before is not None
            assert before.id == alert.id
            assert before.at <= alert.at
            assert alert.phase == "cleared" or alert.priority != before.priority
        assert alert.onset <= alert.at
        open_now[key] = alert
        if alert.phase == "cleared":
            del open_now[key]
            closed.add(alert.id)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.one_of(histories, calm(), outages()))
def test_the_steady_path_is_only_faster(history: list[tuple[int, dict[str, Any]]]) -> None:
    """Without the path for common samples the transitions are the same."""
    events = events_of(history)
    quick = feed(Ward(), events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams.ward, "take_steady", lambda *_: False)
        slow = feed(Ward(), events)
    assert [encode(alert) for alert in quick] == [encode(alert) for alert in slow]


@settings(max_examples=EXAMPLES, deadline=None)
@given(outages())
def test_a_silence_is_told_of_once(history: list[tuple[int, dict[str, Any]]]) -> None:
    """Whoever is lost at the clock is told of at that moment, alone or with its unit."""
    ward = Ward()
    open_now: set[tuple[str, str]] = set()
    for event in events_of(history):
        for alert in feed(ward, [event]):
            told = {(alert.rule, alert.patient)}
            open_now = open_now - told if alert.phase == "cleared" else open_now | told
        assert ward.clock is not None
        for patient in ward.patients.values():
            heard = last_heard(patient)
            lost = heard is not None and ward.clock - heard >= timedelta(seconds=120)
            alone = ("telemetry-lost", patient.patient) in open_now
            grouped = ("telemetry-lost", f"*{patient.unit}") in open_now and is_grouped(patient)
            assert lost == (alone or grouped) or patient.silence is not None
            assert not (alone and grouped)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shifted_over_a_change_to_summer_time(path: Path) -> None:
    """All times shifted by 37 days and 5 h: the same alerts, shifted."""
    shift = timedelta(days=37, hours=5)
    scenario = read_scenario(path)
    later = msgspec.structs.replace(scenario, start=scenario.start + shift)
    before, after = run(scenario), run(later)
    assert [_shifted(alert, shift) for alert in before] == [_told(alert) for alert in after]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenarios_with_a_restart_in_the_middle(path: Path) -> None:
    """State written down and read back half way: the same alerts, byte for byte."""
    scenario = read_scenario(path)
    lines = [msgspec.json.encode(record) for record in records_of(scenario)]
    ward = Ward(scenario.profile)
    told = list(replay(lines[: len(lines) // 2], ward, lambda *_: None))
    ward = saved(ward, scenario.profile)
    told += replay(lines[len(lines) // 2 :], ward, lambda *_: None)
    told += replay_until(ward, scenario.start + parse_span(scenario.until))
    assert told == run(scenario)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenarios_with_samples_again_later(path: Path) -> None:
    """Each sample comes once more behind the next one of its device: late, and without effect."""
    scenario = read_scenario(path)
    records, newest = [], {}
    for record in records_of(scenario):
        records.append(record)
        if record["type"] == "telemetry":
            before = newest.get(record["device"])
            newest[record["device"]] = record
            if before is not None and before["time"] < record["time"]:
                records.append(before)
    assert run(scenario, records) == run(scenario)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenarios_with_every_record_twice(path: Path) -> None:
    """Each record of a scenario twice: the same alerts, byte for byte."""
    scenario = read_scenario(path)
    doubled = [record for record in records_of(scenario) for _ in range(2)]
    assert run(scenario, doubled) == run(scenario)


def _told(alert: Alert) -> tuple[object, ...]:
    return (alert.rule, alert.phase, alert.priority, alert.onset, alert.at, alert.summary)


def _shifted(alert: Alert, shift: timedelta) -> tuple[object, ...]:
    later = msgspec.structs.replace(alert, onset=alert.onset + shift, at=alert.at + shift)
    return _told(later)
