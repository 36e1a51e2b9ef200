"""What is wrong with a site: every fault below, at and above its limit, and what is not known."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from alerts.profile_book import load_profile
from streams.watch.health import Fault, judge, written
from streams.watch.observation import Lag, Observation, Receiver, Ticks, Untold, Workers

LIMITS = load_profile("default").monitor_blind
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def ago(seconds: float) -> datetime:
    """Tell the time that long before the look."""
    return AT - timedelta(seconds=seconds)


def a_tick(seconds: float | None, topic: str = "ino.labs", partition: int = 0) -> Ticks:
    """Make a partition whose newest tick is that old."""
    newest = None if seconds is None else ago(seconds)
    return Ticks(topic=topic, partition=partition, newest=newest)


def a_lag(
    seconds: float | None, *, role: str = "monitor", records: int = 5, still_s: float = 0
) -> Lag:
    """Make a partition whose oldest record that waits is that old."""
    return Lag(
        role=role,
        topic="ino.labs",
        partition=0,
        records=0 if seconds is None else records,
        oldest=None if seconds is None else ago(seconds),
        still=ago(still_s),
    )


def a_sink(seconds: float | None, *, refuses: bool = False, name: str = "webhook") -> Receiver:
    """Make a sink that has failed for so long."""
    return Receiver(
        sink=name,
        told=None,
        failing=None if seconds is None else ago(seconds),
        refuses=refuses,
        reason="503 not now",
    )


def owed(seconds: float, rule: str = "set-dose-high") -> Untold:
    """Make an alert that has reached nobody for so long."""
    return Untold(alert=rule, rule=rule, phase="raised", priority="high", since=ago(seconds))


WELL = Observation(
    at=AT,
    missing=(),
    ticks=(a_tick(1), a_tick(30)),
    workers=(Workers(role="monitor", running=1, gone=None),),
    lags=(a_lag(None), a_lag(30)),
    receivers=(a_sink(None),),
    untold=(owed(60),),
)


def faults(**changes: object) -> list[Fault]:
    """List what is wrong when this is seen in place of what is well."""
    found = judge(replace(WELL, **changes), AT, "", AT, LIMITS)
    assert found is not None
    return found


def only(**changes: object) -> Fault:
    """Return the one fault that there is."""
    (fault,) = faults(**changes)
    return fault


def test_what_is_at_its_limit_is_well() -> None:
    """Ticks and records of exactly 30 s, pages of exactly 60 s are no fault."""
    assert faults() == []


def test_nothing_seen_is_not_known() -> None:
    """Before the first look it is neither well nor ill; after 30 s without one it is ill."""
    at_limit, beyond = AT + LIMITS.age, AT + LIMITS.age + INSTANT
    assert judge(None, AT, "refused", at_limit, LIMITS) is None
    (fault,) = judge(None, AT, "refused", beyond, LIMITS) or []
    assert (fault.reason, fault.since) == ("kafka-away", AT)
    assert fault.words == "Kafka has not answered for 30 s (limit 30 s): refused"


def test_an_old_look_says_only_that_it_is_old() -> None:
    """When no look succeeds any more, what was seen before is not told as if it were now."""
    seen = replace(WELL, ticks=(a_tick(None),))
    (fault,) = judge(seen, AT, "refused", AT + timedelta(seconds=31), LIMITS) or []
    assert fault.reason == "kafka-away"


def test_a_look_is_judged_as_of_its_own_time() -> None:
    """A tick that was 30 s old at the look is not taken to be older when it is judged."""
    assert judge(WELL, AT, "", AT + timedelta(seconds=20), LIMITS) == []


def test_a_clock_that_has_stopped() -> None:
    """A tick older than 30 s is a fault since that tick, with the partitions by name."""
    fault = only(ticks=(a_tick(1), a_tick(42, "ino.labs", 1)))
    assert (fault.reason, fault.since) == ("clock-stopped", ago(42))
    assert fault.words == "no tick for 42 s in ino.labs/1 (limit 30 s)"


def test_a_partition_without_any_tick() -> None:
    """A partition in which no tick was ever seen is a fault whose beginning nobody knows."""
    fault = only(ticks=(a_tick(None, "ino.labs", 0), a_tick(2)))
    assert (fault.reason, fault.since) == ("clock-stopped", None)
    assert fault.words == "no tick was ever seen in ino.labs/0"


def test_many_partitions_are_counted() -> None:
    """A sentence names two partitions and counts the others."""
    fault = only(ticks=[a_tick(31 + number, "ino.labs", number) for number in range(8)])
    assert fault.words == "no tick for 38 s in ino.labs/0, ino.labs/1 and 6 more (limit 30 s)"


@pytest.mark.parametrize(("ahead_s", "reasons"), [(30, []), (31, ["clocks-apart"])])
def test_a_clock_that_is_ahead(ahead_s: float, reasons: list[str]) -> None:
    """A Kafka whose clock is more than 30 s ahead would hide a tick that stops: that is a fault."""
    assert [fault.reason for fault in faults(ticks=(a_tick(-ahead_s),))] == reasons


def test_missing_topics() -> None:
    """Topics that are not there are a fault by name."""
    assert only(missing=("ino.labs",)).words == "topics are missing: ino.labs"


@pytest.mark.parametrize(
    ("gone_s", "words"),
    [
        (30, []),
        (31, ["no worker of the role monitor has run for 31 s (limit 30 s)"]),
        (None, ["no worker of the role monitor is running"]),
    ],
)
def test_a_worker_that_is_gone(gone_s: float | None, words: list[str]) -> None:
    """Nobody of a role for more than 30 s is a fault; at once when nobody knows for how long."""
    gone = None if gone_s is None else ago(gone_s)
    found = faults(workers=(Workers(role="monitor", running=0, gone=gone),))
    assert [fault.words for fault in found] == words


def test_a_role_that_lags() -> None:
    """A record that waits for more than 30 s is a fault of its role, since the record came."""
    fault = only(lags=(a_lag(31), a_lag(2)))
    assert (fault.reason, fault.since) == ("lagging", ago(31))
    assert fault.words == (
        "monitor is behind: 5 records wait for up to 31 s in ino.labs/0 (limit 30 s)"
    )


def test_a_role_that_stands_still() -> None:
    """A lag is told as standing still when the first record has been the same for 30 s."""
    fault = only(lags=(a_lag(40, records=1, still_s=31),))
    assert fault.reason == "stalled"
    assert fault.words == (
        "monitor stands still: 1 record waits for up to 40 s in ino.labs/0 (limit 30 s)"
    )


def test_each_role_is_a_fault_of_its_own() -> None:
    """Two roles that are behind are two faults."""
    found = faults(lags=(a_lag(31), a_lag(50, role="recorder")))
    assert [fault.words.split()[0] for fault in found] == ["monitor", "recorder"]


def test_what_waits_for_a_receiver_is_the_receivers() -> None:
    """While a sink fails the pager may lag: the sink's own limit of 60 s decides."""
    pager = (a_lag(50, role="pager"),)
    assert faults(lags=pager, receivers=(a_sink(50),)) == []
    assert only(lags=pager, receivers=(a_sink(61),)).reason == "sink-failing"
    assert only(lags=pager).reason == "lagging"
    assert only(lags=(a_lag(50),), receivers=(a_sink(50),)).reason == "lagging"


@pytest.mark.parametrize(("failing_s", "reasons"), [(60, []), (61, ["sink-failing"])])
def test_a_sink_that_fails(failing_s: float, reasons: list[str]) -> None:
    """A sink is at fault when nothing has got through for more than 60 s, not at 60 s."""
    found = faults(receivers=(a_sink(failing_s), a_sink(None, name="pagerduty")))
    assert [fault.reason for fault in found] == reasons


def test_a_sink_that_refuses() -> None:
    """A receiver that does not know us is told as such, with its answer."""
    fault = only(receivers=(a_sink(75, refuses=True),))
    assert fault.reason == "sink-refuses"
    assert fault.words == "webhook has refused every page for 75 s (limit 60 s): 503 not now"


def test_without_a_receiver() -> None:
    """A site that has named no receiver is not well: nobody would be told."""
    assert only(receivers=()).reason == "no-receiver"


def test_an_alert_that_reached_nobody() -> None:
    """Alerts untold for more than 60 s are one fault, since the oldest of them."""
    one = only(untold=(owed(61),))
    assert (one.reason, one.since) == ("undelivered", ago(61))
    assert one.words == (
        "1 alert has reached nobody for up to 61 s (limit 60 s): set-dose-high high"
    )
    more = only(untold=(owed(59), owed(70, "abrupt-stop"), owed(61)))
    assert more.words == (
        "2 alerts have reached nobody for up to 70 s (limit 60 s): abrupt-stop high and others"
    )


def test_several_at_once() -> None:
    """Everything that is wrong is listed, the clock before what follows from it."""
    found = faults(ticks=(a_tick(40),), lags=(a_lag(41),), untold=(owed(90),))
    assert [fault.reason for fault in found] == ["clock-stopped", "lagging", "undelivered"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.9, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "59 min"), (29_000, "8 h 3 min")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    """A length of time is written as people say it, never as longer than it is."""
    assert written(timedelta(seconds=seconds)) == words
