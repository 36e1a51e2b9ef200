"""What the watchdog leaves of how the site is: when, what it says, and how a store keeps it."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from schemas.encode import encode
from schemas.health import EVERY_S, Health, RoleHealth, SinkHealth
from streams.stores.points import points_of, record_of
from streams.watch.health import Fault
from streams.watch.report import Report
from tests.unit.test_watch_health import AT, WELL, a_lag, a_sink, a_tick, owed

EVERY = timedelta(seconds=EVERY_S)
INSTANT = timedelta(microseconds=1)
FAST = timedelta(days=1)
STOPPED = Fault(reason="clock-stopped", since=AT, limit="age", words="no tick for 42 s")
AWAY = Fault(reason="kafka-away", since=AT, limit="age", words="Kafka has not answered")


def a_report() -> Report:
    """Begin; the ward's time is a day ahead of the wall's."""
    return Report("watchdog-0", ("monitor", "pager"), ("webhook",), lambda time: time + FAST)


def said(faults: list[Fault], **changes: object) -> Health:
    """Say at once how it is when this is seen in place of what is well."""
    found = a_report().due(faults, replace(WELL, **changes), AT)
    assert found is not None
    return found


def test_one_every_so_often_and_one_at_each_change() -> None:
    """Nothing before the first judgement; then at once, each 30 s, and when *well* changes."""
    report = a_report()
    assert report.due(None, None, AT) is None
    assert report.due([], WELL, AT) is not None
    assert report.due([], WELL, AT + EVERY - INSTANT) is None
    assert report.due([], WELL, AT + EVERY) is not None
    assert report.due([STOPPED], WELL, AT + EVERY + INSTANT) is not None
    assert report.due([AWAY], WELL, AT + EVERY + 2 * INSTANT) is None
    assert report.due([], WELL, AT + EVERY + 3 * INSTANT) is not None


def test_a_clock_that_was_put_back() -> None:
    """It does not wait until its time has come round again."""
    report = a_report()
    assert report.due([], WELL, AT) is not None
    assert report.due([], WELL, AT - timedelta(hours=1)) is not None


def test_what_it_says() -> None:
    """The worst partition of clock and role, failing receivers, and each alert once."""
    twice = (owed(9), replace(owed(5), phase="escalated"), owed(1, "no2-high"))
    lags = (a_lag(None), a_lag(31, records=2), a_lag(4, records=3))
    found = said(
        [STOPPED],
        ticks=(a_tick(42), a_tick(1)),
        lags=lags,
        receivers=(a_sink(7),),
        untold=twice,
    )
    assert found == Health(
        time=AT + FAST,
        watcher="watchdog-0",
        well=False,
        faults=("no tick for 42 s",),
        clock_s=42.0,
        roles={
            "monitor": RoleHealth(running=1, waiting=5, lag_s=31.0),
            "pager": RoleHealth(running=None, waiting=None, lag_s=None),
        },
        sinks={"webhook": SinkHealth(failing_s=7.0, reason="503 not now")},
        untold=2,
    )
    assert said([], ticks=(a_tick(42), a_tick(None))).clock_s is None
    assert said([], receivers=(a_sink(None),)).sinks["webhook"].failing_s == 0.0


def test_kafka_away_is_not_well_and_nothing_is_known() -> None:
    """What was seen before is not said again as if it were of now."""
    found = said([AWAY])
    assert (found.well, found.clock_s, found.untold) == (False, None, None)
    assert set(found.roles) == {"monitor", "pager"}
    assert {(one.running, one.waiting, one.lag_s) for one in found.roles.values()} == {(None,) * 3}
    assert found.sinks == {"webhook": SinkHealth(failing_s=None, reason="")}


def test_a_store_keeps_it_as_one_point() -> None:
    """Its one tag is the watchdog; roles and receivers are fields, and what is unknown is none."""
    record = said([], receivers=(a_sink(7),), lags=(a_lag(31),))
    (point,) = points_of(record)
    assert (point.measurement, point.tags, point.time) == (
        "health",
        {"watcher": "watchdog-0"},
        AT + FAST,
    )
    fields = dict(point.fields)
    assert fields.pop("record") == encode(record).decode()
    assert fields == {
        "well": True,
        "faults": "[]",
        "clock_s": 30.0,
        "roles_monitor_running": 1.0,
        "roles_monitor_waiting": 5.0,
        "roles_monitor_lag_s": 31.0,
        "sinks_webhook_failing_s": 7.0,
        "sinks_webhook_reason": "503 not now",
        "untold": 1.0,
    }
    assert record_of(point) == record


def test_a_role_of_no_such_name_is_refused() -> None:
    """Names of fields come from the product: what is no plain word never gets that far."""
    raw = encode(said([])).replace(b'"monitor"', b'"p.1 Canary"')
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.json.decode(raw, type=Health)
