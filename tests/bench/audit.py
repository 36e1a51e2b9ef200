"""A year of a ward of 20 beds, a sample a minute: how long each question takes, by either store.

    python -m tests.bench --only audit

The year is simulated: each bed has one patient after another, by the book in most beds, with one
hazard after another in the rest. Its alerts are what the core says of these very records; pages and
acknowledgements are made up for them. Making it takes longer than asking: INOWATCH_BENCH_YEAR names
a SQLite file to make it in, or to take it from when it is there; InfluxDB is filled from that file.
The first question makes the copies of past samples, and is timed by itself.
"""

import heapq
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct
from msgspec.structs import replace

from deploy.influxdb.server import InfluxServer
from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course
from schemas.decode import EARLIEST, LATEST
from schemas.encode import encode
from schemas.page import Page
from schemas.telemetry import Telemetry
from streams.audit.catalogue import read_catalogue
from streams.audit.day_copies import DayCopies
from streams.audit.engine import Asked, ask
from streams.audit.question import filled
from streams.replay import replay
from streams.simulate.arrival import Arrival
from streams.simulate.ward import ward
from streams.stores.influx import LINES_A_REQUEST, InfluxStore
from streams.stores.points import points_of
from streams.stores.shapes import SHAPES, Record
from streams.stores.sqlite import SqliteStore
from streams.ward import Ward

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
WARD = {
    "correct-care": 10,
    "sensor-noise": 2,
    "dose-high": 1,
    "methb-missed": 1,
    "abrupt-stop": 1,
    "past-14-days": 1,
    "telemetry-lost": 1,
    "fast-wean": 1,
    "no2-high": 1,
    "methb-repeat-missed": 1,
}
"""Scenario to beds: 20 in all."""
BATCH_POINTS = 20_000


class Size(Struct, frozen=True):
    """How long the history is."""

    days: float


FULL = Size(365.0)
QUICK = Size(1.0)


def audit_figures(size: Size) -> dict[str, float]:
    """Make the history, ask every question of all of it; seconds by store and question."""
    kept = os.environ.get("INOWATCH_BENCH_YEAR")
    with TemporaryDirectory() as home:
        path = Path(kept) if kept else Path(home, "year.sqlite")
        if not path.exists():
            begin = time.perf_counter()
            count = make_history(path, size.days)
            took_s = time.perf_counter() - begin
            print(f"audit: {count:,} records of {size.days:g} days made in {took_s:,.0f} s")
        print(f"audit: the file has {path.stat().st_size / 1e9:.2f} GB", flush=True)
        with closing(SqliteStore(path)) as sqlite:
            figures = _asked("sqlite", sqlite, Path(home, "sqlite"))
            with (
                InfluxServer() as server,
                closing(InfluxStore(server.url, server.org, server.bucket, server.token)) as influx,
            ):
                _fill(influx, sqlite)
                figures |= _asked("influxdb", influx, Path(home, "influxdb"))
    return figures


def _fill(influx: InfluxStore, sqlite: SqliteStore) -> None:
    begin = time.perf_counter()
    for shape in SHAPES.values():
        points = sqlite.read(shape.measurement, EARLIEST, LATEST)
        while batch := list(islice(points, LINES_A_REQUEST)):
            influx.write(batch)
    print(f"audit: InfluxDB filled in {time.perf_counter() - begin:,.0f} s", flush=True)


def _asked(name: str, store: SqliteStore | InfluxStore, home: Path) -> dict[str, float]:
    catalogue = read_catalogue()
    copies = DayCopies(home, store)

    def seconds(question: str) -> float:
        asked = Asked(
            question=catalogue.named(question), parameters=filled(catalogue.named(question), {})
        )
        begin, used = time.perf_counter(), time.process_time()
        head = ask(store, catalogue, asked, lambda _: None, copies).head
        took_s, used_s = time.perf_counter() - begin, time.process_time() - used
        spent = f"{took_s:6.1f} s ({used_s:.1f} s of processor)"
        print(f"audit: {name:9} {question:20} {spent}, {head.row_count:,} rows", flush=True)
        return round(took_s, 2)

    first = {f"audit_{name}_first_s": seconds("courses")}
    held = sum(file.stat().st_size for file in home.glob("*.parquet")) / 1e6
    print(f"audit: {name}: so the copies are made, and have {held:,.0f} MB", flush=True)
    each = {f"audit_{name}_{one.replace('-', '_')}_s": seconds(one) for one in catalogue.questions}
    return first | each | {f"audit_{name}_slowest_s": max(each.values())}


def make_history(path: Path, days: float) -> int:
    """Write the history into a new store; return how many records it has."""
    count = 0
    with closing(SqliteStore(path)) as store:
        records = _records(days)
        while batch := list(islice(records, BATCH_POINTS)):
            store.write([point for record in batch for point in points_of(record)])
            count += len(batch)
    return count


def _records(days: float) -> Iterator[Record]:
    """Inputs in the order of their arrival, each followed by what the core says then."""
    waiting: list[Record] = []

    def lines() -> Iterator[bytes]:
        for arrival in _arrivals(days):
            waiting.append(arrival.record)
            yield encode(arrival.record)

    for alert in replay(lines(), Ward(), _refuse):
        yield from waiting
        waiting.clear()
        yield alert
        yield from _answers(alert)
    yield from waiting


def _arrivals(days: float) -> Iterator[Arrival]:
    end = BEGIN + timedelta(days=days)
    beds = (
        _moved(ward(count, scenario, 1, BEGIN, end, end), unit)
        for unit, (scenario, count) in enumerate(WARD.items(), 1)
    )
    return heapq.merge(*beds, key=attrgetter("at"))


def _moved(arrivals: Iterable[Arrival], unit: int) -> Iterator[Arrival]:
    """Give each scenario beds and devices of its own, in one of two units."""
    for arrival in arrivals:
        record = arrival.record
        here = f"nicu-{1 + unit % 2}"
        if isinstance(record, Telemetry):
            device = f"{unit}-{record.device}"
            record = replace(record, unit=here, bed=f"{unit}/{record.bed}", device=device)
        elif isinstance(record, Course) and record.unit:
            record = replace(record, unit=here, bed=f"{unit}/{record.bed}")
        yield Arrival(arrival.at, record)


def _answers(alert: Alert) -> Iterator[Record]:
    """A page 2 s later, told at once or at the second attempt; an acknowledgement of most."""
    if alert.priority == "info":
        return
    chance = int(alert.id[:4], 16) % 10
    for attempt in range(1, 3 if chance == 0 else 2):
        yield Page(
            time=alert.at + timedelta(seconds=2.0 * attempt),
            alert=alert.id,
            rule=alert.rule,
            phase=alert.phase,
            priority=alert.priority,
            at=alert.at,
            patient=alert.patient,
            sink="pagerduty",
            attempt=attempt,
            outcome="failed" if chance == 0 and attempt == 1 else "delivered",
            reason="",
        )
    if alert.phase == "raised" and chance > 1:
        yield Action(
            time=alert.at + timedelta(seconds=30.0 * chance),
            id=f"ack-{alert.id}",
            patient=alert.patient,
            by=f"staff-{chance}",
            action="acknowledge",
            alert=alert.id,
        )


def _refuse(number: int, _line: bytes, why: object) -> None:
    raise RuntimeError(f"record {number} of the simulated year is refused: {why}")
