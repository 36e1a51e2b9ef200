"""Every question answers alike from every store, and from the records themselves."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from schemas.decode import EARLIEST, LATEST
from schemas.lab import Lab
from streams.audit.catalogue import read_catalogue
from streams.audit.engine import Asked, ask
from streams.audit.forms.html import html
from streams.audit.forms.text import csv, table
from streams.audit.question import filled
from streams.audit.reading import fill, fill_by_record, in_memory, make_table
from streams.audit.tables import TELEMETRY
from streams.stores.open import open_store
from streams.stores.points import record_of
from streams.stores.port import Point, Store
from tests.contract.audited import HOSTILE, NEAR_END, START, H, points
from tests.contract.conftest import Influx

CATALOGUE = read_catalogue()
OF_A_PERIOD = (
    *("courses", "first-methb", "high-methb", "methb-intervals", "dose-over-20", "late-data"),
    *("alarm-performance", "delivery-failures"),
)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The history in a file."""
    path = tmp_path_factory.mktemp("audited") / "it's #1 ?.sqlite"
    with closing(
        open_store(f"sqlite:{str(path).replace('#', '%23').replace('?', '%3f')}")
    ) as store:
        store.write(points())
        yield store


@pytest.fixture(scope="module")
def influx(influxdb: Influx, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The history in an InfluxDB."""
    token: Path = tmp_path_factory.mktemp("token") / "token"
    token.write_text(influxdb.token)
    token.chmod(0o600)
    bucket = influxdb.make_bucket()
    with closing(open_store(f"{influxdb.address(bucket)}?token-file={token}")) as store:
        store.write(points())
        yield store
    influxdb.delete_bucket(bucket)


def asked(name: str, **more: object) -> Asked:
    """Ask with the question's own defaults."""
    question = CATALOGUE.named(name)
    return Asked(question=question, parameters=filled(question, {}), **more)  # type: ignore[arg-type] # the period, as given


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_stores_answer_alike(name: str, sqlite: Store, influx: Store) -> None:
    """SQLite and InfluxDB give the same bytes, of all history and of a part; a report is made."""
    whole = asked(name)
    found = ask(sqlite, CATALOGUE, whole, lambda _: None)
    assert csv(found) == csv(ask(influx, CATALOGUE, whole, lambda _: None))
    assert found.head.row_count
    assert whole.question.title in html(found).decode()
    part = asked(name, start=START + 2 * H, stop=NEAR_END, unit="nicu-1")
    found = ask(sqlite, CATALOGUE, part, lambda _: None)
    assert table(found) == table(ask(influx, CATALOGUE, part, lambda _: None))


@pytest.mark.parametrize("store", ["sqlite", "influx"])
def test_columns_say_what_records_say(store: str, request: pytest.FixtureRequest) -> None:
    """The quick way to read samples gives what restoring every record gives, in the same order."""
    history: Store = request.getfixturevalue(store)
    span = (EARLIEST, LATEST)
    with in_memory() as quick, in_memory() as slow:
        for con in (quick, slow):
            make_table(con, TELEMETRY)
        fill(quick, history, TELEMETRY, span, lambda _: None)
        fill_by_record(slow, history, TELEMETRY, span)
        rows = quick.execute("FROM telemetry").fetchall()
        assert rows == slow.execute("FROM telemetry").fetchall()
    assert len(rows) > 5000


def test_hostile_names_are_values(sqlite: Store) -> None:
    """What somebody typed as a unit is looked for as it is, and changes nothing."""
    here = ask(sqlite, CATALOGUE, asked("courses", unit=HOSTILE), lambda _: None)
    assert here.column("patient") == ["p-hand"]
    nowhere = ask(sqlite, CATALOGUE, asked("courses", unit=HOSTILE + "'"), lambda _: None)
    assert nowhere.head.row_count == 0
    assert ask(sqlite, CATALOGUE, asked("judged-by"), lambda _: None).head.row_count > 0


def _known(point: Point) -> datetime:
    """When the product knew of it: a result stands at its collection and comes later."""
    record = record_of(point) if point.measurement == "lab" else None
    return record.resulted or record.time if isinstance(record, Lab) else point.time


def test_a_question_of_a_past_period_stays_answered(sqlite: Store, tmp_path: Path) -> None:
    """What came at or after the end of a period, or was resulted then, changes nothing of it."""
    with closing(open_store(f"sqlite:{tmp_path}/cut.sqlite")) as cut:
        cut.write([point for point in points() if _known(point) < NEAR_END])
        for name in OF_A_PERIOD:
            period = asked(name, start=START, stop=NEAR_END)
            ours = ask(cut, CATALOGUE, period, lambda _: None)
            assert csv(ours) == csv(ask(sqlite, CATALOGUE, period, lambda _: None)), name
