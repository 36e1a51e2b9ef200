"""Every question of every board and rule, put to a real InfluxDB that a simulated ward has filled.

The ward is the demonstration's: its mandated alerts, judged by the core, with pages, refused
records, a change of limits and a blind monitor beside them. The reader's token can only read.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from msgspec.structs import replace

from alerts.profile_book import packaged
from deploy.grafana.queries import backup, health, telling, ward
from deploy.grafana.queries import patient as patient_of
from schemas.alert import Alert
from schemas.encode import encode
from schemas.health import EVERY_S, Health
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter
from schemas.telemetry import Telemetry
from streams.grafana.golden import example
from streams.grafana.settings import thresholds_of
from streams.replay import replay, replay_until
from streams.simulate import ward as simulated
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.port import Point
from streams.ward import Ward
from streams.watch.report import Report
from tests.contract.conftest import Influx
from tests.contract.grafana_asks import Asked, every_question, filled
from tests.unit.test_watch_health import WELL, a_lag, a_sink, a_tick

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
STOP = NOW + timedelta(minutes=20)
DAY = timedelta(days=1)
LIMITS = thresholds_of(packaged().named("default"))
QUESTIONS = list(every_question(example()))
Ask = Callable[..., list[dict[str, Any]]]

each_question = pytest.mark.parametrize("asked", QUESTIONS, ids=[one.name for one in QUESTIONS])


def told(alert: Alert, outcome: str = "delivered", reason: str = "204") -> Page:
    """Make the page of a transition, two seconds after it was due."""
    page = {
        "time": alert.at + timedelta(seconds=2),
        "alert": alert.id,
        "rule": alert.rule,
        "phase": alert.phase,
        "priority": alert.priority,
        "at": alert.at,
        "patient": alert.patient,
        "sink": "webhook",
        "attempt": 1,
        "outcome": outcome,
        "reason": reason,
    }
    return msgspec.convert(page, Page)


def blind() -> Alert:
    """Make what the watchdog raised a quarter of an hour ago."""
    return Alert(
        id="blind-1",
        rule="monitor-blind",
        phase="raised",
        priority="high",
        onset=STOP - timedelta(minutes=16),
        at=STOP - timedelta(minutes=15),
        patient="*",
        unit="*",
        bed="*",
        device="watchdog-0",
        course=None,
        summary="The monitor is blind: no tick",
        value=None,
        limit=30.0,
        unit_of_measure="s",
        reason="clock-stopped",
        profile="default",
        rules_version="3",
        source="own",
    )


def refused(number: int) -> DeadLetter:
    """Make a dead letter whose bytes name somebody."""
    return DeadLetter(
        time=STOP - timedelta(minutes=1 + number),
        topic="ino.telemetry",
        partition=0,
        offset=number,
        reason="not-json",
        detail="Canary Name is no JSON",
        key=None,
        value=b"Canary Name",
    )


def watched() -> Iterator[Health]:
    """Make an hour of the watchdog's words: the pager falls behind, and a receiver takes nothing.

    There is a gap of ten minutes, and another watchdog that looks at the same.
    """
    reports = [Report(name, ("monitor",), ("webhook",), lambda at: at) for name in "ab"]
    for number in range(120, -1, -1):
        now = STOP - timedelta(seconds=EVERY_S * number + 1)
        gone = timedelta(minutes=20) < STOP - now < timedelta(minutes=30)
        well = replace(a_sink(None), reason="")
        receivers = (well, a_sink(90, name="pagerduty"), a_sink(2, name="alertmanager"))
        behind = (a_lag(None), a_lag(35 if number else 45, role="pager", records=7))
        workers = (WELL.workers[0], replace(WELL.workers[0], role="pager"))
        seen = replace(WELL, ticks=(a_tick(1), a_tick(2)), workers=workers)
        for report in reports:
            said = report.due([], replace(seen, receivers=receivers, lags=behind), now)
            if said is not None and not gone:
                yield said


def story() -> tuple[list[Point], list[Alert]]:
    """Return the points of a fortnight of four beds, and what the core said of them."""
    start = NOW - timedelta(hours=340)
    arrivals = simulated.ward(4, "ward", 1, start, NOW, STOP, period_s=60)
    records = [arrival.record for arrival in arrivals]
    judged = Ward()
    lines = (encode(record) for record in records)
    alerts = [*replay(lines, judged, lambda *_: None), *replay_until(judged, None)]
    points: list[Point] = []
    for number, record in enumerate(records):
        # Of what is long past every twentieth sample is enough to draw and to count days by.
        if not isinstance(record, Telemetry) or record.time > NOW - DAY or number % 20 == 0:
            points += points_of(record)
    change = ProfileChange(
        time=NOW,
        patient=alerts[0].patient,
        unit="nicu-1",
        cause="course",
        by="Canary Name",
        record="r2",
        old="1+default.1",
        new="1+floor-2.1",
    )
    for beside in (blind(), change, *map(refused, range(3)), *watched()):
        points += points_of(beside)
    for alert in alerts:
        points += points_of(alert)
        page = told(alert)
        if alert.priority == "info":
            page = told(alert, "withheld", "info-only")
        elif alert.rule == "set-dose-high" and alert.phase == "escalated":
            page = told(alert, "failed", "503")
        points += points_of(page)
    return points, alerts


@pytest.fixture(scope="module")
def told_story() -> tuple[list[Point], list[Alert]]:
    """Tell the story once."""
    return story()


@pytest.fixture(scope="module")
def alerts(told_story: tuple[list[Point], list[Alert]]) -> list[Alert]:
    """What the core said of the ward."""
    return told_story[1]


@pytest.fixture(scope="module")
def patient(alerts: list[Alert]) -> str:
    """Whose dose was set too high."""
    return next(alert.patient for alert in alerts if alert.rule == "set-dose-high")


@pytest.fixture(scope="module")
def buckets(
    influxdb: Influx,
    tmp_path_factory: pytest.TempPathFactory,
    told_story: tuple[list[Point], list[Alert]],
) -> Iterator[tuple[str, str]]:
    """Name a bucket with the ward in it and an empty one."""
    full, empty = influxdb.make_bucket(), influxdb.make_bucket()
    token_file = tmp_path_factory.mktemp("token") / "token"
    token_file.write_text(influxdb.token)
    store = open_store(f"{influxdb.address(full)}?token-file={token_file}")
    store.write(told_story[0])
    store.close()
    yield full, empty
    influxdb.delete_bucket(full)
    influxdb.delete_bucket(empty)


@pytest.fixture(scope="module")
def ask(influxdb: Influx, buckets: tuple[str, str], patient: str) -> Iterator[Ask]:
    """Ask as Grafana does, with a token that can read these buckets only."""
    with influxdb.reading_token(buckets[0]) as full, influxdb.reading_token(buckets[1]) as empty:
        tokens = dict(zip(buckets, (full, empty), strict=True))

        def answer(
            flux: str, bucket: str = buckets[0], back: timedelta = DAY, stop: datetime = STOP
        ) -> list[dict[str, Any]]:
            variables = {"unit": "nicu-1", "patient": patient}
            text = filled(flux, bucket, stop - back, stop, variables)
            with InfluxDBClient(influxdb.url, tokens[bucket], org=influxdb.org) as client:
                tables = client.query_api().query(text)
            frame = {"result", "table"}
            return [
                {name: value for name, value in row.values.items() if name not in frame}
                for table in tables
                for row in table.records
            ]

        yield answer


def span(asked: Asked) -> timedelta:
    """Return how far a question looks back in this test."""
    if asked.name.startswith("inowatch-quality"):
        return timedelta(days=365)
    return timedelta(days=int(asked.back.removesuffix("d"))) if asked.back else DAY


@each_question
def test_each_question_is_answered_with_rows(asked: Asked, ask: Ask) -> None:
    """The ward has something for every panel, mark, choice and rule; none of it names anybody."""
    rows = ask(asked.flux, back=span(asked))
    assert rows
    assert any(value is not None for row in rows for value in row.values())
    text = repr(rows)
    assert "Canary" not in text
    assert not {"by", "device", "record", "value", "detail"} & set().union(*rows)


@each_question
def test_an_empty_store_is_no_data_and_no_zero(
    asked: Asked, ask: Ask, buckets: tuple[str, str]
) -> None:
    """A board says NO DATA where there is none; a rule always has its number."""
    rows = ask(asked.flux, buckets[1], back=span(asked))
    # Where no watchdog ever left word there is no heartbeat.
    of_rule = [{"_value": 1 if asked.name == "No heartbeat" else 0}]
    assert rows == (of_rule if asked.from_rule else [])


def test_the_wards_figures_are_right(ask: Ask, alerts: list[Alert], patient: str) -> None:
    """Counted by hand from the transitions: what is open, at which priority."""
    last = {alert.id: alert for alert in alerts}
    still = [alert for alert in last.values() if alert.phase != "cleared"]
    high = sum(alert.priority == "high" for alert in still)
    month = timedelta(days=30)
    assert ask(ward.on_ino(LIMITS)) == [{"_value": 4}]
    assert ask(ward.above_limit(LIMITS)) == [{"_value": 1}]
    assert ask(ward.silent(LIMITS)) == [{"_value": 0}]
    assert ask(ward.open_alerts("high"), back=month) == [{"_value": high + 1}]
    worst = ask(ward.worst_alerts(), back=month)
    assert [row["rank"] for row in worst] == sorted(row["rank"] for row in worst)
    of_patient = next(row for row in worst if row["patient"] == patient)
    assert of_patient["state"] == "*** HIGH"
    assert (of_patient["rank"], of_patient["rule"]) == ("1", "set-dose-high")
    assert of_patient["count"] == sum(alert.patient == patient for alert in still)
    assert sum(row["count"] for row in worst) == len(still) + 1
    beds = {row["patient"]: row for row in ask(ward.beds(LIMITS))}
    assert beds[patient]["dose"] == "ABOVE 40"
    assert {row["heard"] for row in beds.values()} == {"heard"}


def test_the_last_methemoglobin_of_each(ask: Ask, patient: str) -> None:
    """Value and age are those of the newest collection, on the ward as at the patient."""
    of_ward = {row["patient"]: row for row in ask(ward.methb())}
    assert ask(patient_of.methb_now()) == [{"_value": of_ward[patient]["methb_pct"]}]
    assert ask(patient_of.methb_age()) == [{"_value": of_ward[patient]["methb_h"]}]
    assert ask(patient_of.methb_trend())[-1]["_value"] == of_ward[patient]["methb_pct"]
    # Who is not heard of any more is no row for the sake of a result.
    assert ask(ward.methb(), back=2 * DAY, stop=STOP + DAY) == []


def test_a_silent_ward_says_so(ask: Ask) -> None:
    """Ten minutes after the last record nobody is on nitric oxide for sure, and four are silent."""
    later = STOP + timedelta(minutes=10)
    assert ask(ward.on_ino(LIMITS), stop=later) == []
    assert ask(ward.silent(LIMITS), stop=later) == [{"_value": 4}]
    beds = ask(ward.beds(LIMITS), stop=later)
    assert {(row["heard"], row["dose"]) for row in beds} == {("SILENT", "NO DATA")}


@pytest.mark.parametrize("reading", ["mode", "set_ppm", "no_ppm"])
def test_an_old_reading_is_no_reading(ask: Ask, reading: str) -> None:
    """What a patient's device said minutes ago does not stand there as if it were of now."""
    assert len(ask(patient_of.now_of(reading, LIMITS))) == 1
    assert ask(patient_of.now_of(reading, LIMITS), stop=STOP + timedelta(minutes=3)) == []


def test_a_line_breaks_where_nothing_came(ask: Ask) -> None:
    """A window without a sample is there and empty, for every reading alike."""
    rows = ask(patient_of.trend("set_ppm", "no_ppm"), stop=STOP + timedelta(minutes=30))
    for field in ("set_ppm", "no_ppm"):
        values = [row["_value"] for row in rows if row["_field"] == field]
        assert values[-5:] == [None] * 5
        assert values[-8] is not None


def test_no_heartbeat_rule(ask: Ask) -> None:
    """It fires when no watchdog is heard, and counts the treated when nothing is recorded."""
    assert ask(backup.no_heartbeat()) == [{"_value": 0}]
    assert ask(backup.no_heartbeat(), stop=STOP + timedelta(seconds=178)) == [{"_value": 0}]
    assert ask(backup.no_heartbeat(), stop=STOP + timedelta(minutes=4)) == [{"_value": 1}]
    assert ask(backup.no_heartbeat(), stop=STOP + timedelta(minutes=6)) == [{"_value": 1 + 4}]
    assert ask(backup.no_heartbeat(), stop=STOP - timedelta(minutes=28)) == [{"_value": 0}]
    assert ask(backup.no_heartbeat(), stop=STOP - timedelta(minutes=26)) == [{"_value": 1}]


def test_what_the_watchdog_sees(ask: Ask) -> None:
    """Lag, clock and receivers are those of its newest word; when that is old, none are known."""
    assert ask(health.age()) == [{"_value": 1.0}]
    assert ask(health.clock_age()) == [{"_value": 2.0}]
    rows = {row["sink"]: row for row in ask(health.receivers(LIMITS))}
    assert {
        sink: (row["state"], row["failing_s"], row["reason"]) for sink, row in rows.items()
    } == {
        "alertmanager": ("trying again", 2.0, "503 not now"),
        "pagerduty": ("FAILING", 90.0, "503 not now"),
        "webhook": ("no trouble", 0.0, "-"),
    }
    later = STOP + timedelta(minutes=4)
    assert ask(health.clock_age(), stop=later) == ask(health.receivers(LIMITS), stop=later) == []
    assert ask(health.age(), stop=later) == [{"_value": 241.0}]


def test_lag_by_role(ask: Ask) -> None:
    """Each role has its line, the worst of a window counts, and it breaks where nobody looked."""
    hour = timedelta(hours=1)
    found = [(row["role"], row["_value"]) for row in ask(health.lag(), back=hour)]
    gap = [35.0] * 6 + [None] * 2 + [35.0] * 3 + [45.0]
    assert found == [("monitor", value and 0.0) for value in gap] + [("pager", v) for v in gap]
    waiting = ask(health.waiting(), back=hour)
    assert {(row["role"], row["_value"]) for row in waiting[:6] + waiting[-1:]} == {
        ("monitor", 0.0),
        ("pager", 7.0),
    }


def test_undelivered_pages_rule(ask: Ask) -> None:
    """It counts the escalation that only failed, and the blind monitor that nobody was told of."""
    assert ask(backup.undelivered(LIMITS)) == [{"_value": 2}]
    assert ask(telling.undelivered(LIMITS)) == [{"_value": 2}]


def test_a_page_that_has_just_become_due_is_given_time(ask: Ask, alerts: list[Alert]) -> None:
    """Within the watchdog's own limit nothing is undelivered."""
    late = next(a for a in alerts if a.rule == "set-dose-high" and a.phase == "escalated")
    just = late.at + timedelta(seconds=LIMITS.page_s - 1)
    assert ask(backup.undelivered(LIMITS), stop=just) == [{"_value": 1}]
    assert ask(backup.undelivered(LIMITS), stop=just + timedelta(seconds=2)) == [{"_value": 2}]


def test_control_limits_are_those_of_the_textbook(ask: Ask) -> None:
    """Share, centre and three standard deviations, computed here once more."""
    (asked,) = [one for one in QUESTIONS if "First methemoglobin check missed" in one.name]
    (month,) = ask(asked.flux, back=timedelta(days=365))
    centre, n = month["centre"], month["n"]
    sigma = (centre * (1 - centre) / n) ** 0.5
    assert month["share"] == centre == 0.25
    assert month["upper"] == pytest.approx(min(1.0, centre + 3 * sigma))
    assert month["lower"] == pytest.approx(max(0.0, centre - 3 * sigma))
