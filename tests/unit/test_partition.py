"""One partition without Kafka: what it refuses, when its clock moves, what it remembers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from alerts.profile_book import ProfileBook
from schemas.decode import Kind
from schemas.encode import encode
from schemas.rejected import kept
from schemas.state import PatientState
from streams.partition import Outcome, Partition, Record
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
INPUTS: dict[str, Kind] = {"telemetry": "telemetry", "actions": "action", "courses": "course"}
OTHERS = {"p9": 1}
"""Patients whose home is another partition than 3."""


def partition(book: ProfileBook | None = None, profile: str = "default") -> Partition:
    """Partition 3 of three input topics; it is the home of everybody but p9."""
    ward = Ward(profile, 3, book)
    return Partition(ward, INPUTS, lambda patient: OTHERS.get(patient, 3))


def record(offset: int, value: bytes | None, at_s: float = 0, key: bytes = b"p1") -> Record:
    """A record as it comes from Kafka; it reached it when it was made."""
    return (offset, key, value, T0 + timedelta(seconds=at_s))


def sample(offset: int, at_s: float, patient: str = "p1", **fields: Any) -> Record:
    """A sample that delivers 20 ppm, unless ``fields`` say otherwise."""
    time = (T0 + timedelta(seconds=at_s)).isoformat()
    made = {"time": time, "device": "d1", "patient": patient, "unit": "u", "bed": "1"}
    made |= {"mode": "delivering", "set_ppm": 20.0} | fields
    return record(offset, msgspec.json.encode(made), at_s)


def course(offset: int, profile: str) -> Record:
    """A context that names a profile."""
    made = {"time": T0.isoformat(), "id": f"c{offset}", "patient": "p1", "profile": profile}
    return record(offset, msgspec.json.encode(made))


def tick(offset: int, at_s: float) -> Record:
    """The worker's own clock in the stream."""
    value = {"type": "tick", "time": (T0 + timedelta(seconds=at_s)).isoformat()}
    return record(offset, msgspec.json.encode(value), at_s)


def restored(before: Partition) -> Partition:
    """What a new life makes of the states that a former one wrote down."""
    after = partition()
    after.restore(written(before))
    return after


def written(before: Partition) -> list[PatientState]:
    """The states as they come back from the changelog."""
    states = before.ward.patients.values()
    return [msgspec.json.decode(encode(state), type=PatientState) for state in states]


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """What was decided."""
    return [(alert.rule, alert.phase) for alert in outcome.alerts]


def test_the_clock_is_the_least_of_the_topics() -> None:
    """No absence is judged before every input topic has been read up to it, and never twice."""
    mine = partition()
    mine.judge("telemetry", [sample(0, 0)])
    assert told(mine.judge("telemetry", [tick(1, 500)])) == []
    assert told(mine.judge("courses", [tick(0, 500)])) == []
    assert told(mine.judge("actions", [tick(0, 119)])) == []
    outcome = mine.judge("actions", [tick(1, 120), tick(2, 60)])
    assert told(outcome) == [("telemetry-lost", "raised")]
    assert outcome.alerts[0].at == T0 + timedelta(seconds=120)
    assert outcome.ticked
    assert outcome.touched == {"p1"}
    assert mine.ward.clock == T0 + timedelta(seconds=120)
    assert told(mine.judge("actions", [tick(3, 300)])) == [("telemetry-lost", "escalated")]


def test_a_batch_without_a_tick_moves_no_clock() -> None:
    """Samples are no clock: one device whose clock runs ahead is nobody else's hour."""
    mine = partition()
    outcome = mine.judge("telemetry", [sample(0, 0), sample(1, 5000, patient="p2")])
    assert not outcome.ticked
    assert outcome.touched == {"p1", "p2"}
    assert mine.ward.clock is None


def test_what_is_refused_is_kept_whole() -> None:
    """A record that cannot be read goes to the dead letters with its place, bytes and reason."""
    mine = partition()
    at = T0 + timedelta(seconds=7)
    outcome = mine.judge("telemetry", [record(40, b"{", 7, b"k"), record(41, None, 7)])
    first, second = outcome.dead_letters
    assert (first.topic, first.partition, first.offset, first.time) == ("telemetry", 3, 40, at)
    assert (first.reason, first.key, first.value) == ("not-json", kept(b"k"), kept(b"{"))
    assert first.detail == "Input data was truncated"
    assert (second.offset, second.value) == (41, None)
    assert set(mine.ward.patients) == {"?3"}


def test_a_record_from_the_future_is_refused_by_its_arrival() -> None:
    """Two minutes ahead of the moment at which it reached Kafka are one too many."""
    mine = partition()
    offset, key, value, _ = sample(0, 121)
    outcome = mine.judge("telemetry", [(offset, key, value, T0)])
    assert [dead.reason for dead in outcome.dead_letters] == ["from-the-future"]


def test_a_record_of_another_type_is_refused() -> None:
    """A topic carries one type: a sample among the actions is not judged."""
    mine = partition()
    assert mine.judge("actions", [sample(0, 0)]).dead_letters
    assert set(mine.ward.patients) == {"?3"}


def test_a_stray_is_refused_and_told_where_it_belongs() -> None:
    """A patient whose home is elsewhere is not judged here, unless it was known here before."""
    mine = partition()
    [dead] = mine.judge("telemetry", [sample(0, 0, patient="p9")]).dead_letters
    assert dead.reason == "wrong-partition"
    assert "belong in partition 1: " in dead.detail
    mine.restore([PatientState("p9", partition=3)])
    outcome = mine.judge("telemetry", [sample(1, 0, patient="p9")])
    assert outcome.dead_letters == []
    assert outcome.touched == {"p9"}


def test_profiles_are_those_of_the_book(tmp_path: Path) -> None:
    """A context may name a profile of the site; one that names none is a dead letter."""
    own = 'name = "west"\nversion = "1"\ninherits = "default"\n'
    tmp_path.joinpath("west.toml").write_text(own)
    mine = partition(ProfileBook(tmp_path))
    [dead] = mine.judge("courses", [course(0, "none-such"), course(1, "west")]).dead_letters
    assert (dead.reason, dead.offset) == ("unknown-profile", 0)
    assert mine.ward.limits_of(mine.ward.patients["p1"]).name == "west"


def test_a_redelivered_record_is_a_no_op() -> None:
    """What was applied before a restart is not applied again; the next record is."""
    before = partition()
    before.judge("telemetry", [sample(5, 0), sample(6, 10, set_ppm=25.0)])
    after = restored(before)
    outcome = after.judge("telemetry", [sample(5, 0), sample(6, 10, set_ppm=25.0)])
    assert outcome.touched == set()
    assert after.ward.patients["p1"].offsets == {"telemetry": 6}
    outcome = after.judge("telemetry", [sample(7, 20, set_ppm=25.0)])
    assert told(outcome) == [("set-dose-high", "raised")]
    assert outcome.touched == {"p1"}


def test_a_refused_record_counts_for_one() -> None:
    """Refused before its patient was known, and again after a crash when it is: it counts once."""
    before = partition()
    wrong = record(5, msgspec.json.encode({"type": "telemetry", "patient": "p1", "device": "d1"}))
    before.judge("telemetry", [wrong])
    before.judge("courses", [course(7, "floor-2")])
    assert set(before.ward.patients) == {"?3", "p1"}
    after = restored(before)
    after.judge("telemetry", [wrong])
    assert after.ward.patients["p1"].refused == {}


def test_offsets_are_of_their_topic() -> None:
    """The first record of one topic is news, however far another topic has come."""
    mine = partition()
    mine.judge("telemetry", [sample(900, 0)])
    action = {"time": T0.isoformat(), "id": "a1", "patient": "p1", "by": "n", "action": "plan-stop"}
    value = msgspec.json.encode(action | {"reason": "weaned"})
    assert mine.judge("actions", [record(0, value)]).touched == {"p1"}
    assert mine.ward.patients["p1"].offsets == {"telemetry": 900, "actions": 0}


def test_a_partition_takes_up_what_is_its_own() -> None:
    """States of other partitions are left alone; what is in the outboxes has to be published."""
    before = partition()
    raised = before.judge("telemetry", [sample(0, 0, set_ppm=25.0), sample(1, 10, set_ppm=25.0)])
    before.judge("telemetry", [sample(2, 0, patient="p2")])
    strange = PatientState("p3", partition=4)
    after = partition()
    assert after.restore([*written(before), strange]) == raised.alerts
    assert set(after.ward.patients) == {"p1", "p2"}
    assert after.ward.patients["p1"].partition == 3


def test_an_outbox_empties_by_what_was_published() -> None:
    """Each decided transition waits in its patient's state until it has reached the topic, once."""
    mine = partition()
    first = mine.judge("telemetry", [sample(0, 0, set_ppm=25.0), sample(1, 10, set_ppm=25.0)])
    second = mine.judge("telemetry", [sample(2, 20), sample(3, 30)])
    outbox = mine.ward.patients["p1"].outbox
    assert outbox == first.alerts + second.alerts
    assert len(outbox) == 2
    mine.published(first.alerts)
    mine.published(first.alerts)
    assert outbox == second.alerts


def test_a_topic_that_was_made_anew_is_heard_again() -> None:
    """Offsets beyond a topic's end are forgotten, those before it and of other topics are not."""
    mine = partition()
    mine.restore(
        [
            PatientState("p1", partition=3, offsets={"telemetry": 10, "actions": 10}),
            PatientState("p2", partition=3, offsets={"telemetry": 9}),
            PatientState("p4", partition=3),
        ]
    )
    assert mine.forget_beyond("telemetry", 10)
    offsets = {name: state.offsets for name, state in mine.ward.patients.items()}
    assert offsets == {"p1": {"actions": 10}, "p2": {"telemetry": 9}, "p4": {}}
    assert not mine.forget_beyond("telemetry", 10)
    assert not mine.forget_beyond("elsewhere", 0)


def test_changes_of_profile_come_out_once() -> None:
    """A change of profile is part of one batch's outcome and of no other's."""
    mine = partition()
    outcome = mine.judge("courses", [course(0, "strict")])
    assert [change.new.partition("+")[2] for change in outcome.changes] == ["strict.1"]
    assert mine.judge("courses", []).changes == []


def test_the_workers_own_profile_judges() -> None:
    """A partition judges by the profile that it was given, where the context names none."""
    mine = partition(profile="floor-5")
    mine.judge("telemetry", [sample(0, 0)])
    assert mine.ward.patients["p1"].judged_by.endswith("+floor-5.1")
