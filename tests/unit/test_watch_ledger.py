"""Who was told of what: what is owed, how the sinks fare, what the watchdog itself left open."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.notify import History
from schemas.alert import Alert, Phase, Priority
from schemas.page import Outcome, Page
from streams.watch.ledger import Ledger
from streams.watch.observation import Receiver

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Tell the time so long after the beginning."""
    return BEGAN + timedelta(seconds=seconds)


def an_alert(
    phase: Phase = "raised",
    priority: Priority = "medium",
    *,
    name: str = "a",
    rule: str = "set-dose-high",
    device: str = "d1",
) -> Alert:
    """Make a transition."""
    return Alert(
        id=name,
        rule=rule,
        phase=phase,
        priority=priority,
        onset=BEGAN,
        at=BEGAN,
        patient="p17",
        unit="nicu-a",
        bed="4",
        device=device,
        course=None,
        summary="Bed 4: set dose 25 ppm",
        value=25.0,
        limit=20.0,
        unit_of_measure="ppm",
        reason="over-limit",
        profile="default",
        rules_version="1",
        source="S0",
    )


def a_page(
    outcome: Outcome, reason: str = "202 ok", *, of: Alert | None = None, sink: str = "webhook"
) -> Page:
    """Make an attempt to tell of a transition."""
    alert = of or an_alert()
    return Page(
        time=BEGAN,
        alert=alert.id,
        rule=alert.rule,
        phase=alert.phase,
        priority=alert.priority,
        at=alert.at,
        patient=alert.patient,
        sink=sink,
        attempt=1,
        outcome=outcome,
        reason=reason,
    )


@pytest.fixture
def ledger() -> Ledger:
    """Open a ledger of a site that pages from low on."""
    return Ledger("low", "watchdog-0")


def owed(ledger: Ledger) -> list[tuple[str, str, str]]:
    """List what is owed: alert, phase and priority."""
    return [(one.alert, one.phase, one.priority) for one in ledger.untold()]


def webhook(ledger: Ledger) -> Receiver:
    """Tell how the webhook fares."""
    (found,) = ledger.receivers(["webhook"])
    return found


def test_an_alert_is_owed_since_kafka_has_it(ledger: Ledger) -> None:
    """From the moment that Kafka took it; when the transition comes twice, from the first."""
    ledger.take_alert(an_alert(), at(5))
    ledger.take_alert(an_alert(), at(50))
    (one,) = ledger.untold()
    assert (one.alert, one.rule, one.since) == ("a", "set-dose-high", at(5))


@pytest.mark.parametrize(
    ("outcome", "reason", "left"),
    [
        ("delivered", "202 ok", []),
        ("withheld", "over-and-old", []),
        ("withheld", "silenced", []),
        ("withheld", "already-refused", [("a", "raised", "medium")]),
        ("withheld", "no-receiver", [("a", "raised", "medium")]),
        ("failed", "503", [("a", "raised", "medium")]),
        ("refused", "400 bad", [("a", "raised", "medium")]),
    ],
)
def test_what_settles_it(
    ledger: Ledger, outcome: Outcome, reason: str, left: list[tuple[str, str, str]]
) -> None:
    """Somebody took it, or it was decided not to tell it; that nobody is there is no decision."""
    ledger.take_alert(an_alert(), at(0))
    ledger.take_page(a_page(outcome, reason), at(1))
    assert owed(ledger) == left


def test_the_topics_may_be_read_in_any_order(ledger: Ledger) -> None:
    """A page that is read before its alert settles it too, and so does one for a repeated alert."""
    ledger.take_page(a_page("delivered"), at(1))
    ledger.take_alert(an_alert(), at(0))
    ledger.take_alert(an_alert(), at(2))
    assert owed(ledger) == []


def test_one_receiver_is_enough(ledger: Ledger) -> None:
    """It is not owed any more when one of two sinks took it."""
    ledger.take_alert(an_alert(), at(0))
    ledger.take_page(a_page("failed", "503", sink="pagerduty"), at(1))
    ledger.take_page(a_page("delivered"), at(1))
    assert owed(ledger) == []


def test_an_escalation_is_owed_on_its_own(ledger: Ledger) -> None:
    """Who was told of the raise is owed the escalation; a word of less is owed to nobody."""
    ledger.take_alert(an_alert(), at(0))
    ledger.take_page(a_page("delivered"), at(1))
    ledger.take_alert(an_alert("escalated", "high"), at(2))
    ledger.take_alert(an_alert("deescalated", "medium"), at(3))
    assert owed(ledger) == [("a", "escalated", "high")]


def test_what_is_over_is_not_owed(ledger: Ledger) -> None:
    """When the alert is cleared nothing of it is owed, and another's stays owed."""
    ledger.take_alert(an_alert(), at(0))
    ledger.take_alert(an_alert("escalated", "high"), at(1))
    ledger.take_alert(an_alert(name="b"), at(2))
    ledger.take_alert(an_alert("cleared", "high"), at(3))
    assert owed(ledger) == [("b", "raised", "medium")]


@pytest.mark.parametrize(
    ("page_from", "left"),
    [("info", ["info", "low", "high"]), ("low", ["low", "high"]), ("high", ["high"])],
)
def test_only_what_is_worth_a_page(page_from: Priority, left: list[str]) -> None:
    """What the site does not page is owed to nobody."""
    ledger = Ledger(page_from, "watchdog-0")
    priorities: list[Priority] = ["info", "low", "high"]
    for priority in priorities:
        ledger.take_alert(an_alert("raised", priority, name=priority), at(0))
    assert [one.priority for one in ledger.untold()] == left


def test_a_sink_nobody_has_heard_of(ledger: Ledger) -> None:
    """Of a sink without an attempt it is known that it did not fail."""
    assert webhook(ledger) == Receiver(
        sink="webhook", told=None, failing=None, refuses=False, reason=""
    )


def test_a_sink_fails_since_its_first_failure(ledger: Ledger) -> None:
    """It fails since the first attempt that failed, with the last one's answer, until it takes."""
    ledger.take_page(a_page("failed", "503 a"), at(1))
    ledger.take_page(a_page("failed", "503 b"), at(9))
    assert (webhook(ledger).failing, webhook(ledger).reason) == (at(1), "503 b")
    ledger.take_page(a_page("delivered"), at(10))
    found = webhook(ledger)
    assert (found.failing, found.told, found.reason) == (None, at(10), "")


def test_another_sinks_success_is_no_help(ledger: Ledger) -> None:
    """Sinks fare one by one."""
    ledger.take_page(a_page("failed", "503"), at(1))
    ledger.take_page(a_page("delivered", sink="pagerduty"), at(2))
    assert webhook(ledger).failing == at(1)


def test_what_is_no_longer_sent_does_not_fail(ledger: Ledger) -> None:
    """A page that failed and is then withheld waits for nothing any more."""
    ledger.take_page(a_page("failed", "503"), at(1))
    ledger.take_page(a_page("withheld", "over-and-old"), at(2))
    assert webhook(ledger).failing is None


@pytest.mark.parametrize("answer", ["401 who", "403 no", "404 gone"])
def test_a_receiver_that_does_not_know_us(ledger: Ledger, answer: str) -> None:
    """It refuses since its first such answer, until it takes a page, the watchdog's own too."""
    ledger.take_page(a_page("refused", answer), at(1))
    ledger.take_page(a_page("refused", answer), at(5))
    found = webhook(ledger)
    assert (found.refuses, found.failing, found.reason) == (True, at(1), answer)
    own = an_alert(rule="monitor-blind", device="watchdog-0", name="w")
    ledger.take_page(a_page("delivered", of=own), at(9))
    assert not webhook(ledger).refuses


def test_one_page_that_is_refused_is_not_the_sinks_fault(ledger: Ledger) -> None:
    """A 400 says that this page is wrong, not that the receiver takes none."""
    ledger.take_page(a_page("failed", "503"), at(0))
    ledger.take_page(a_page("refused", "400 bad"), at(1))
    assert webhook(ledger).failing is None


def test_the_watchdogs_own_success_does_not_hide_a_failure(ledger: Ledger) -> None:
    """What fails for the pager may fail for its own reasons, though the receiver is there."""
    ledger.take_page(a_page("failed", "500 cannot read this"), at(1))
    own = an_alert(rule="monitor-blind", device="watchdog-0", name="w")
    ledger.take_page(a_page("delivered", of=own), at(9))
    assert webhook(ledger).failing == at(1)


def test_its_own_alerts_are_not_owed(ledger: Ledger) -> None:
    """The watchdog tells its alerts itself: they never add to what it tells about."""
    ledger.take_alert(an_alert(rule="monitor-blind", device="watchdog-0"), at(0))
    assert owed(ledger) == []


def test_what_was_left_open(ledger: Ledger) -> None:
    """After a restart its own open occurrence is found, with what each receiver was told of it."""
    mine = an_alert(rule="monitor-blind", device="watchdog-0", name="mine")
    other = an_alert(rule="monitor-blind", device="watchdog-1", name="other")
    ended = an_alert(rule="monitor-blind", device="watchdog-0", name="ended")
    over = an_alert("cleared", rule="monitor-blind", device="watchdog-0", name="ended")
    for alert in (mine, other, ended, over):
        ledger.take_alert(alert, at(0))
    ledger.take_page(a_page("delivered", of=mine), at(1))
    ledger.take_page(a_page("failed", "503", of=mine, sink="pagerduty"), at(1))
    ((found, told),) = ledger.left_open()
    assert found == mine
    assert told["webhook"].outcome_of(mine) == "delivered"
    assert told["pagerduty"].outcome_of(mine) == "failed"
    assert told.get("nobody", History()).outcome_of(mine) is None


def test_what_was_settled_long_ago_is_forgotten(ledger: Ledger) -> None:
    """The memory of what was settled has an end; what is owed has none."""
    ledger.take_page(a_page("delivered"), at(0))
    ledger.take_alert(an_alert(name="b"), at(0))
    ledger.forget(at(1))
    ledger.take_alert(an_alert(), at(2))
    assert owed(ledger) == [("b", "raised", "medium"), ("a", "raised", "medium")]
