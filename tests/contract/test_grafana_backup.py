"""What the boards and the backup rules say of days long past and of results that came late.

A few patients by hand in a real InfluxDB, asked as Grafana asks.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from msgspec.structs import replace

from alerts.profile_book import packaged
from deploy.grafana.queries import backup, health
from deploy.grafana.queries.health import HEARD_S
from schemas.alert import Alert, Phase
from schemas.health import Health, SinkHealth
from schemas.telemetry import Mode, Telemetry
from streams.grafana.golden import example
from streams.grafana.settings import thresholds_of
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.shapes import Record
from tests.contract.conftest import Influx
from tests.contract.grafana_asks import every_question, filled

START = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = thresholds_of(packaged().named("default"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Ask = Callable[..., list[dict[str, Any]]]


def sample(patient: str, at: datetime, mode: Mode = "delivering") -> Telemetry:
    """Make a sample."""
    dose = 20.0 if mode == "delivering" else 0.0
    return Telemetry(
        time=at, device=f"d-{patient}", patient=patient, unit="u", bed="1", mode=mode, set_ppm=dose
    )


def overdue(patient: str, phase: Phase, hours: float, reason: str, rule: str) -> Alert:
    """Make a transition of a rule about the first check, in the course since ``START``."""
    return Alert(
        id=f"{rule}-{patient}",
        rule=rule,
        phase=phase,
        priority="medium",
        onset=START + 8 * HOUR,
        at=START + hours * HOUR,
        patient=patient,
        unit="u",
        bed="1",
        device="d",
        course=START,
        summary="a check",
        value=None,
        limit=8.0,
        unit_of_measure="h",
        reason=reason,
        profile="default",
        rules_version="1",
        source="label",
    )


def word(at: datetime, *, well: bool = True) -> Health:
    """Make what a watchdog leaves that sees no role and no receiver."""
    return Health(
        time=at,
        watcher="watchdog-0",
        well=well,
        faults=() if well else ("no tick",),
        clock_s=1.0,
        roles={},
        sinks={},
        untold=0,
    )


@contextmanager
def asking(influxdb: Influx, tmp_path: Path, records: list[Record]) -> Iterator[Ask]:
    """Keep the records in a bucket of their own, and ask of it as Grafana does."""
    (tmp_path / "token").write_text(influxdb.token)
    bucket = influxdb.make_bucket()
    address = f"{influxdb.address(bucket)}?token-file={tmp_path / 'token'}"
    with closing(open_store(address)) as store:
        store.write([point for record in records for point in points_of(record)])

    def ask(flux: str, back: timedelta, stop: datetime) -> list[dict[str, Any]]:
        text = filled(flux, bucket, stop - back, stop)
        with InfluxDBClient(influxdb.url, influxdb.token, org=influxdb.org) as client:
            tables = client.query_api().query(text)
        return [row.values for table in tables for row in table.records]

    yield ask
    influxdb.delete_bucket(bucket)


def back_of(title: str) -> timedelta:
    """Say how far a rule looks back, as it is built."""
    (rule,) = [rule for rule in example().rules if rule["title"] == title]
    return timedelta(seconds=rule["data"][0]["relativeTimeRange"]["from"])


def test_a_dead_feed_stays_dead(influxdb: Influx, tmp_path: Path) -> None:
    """Days after the last sample the rule still counts those who were treated then, no others.

    That is so though the watchdog goes on, which may be told of the beds by nobody.
    """
    end = START + 5 * DAY
    after = (timedelta(minutes=4), timedelta(minutes=6), 25 * HOUR, 20 * DAY)
    records: list[Record] = [
        *(sample("treated", end - n * HOUR) for n in range(3)),
        *(sample("went-without-a-word", end - 2 * DAY - n * HOUR) for n in range(3)),
        *(sample("waits", end - n * HOUR, "standby") for n in range(3)),
        *(word(end + later - timedelta(seconds=1)) for later in after),
    ]
    back = back_of("No heartbeat")
    with asking(influxdb, tmp_path, records) as ask:
        for later in after:
            (row,) = ask(backup.no_heartbeat(), back, end + later)
            assert row["_value"] == (later > after[0]), later


def test_a_watchdog_that_is_not_heard(influxdb: Influx, tmp_path: Path) -> None:
    """The rule fires when its last word is old, whatever it was; not while it says what is wrong.

    An empty ward is enough for that, and a month later nothing has changed.
    """
    back, now = back_of("No heartbeat"), START + 5 * DAY
    records: list[Record] = [word(now - DAY), word(now, well=False)]
    with asking(influxdb, tmp_path, records) as ask:
        for later, value in (
            (timedelta(seconds=1), 0),
            (timedelta(seconds=HEARD_S), 0),
            (timedelta(seconds=HEARD_S + 1), 1),
            (40 * DAY, 1),
            (HOUR - DAY, 1),
        ):
            (row,) = ask(backup.no_heartbeat(), back, now + later)
            assert row["_value"] == value, later
        (row,) = ask(backup.no_heartbeat(), back, now - DAY + timedelta(seconds=HEARD_S))
        assert row["_value"] == 0


def test_no_receiver_has_ever_failed(influxdb: Influx, tmp_path: Path) -> None:
    """A store without a single reason still says that there is no trouble."""
    sinks = {"webhook": SinkHealth(failing_s=0.0, reason="")}
    with asking(influxdb, tmp_path, [replace(word(START), sinks=sinks)]) as ask:
        (row,) = ask(health.receivers(LIMITS), HOUR, START + timedelta(seconds=1))
    assert (row["sink"], row["state"], row["reason"]) == ("webhook", "no trouble", "-")


@pytest.mark.parametrize("title", ["No heartbeat", "Undelivered pages"])
def test_the_rules_look_a_month_back(title: str) -> None:
    """Neither ends by itself within the month that Kafka keeps what the store may have missed."""
    assert back_of(title) == 30 * DAY


def test_a_late_result_is_no_missed_check(influxdb: Influx, tmp_path: Path) -> None:
    """Collected in time and resulted late is no missed check; late, or never, is one."""
    due, missed = "methb-first-due", "methb-first-overdue"
    records: list[Record] = [overdue(p, "raised", 4, "due", due) for p in ("a", "b", "c", "d")]
    records += [overdue(p, "raised", 8, "overdue", missed) for p in ("a", "b", "c")]
    records += [
        overdue("a", "cleared", 9, "late-result", missed),
        overdue("b", "cleared", 10, "resulted", missed),
    ]
    (flux,) = [
        asked.flux
        for asked in every_question(example())
        if "First methemoglobin check missed" in asked.name
    ]
    with asking(influxdb, tmp_path, records) as ask:
        (month,) = ask(flux, 60 * DAY, START + 30 * DAY)
    assert (month["n"], month["share"]) == (4, 0.5)
