"""Tell again? Why? Each answer has its case, and no order of events breaks the promises."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.notify import (
    TEXT_MAX_CHARS,
    TOO_OLD,
    History,
    Tell,
    TellReason,
    Withhold,
    WithholdReason,
    decide,
    late_by,
    page_text,
    remember,
    trimmed,
)
from schemas.alert import PRIORITIES, Alert, Phase, Priority, rank
from schemas.page import Outcome

RAISED_AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Past = Sequence[tuple[Phase, Priority, float, Outcome]]
"""Phase, priority, minutes after the raising, and what came of it."""


def an_alert(
    phase: Phase = "raised",
    priority: Priority = "medium",
    minute: float = 0,
    *,
    name: str = "a",
    summary: str = "Bed 4: set dose 25 ppm, limit 20 ppm",
) -> Alert:
    """Make a transition that was due ``minute`` minutes after the raising."""
    return Alert(
        id=name,
        rule="set-dose-high",
        phase=phase,
        priority=priority,
        onset=RAISED_AT - timedelta(seconds=10),
        at=RAISED_AT + minute * MINUTE,
        patient="p17",
        unit="nicu-a",
        bed="4",
        device="d1",
        course=None,
        summary=summary,
        value=25.0,
        limit=20.0,
        unit_of_measure="ppm",
        reason="over-limit",
        profile="default",
        rules_version="1",
        source="S0",
    )


def history(past: Past) -> History:
    """Make the history of what was told."""
    kept = History()
    for phase, priority, minute, outcome in past:
        kept = remember(kept, an_alert(phase, priority, minute), outcome)
    return kept


RAISED: Past = [("raised", "medium", 0, "delivered")]
REFUSED: Past = [("raised", "medium", 0, "refused")]
FAILED: Past = [("raised", "medium", 0, "failed")]
WORSE: Past = [*RAISED, ("escalated", "high", 3, "delivered")]
OVER: Past = [*RAISED, ("cleared", "medium", 5, "delivered")]

CASES: list[tuple[str, Alert, Past, Tell | Withhold]] = [
    ("a new alert", an_alert(), [], Tell("trigger", "new")),
    ("a low one", an_alert(priority="low"), [], Tell("trigger", "new")),
    ("information", an_alert(priority="info"), [], Withhold("info-only")),
    ("delivered again", an_alert(), RAISED, Withhold("already-told")),
    ("refused before", an_alert(), REFUSED, Withhold("already-refused")),
    ("of unknown fate", an_alert(), FAILED, Tell("trigger", "new")),
    ("worse", an_alert("escalated", "high", 3), RAISED, Tell("trigger", "escalated")),
    ("worse, raised as info", an_alert("escalated", "low", 3), [], Tell("trigger", "escalated")),
    ("worse, and told", an_alert("escalated", "high", 3), WORSE, Withhold("already-told")),
    ("worse a second time", an_alert("escalated", "high", 9), WORSE, Withhold("already-told")),
    ("raised, after worse was told", an_alert(), WORSE[1:], Withhold("overtaken")),
    ("less bad", an_alert("deescalated", "low", 3), RAISED, Withhold("deescalated")),
    ("nobody knows", an_alert("deescalated", "low", 3), REFUSED, Tell("trigger", "still-open")),
    (
        "perhaps nobody knows",
        an_alert("deescalated", "low", 3),
        FAILED,
        Tell("trigger", "still-open"),
    ),
    ("down to information", an_alert("deescalated", "info", 3), REFUSED, Withhold("info-only")),
    ("cleared", an_alert("cleared", "medium", 5), RAISED, Tell("resolve", "cleared")),
    ("cleared as information", an_alert("cleared", "info", 5), RAISED, Tell("resolve", "cleared")),
    ("cleared, told nobody", an_alert("cleared", "medium", 5), [], Withhold("never-told")),
    ("cleared, refused before", an_alert("cleared", "medium", 5), REFUSED, Withhold("never-told")),
    ("fate unknown, cleared", an_alert("cleared", minute=5), FAILED, Tell("resolve", "cleared")),
    ("cleared again", an_alert("cleared", "medium", 5), OVER, Withhold("already-told")),
    ("cleared again as low", an_alert("cleared", "low", 5), OVER, Withhold("already-told")),
    ("worse, after the end", an_alert("escalated", "high", 3), OVER, Withhold("already-over")),
]


@pytest.mark.parametrize(
    ("alert", "past", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_case_has_its_answer_and_its_reason(
    alert: Alert, past: Past, expected: Tell | Withhold
) -> None:
    """In time, with nothing known of a clearing, the history alone decides."""
    assert decide(alert, history(past), alert.at) == expected


@pytest.mark.parametrize(
    ("age", "over", "expected"),
    [
        (TOO_OLD, True, Tell("trigger", "new")),
        (TOO_OLD + timedelta(microseconds=1), True, Withhold("over-and-old")),
        (TOO_OLD + timedelta(microseconds=1), False, Tell("trigger", "new")),
        (timedelta(days=3), True, Withhold("over-and-old")),
        (timedelta(days=3), False, Tell("trigger", "new")),
        (timedelta(0), True, Tell("trigger", "new")),
    ],
)
def test_only_what_is_over_and_old_pages_nobody(
    age: timedelta, *, over: bool, expected: Tell | Withhold
) -> None:
    """More than 15 min old and over: withheld. Older but open, or over but fresh: told."""
    over_at = RAISED_AT + MINUTE if over else None
    assert decide(an_alert(), History(), RAISED_AT + age, over_at=over_at) == expected


def test_a_spike_that_is_over_and_old_is_not_resolved_either() -> None:
    """What was withheld left no mark, so its clearing is never told."""
    late = RAISED_AT + timedelta(hours=1)
    spike, end = an_alert(), an_alert("cleared", minute=2)
    assert decide(spike, History(), late, over_at=end.at) == Withhold("over-and-old")
    kept = remember(History(), spike, "withheld")
    assert kept == History()
    assert decide(end, kept, late) == Withhold("never-told")


def test_what_was_told_in_time_is_resolved_however_late() -> None:
    """An incident that stands at the receiver is taken back after any outage."""
    kept = history(RAISED)
    days_later = RAISED_AT + timedelta(days=2)
    end = an_alert("cleared", minute=30)
    assert decide(end, kept, days_later, over_at=end.at) == Tell("resolve", "cleared")


@pytest.mark.parametrize("paged_from", PRIORITIES)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_the_site_may_page_from_another_priority_on(
    priority: Priority, paged_from: Priority
) -> None:
    """The minimum itself is paged; what lies below names whether it was information."""
    decision = decide(an_alert(priority=priority), History(), RAISED_AT, paged_from=paged_from)
    if rank(priority) >= rank(paged_from):
        assert decision == Tell("trigger", "new")
    else:
        assert decision == Withhold("info-only" if priority == "info" else "below-minimum")


def test_every_reason_can_be_given() -> None:
    """No reason is a word that nothing says."""
    told = {case[3].reason for case in CASES}
    elsewhere = {"over-and-old", "below-minimum"}  # the two tests above
    assert told | elsewhere == {*get_args(TellReason), *get_args(WithholdReason)}


def test_a_history_survives_its_table() -> None:
    """Encoded and read again it is the same, and it cannot outgrow 16 entries."""
    kept = History()
    phases: tuple[Phase, ...] = get_args(Phase)
    for minute in range(3):
        for phase in phases:
            for priority in PRIORITIES:
                kept = remember(kept, an_alert(phase, priority, minute), "delivered")
    assert len(kept.told) == 16
    assert {told.at for told in kept.told} == {RAISED_AT + 2 * MINUTE}
    assert msgspec.json.decode(msgspec.json.encode(kept), type=History) == kept


# ---- any order of events

transitions = st.builds(
    an_alert,
    phase=st.sampled_from(get_args(Phase)),
    priority=st.sampled_from(PRIORITIES),
    minute=st.integers(0, 40),
    name=st.sampled_from(["a", "b"]),
)
answers = st.sampled_from(["delivered", "refused", "failed"])


@given(
    stream=st.lists(st.tuples(transitions, answers, st.booleans(), st.integers(-5, 60))),
    again=st.lists(st.integers(0, 200)),
)
def test_no_stream_tells_a_thing_twice_or_resolves_what_was_not_told(
    stream: list[tuple[Alert, Outcome, bool, int]], again: list[int]
) -> None:
    """With doubles, redeliveries and disorder: one delivery a (id, phase, priority), no orphan."""
    replayed = [*stream, *(stream[i] for i in again if i < len(stream))]
    kept: dict[str, History] = {}
    arrived: list[tuple[str, Phase, Priority]] = []
    tried: set[str] = set()
    ended: set[str] = set()
    for alert, outcome, over, late_min in replayed:
        now = alert.at + late_min * MINUTE
        past = kept.get(alert.id, History())
        decision = decide(alert, past, now, over_at=alert.at if over else None)
        if isinstance(decision, Withhold):
            continue
        if decision.kind == "resolve":
            assert alert.phase == "cleared"
            assert alert.id in tried
        else:
            assert alert.id not in ended
            assert alert.priority != "info"
        assert alert.id not in ended
        if decision.kind == "trigger" and outcome != "refused":
            tried.add(alert.id)
        if outcome == "delivered":
            arrived.append((alert.id, alert.phase, alert.priority))
            if decision.kind == "resolve":
                ended.add(alert.id)
        kept[alert.id] = remember(past, alert, outcome)
    assert len(arrived) == len(set(arrived))


@st.composite
def lives(draw: st.DrawFn) -> list[Alert]:
    """One occurrence as the core tells it: raised, its tiers, and perhaps its end."""
    first = draw(st.sampled_from(PRIORITIES))
    life, now, minute = [an_alert(priority=first)], first, 0
    for priority in draw(st.lists(st.sampled_from(PRIORITIES), max_size=6)):
        minute += draw(st.integers(1, 20))
        if priority != now:
            phase: Phase = "escalated" if rank(priority) > rank(now) else "deescalated"
            life.append(an_alert(phase, priority, minute))
            now = priority
    if draw(st.booleans()):
        life.append(an_alert("cleared", now, minute + 1))
    return life


@given(life=lives(), rewinds=st.lists(st.integers(0, 8), max_size=6))
def test_an_incident_stands_at_the_receiver_exactly_while_it_should(
    life: list[Alert], rewinds: list[int]
) -> None:
    """Nothing from low upwards is lost, and what ended is resolved, through any redelivery."""
    offsets = list(range(len(life)))
    for back in rewinds:
        offsets += range(min(back, len(life)), len(life))
    kept, incident, heard = History(), False, "info"
    for offset in offsets:
        alert = life[offset]
        decision = decide(alert, kept, alert.at)
        if isinstance(decision, Tell):
            incident = decision.kind == "trigger"
            heard = max(heard, alert.priority, key=PRIORITIES.index) if incident else heard
            kept = remember(kept, alert, "delivered")
    worst = max((alert.priority for alert in life if alert.phase != "cleared"), key=rank)
    assert heard == worst
    assert incident == (worst != "info" and life[-1].phase != "cleared")


# ---- the sentence


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (timedelta(minutes=-3), ""),
        (timedelta(0), ""),
        (timedelta(minutes=2), ""),
        (timedelta(minutes=2, microseconds=1), "found 2 min late"),
        (timedelta(minutes=12, seconds=59), "found 12 min late"),
        (timedelta(minutes=119, seconds=59), "found 119 min late"),
        (timedelta(hours=2), "found 2 h 0 min late"),
        (timedelta(days=1, minutes=5), "found 24 h 5 min late"),
    ],
)
def test_how_late_it_was_found_is_said_beyond_two_minutes(late: timedelta, said: str) -> None:
    """Whole minutes, never more than it was; hours from two on."""
    assert late_by(an_alert(), RAISED_AT + late) == said


@pytest.mark.parametrize(
    ("phase", "priority", "late", "text"),
    [
        ("raised", "high", 0, "*** Bed 4: 25 ppm"),
        ("escalated", "medium", 0, "** Bed 4: 25 ppm"),
        ("raised", "low", 0, "* Bed 4: 25 ppm"),
        ("raised", "info", 0, "Bed 4: 25 ppm"),
        ("raised", "high", 31, "*** [found 31 min late] Bed 4: 25 ppm"),
        ("raised", "info", 31, "[found 31 min late] Bed 4: 25 ppm"),
        ("cleared", "high", 0, "over: Bed 4: 25 ppm"),
        ("cleared", "high", 31, "over: [found 31 min late] Bed 4: 25 ppm"),
    ],
)
def test_the_page_is_the_alerts_own_sentence(
    phase: Phase, priority: Priority, late: int, text: str
) -> None:
    """Stars for the priority, how late it was found, then the summary as it is."""
    alert = an_alert(phase, priority, summary="Bed 4: 25 ppm")
    assert page_text(alert, alert.at + late * MINUTE) == text


@given(st.text(max_size=2 * TEXT_MAX_CHARS), st.integers(0, 10_000))
def test_a_page_fits_and_says_when_it_was_cut(summary: str, late: int) -> None:
    """Never over 1024 characters; what is late survives the cut."""
    alert = an_alert(priority="high", summary=summary)
    text = page_text(alert, alert.at + late * MINUTE)
    assert len(text) <= TEXT_MAX_CHARS
    assert late_by(alert, alert.at + late * MINUTE) in text
    assert text.endswith((summary, " [cut]"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("ten chars.", "ten chars."), ("ten chars.+", "ten  [cut]")],
)
def test_what_fits_is_left_alone(text: str, expected: str) -> None:
    """Exactly at the limit nothing is cut; one more and the mark takes its place."""
    assert trimmed(text, 10) == expected
