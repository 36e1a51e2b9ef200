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

from deploy.grafana.queries import backup
from schemas.alert import Alert, Phase
from schemas.telemetry import Mode, Telemetry
from streams.grafana.golden import example
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.shapes import Record
from tests.contract.conftest import Influx
from tests.contract.grafana_asks import every_question, filled

START = datetime(2026, 1, 2, tzinfo=UTC)
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
    """Days after the last sample the rule still counts those who were treated then, no others."""
    end = START + 5 * DAY
    records: list[Record] = [
        *(sample("treated", end - n * HOUR) for n in range(3)),
        *(sample("went-without-a-word", end - 2 * DAY - n * HOUR) for n in range(3)),
        *(sample("waits", end - n * HOUR, "standby") for n in range(3)),
    ]
    back = back_of("No heartbeat")
    with asking(influxdb, tmp_path, records) as ask:
        for later in (6 * timedelta(minutes=1), 25 * HOUR, 20 * DAY):
            (row,) = ask(backup.no_heartbeat(), back, end + later)
            assert row["_value"] == 1, later
        (row,) = ask(backup.no_heartbeat(), back, end + timedelta(minutes=4))
        assert row["_value"] == 0


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
