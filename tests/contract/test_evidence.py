"""What stands behind an alert, gathered from every store alike."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.profile_book import packaged
from schemas.action import Action
from schemas.alert import Alert
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import Rejected
from schemas.tick import Tick
from streams.door import admit
from streams.evidence import AROUND, Evidence, gather
from streams.scenario.check import run
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of
from streams.stores.points import points_of
from streams.stores.port import Point, Store

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
H, MIN, S = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
CHANGE = ProfileChange(
    time=START + H,
    patient="p1",
    unit="nicu",
    cause="course",
    by="dr-1",
    record="r2",
    old="1+floor-2.1",
    new="1+default.1",
)
STORY = """\
scenario: A dose too high, and a check that comes late
source: a test
until: 9 h
timeline:
  - {at: 0, gives: 20}
  - {at: 0, patient: p2, gives: 20}
  - {at: 1 h, course: {payer: first, flags: {cdh: false}}}
  - {at: 1 h, patient: p2, course: {payer: other}}
  - {at: 2 h, gives: 25}
  - {at: 2 h 1 min, action: {action: silence, rule: set-dose-high, until: 3 h, reason: known}}
  - {at: 2 h 1 min, action: {action: silence, rule: no2-high, until: 3 h, reason: other rule}}
  - {at: 2 h 1 min, patient: p2, action: {action: plan-stop, reason: other patient}}
  - {at: 2 h 5 min, gives: 20}
  - {at: 3 h, course: {payer: second}}
  - {at: 3 h, action: {action: plan-stop, reason: later}}
  - {at: 8 h 30 min, lab: {id: l1, time: 7 h 30 min, value: 1.2}}
  - {at: 8 h 40 min, lab: {id: l2, code: other, time: 7 h, value: 5}}
expect: []
"""


def page_of(alert: Alert) -> Page:
    """Tell one receiver of a transition, a second later."""
    return Page(
        time=alert.at + S,
        alert=alert.id,
        rule=alert.rule,
        phase=alert.phase,
        priority=alert.priority,
        at=alert.at,
        patient=alert.patient,
        sink="pagerduty",
        attempt=1,
        outcome="delivered",
        reason="",
    )


def acknowledged(alert: Alert, by: str) -> Action:
    """Somebody takes note of an alert, a minute after it."""
    return Action(
        time=alert.at + MIN,
        id=f"ack-{alert.id}",
        patient=alert.patient,
        by=by,
        action="acknowledge",
        alert=alert.id,
    )


@pytest.fixture
def told(tmp_path: Path, store: Store) -> dict[str, Alert]:
    """Fill the store with the story and all that came of it; p1's first transition of each rule."""
    path = tmp_path / "story.yaml"
    path.write_text(STORY)
    scenario = read_scenario(path)
    alerts = run(scenario)
    points: list[Point] = []
    for record in records_of(scenario):
        event = admit(msgspec.json.encode(record))
        assert not isinstance(event, Rejected | Tick)
        points += points_of(event)
    for alert in alerts:
        points += [*points_of(alert), *points_of(page_of(alert))]
    raised = [alert for alert in alerts if alert.phase == "raised"]
    for alert in raised:
        points += points_of(acknowledged(alert, "nurse-7"))
    points += points_of(CHANGE)
    store.write(points)
    return {alert.rule: alert for alert in reversed(raised) if alert.patient == "p1"}


def found(store: Store, alert: Alert) -> Evidence:
    """Gather what must be there."""
    evidence = gather(store, alert.id, packaged())
    assert evidence is not None
    return evidence


def test_the_evidence_of_a_hold(store: Store, told: dict[str, Alert]) -> None:
    """Transitions, pages, acts, context then known, the samples around and the numbers: its own."""
    alert = told["set-dose-high"]
    evidence = found(store, alert)
    assert evidence.transitions[0] == alert
    assert [one.phase for one in evidence.transitions] == ["raised", "cleared"]
    assert evidence.pages == [page_of(one) for one in evidence.transitions]
    assert [(one.action, one.by) for one in evidence.actions] == [
        ("silence", "nurse-1"),
        ("acknowledge", "nurse-7"),
    ]
    assert evidence.context.payer == "first"
    assert evidence.context.flags.cdh is False
    assert evidence.labs == []
    assert (evidence.samples.start, evidence.samples.stop) == (
        START + 2 * H - 60 * S,
        START + 2 * H + 20 * S,
    )
    assert evidence.samples.moments == (alert.onset, alert.at)
    (stretch,) = evidence.samples.stretches
    assert (evidence.samples.count, stretch.left_out) == (9, 0)
    assert [sample.set_ppm for sample in stretch.samples] == [20.0] * 6 + [25.0] * 3
    assert {sample.patient for sample in stretch.samples} == {"p1"}
    numbers = {number.name: number.written for number in evidence.numbers}
    assert numbers["set_dose_high.limit_ppm"] == "20 ppm"
    assert evidence.changes == [CHANGE]
    assert evidence.doubts == []


def test_the_evidence_of_a_deadline(store: Store, told: dict[str, Alert]) -> None:
    """Of hours in which something did not happen: their beginning, their end, and how many."""
    alert = told["methb-first-overdue"]
    evidence = found(store, alert)
    assert evidence.samples.moments == (START, START + 8 * H)
    beginning, end = evidence.samples.stretches
    assert [sample.time - START for sample in beginning.samples] == [
        10 * S * number for number in range(AROUND)
    ]
    assert [sample.time - START - 8 * H for sample in end.samples] == [
        10 * S * number for number in range(-AROUND, 2)
    ]
    assert evidence.samples.count == 8 * 360 + 2
    assert (beginning.left_out, end.left_out) == (0, evidence.samples.count - AROUND - AROUND - 2)
    assert [(lab.id, lab.resulted) for lab in evidence.labs] == [("l1", START + 8.5 * H)]
    assert evidence.context.payer == "second"


def test_no_such_alert(store: Store, told: dict[str, Alert]) -> None:
    """An id that the store does not hold has no evidence, not an empty one."""
    assert gather(store, "0" * 32, packaged()) is None


def changed(alert: Alert, number: int, **fields: str) -> Alert:
    """An alert like it under an id of its own."""
    return msgspec.structs.replace(alert, id=f"{number:032x}", **fields)


def test_what_judged_may_be_gone(store: Store, told: dict[str, Alert]) -> None:
    """Other versions, a profile or a rule that is not installed, a beginning that is not kept."""
    alert = told["set-dose-high"]
    others = [
        changed(alert, 1, rules_version="0+default.7"),
        changed(alert, 2, profile="of-another-site"),
        changed(alert, 3, rule="of-another-version"),
        changed(alert, 4, phase="escalated"),
    ]
    store.write([point for other in others for point in points_of(other)])
    doubts = [" ".join(found(store, other).doubts) for other in others]
    assert doubts[0].startswith("It was judged by 0+default.7; installed here is ")
    assert doubts[1] == "The profile of-another-site, which judged, is not installed here."
    assert doubts[2] == "The rule of-another-version is not known to this version of inowatch."
    assert doubts[3] == "The store does not hold how this alert was raised."


def test_transitions_of_one_instant_keep_their_order(store: Store, told: dict[str, Alert]) -> None:
    """What was raised, escalated and cleared at once is told in that order."""
    alert = told["set-dose-high"]
    phases = ("raised", "escalated", "cleared")
    store.write([point for phase in phases for point in points_of(changed(alert, 5, phase=phase))])
    transitions = found(store, changed(alert, 5)).transitions
    assert tuple(one.phase for one in transitions) == phases
