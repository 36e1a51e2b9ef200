"""Copies of past samples: the rows of the store, whatever became of either since."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from schemas.decode import EARLIEST, LATEST
from schemas.telemetry import Telemetry
from streams.audit.day_copies import CannotCopy, DayCopies, copies_for
from streams.audit.reading import fill, make_table
from streams.audit.tables import TELEMETRY
from streams.cli import main
from streams.stores.influx import InfluxStore
from streams.stores.points import points_of
from streams.stores.sqlite import SqliteStore
from tests.contract.conftest import Influx

Kept = SqliteStore | InfluxStore
Rows = list[tuple[Any, ...]]
DAY, H = timedelta(days=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
ALL = (EARLIEST, LATEST)
SPANS = [
    ALL,
    (MIDNIGHT + 7 * H, MIDNIGHT + 2 * DAY + 5 * H),
    (MIDNIGHT + DAY, MIDNIGHT + 2 * DAY),
    (MIDNIGHT + 3 * DAY + H, LATEST),
    (MIDNIGHT + DAY, MIDNIGHT + DAY),
    (EARLIEST, MIDNIGHT - DAY),
]


def sample(at: datetime, bed: int = 1, seq: int | None = None, **more: Any) -> Telemetry:
    """One sample of one bed."""
    return Telemetry(
        time=at,
        device=f"d-{bed}",
        patient=f"p-{bed}",
        unit="nicu",
        bed=f"{bed}",
        mode="delivering",
        seq=seq,
        **more,
    )


def keep(store: Kept, *samples: Telemetry) -> None:
    """Write them as the recorder does."""
    store.write([point for one in samples for point in points_of(one)])


def four_days() -> list[Telemetry]:
    """Two beds, every 20 minutes, each sample at the first and the last microsecond of a day."""
    steps = [MIDNIGHT + number * H / 3 for number in range(4 * 72 - 10)]
    steps += [MIDNIGHT + number * DAY - timedelta(microseconds=1) for number in range(1, 4)]
    return [
        sample(at, bed, number, set_ppm=20.0 if number % 7 else None, no2_ppm=0.1 * bed)
        for number, at in enumerate(sorted(steps))
        for bed in (1, 2)
    ]


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """Four days of samples, in either store."""
    if request.param == "sqlite":
        with closing(SqliteStore(tmp_path / "ward.db")) as made:
            keep(made, *four_days())
            yield made
        return
    influxdb: Influx = request.getfixturevalue("influxdb")
    bucket = influxdb.make_bucket()
    with closing(InfluxStore(influxdb.url, influxdb.org, bucket, influxdb.token)) as made:
        keep(made, *four_days())
        yield made
    influxdb.delete_bucket(bucket)


def read(way: Callable[..., None], span: tuple[datetime, datetime]) -> Rows:
    """What the table holds after it was filled this way."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        make_table(con, TELEMETRY)
        way(con, TELEMETRY, span, lambda _: None)
        return con.execute(f"FROM {TELEMETRY.name}").fetchall()


def direct(store: Kept, span: tuple[datetime, datetime] = ALL) -> Rows:
    """What the store itself gives."""
    return read(lambda con, *rest: fill(con, store, *rest), span)


def days_in(folder: Path) -> list[str]:
    """The days of which there is a copy."""
    return sorted(file.name[:10] for file in folder.iterdir() if file.suffix == ".parquet")


@pytest.mark.parametrize("span", SPANS)
def test_rows_are_those_of_the_store(store: Kept, span: Any, tmp_path: Path) -> None:
    """In the same order, of any part of the history, when they are made and when they are read."""
    copies = DayCopies(tmp_path / "days", store)
    expected = direct(store, span)
    assert read(copies.fill, span) == expected
    assert read(copies.fill, span) == expected
    assert read(copies.fill, ALL) == direct(store)
    assert days_in(tmp_path / "days") == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_what_is_known_is_not_read_again(tmp_path: Path) -> None:
    """A past day comes from its copy: what was taken from the store behind its back is there."""
    path = tmp_path / "ward.db"
    with closing(SqliteStore(path)) as store:
        keep(store, *four_days())
        copies = DayCopies(tmp_path / "days", store)
        before = read(copies.fill, ALL)
        with closing(sqlite3.connect(path)) as other:
            first_day_us = int((MIDNIGHT + DAY).timestamp()) * 1_000_000
            other.execute("DELETE FROM point WHERE time_us < ?", (first_day_us,))
            other.commit()
        assert len(direct(store)) < len(before)
        assert read(copies.fill, ALL) == before


def test_what_came_late_is_in_the_next_answer(store: Kept, tmp_path: Path) -> None:
    """A sample of a past day, a new newest day, and a redelivery that changes nothing."""
    folder = tmp_path / "days"
    copies = DayCopies(folder, store)
    read(copies.fill, ALL)
    made = {file.name: file.stat().st_mtime_ns for file in folder.glob("*.parquet")}
    keep(store, *four_days())
    assert read(copies.fill, ALL) == direct(store)
    assert {file.name: file.stat().st_mtime_ns for file in folder.glob("*.parquet")} == made
    keep(store, sample(MIDNIGHT + DAY + 3 * H, bed=3, seq=5, set_ppm=30.0))
    assert read(copies.fill, ALL) == direct(store)
    changed = {file.name for file in folder.glob("*.parquet")} ^ made.keys()
    assert {name[:10] for name in changed} == {"2026-03-02"}
    keep(store, sample(MIDNIGHT + 9 * DAY, seq=1))
    assert read(copies.fill, ALL) == direct(store)
    assert days_in(folder) == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]


def test_what_the_store_has_dropped_is_not_kept_here(influxdb: Influx, tmp_path: Path) -> None:
    """Days that a retention has taken away go from the copies as well."""
    bucket = influxdb.make_bucket()
    with closing(InfluxStore(influxdb.url, influxdb.org, bucket, influxdb.token)) as store:
        keep(store, *four_days())
        copies = DayCopies(tmp_path / "days", store)
        read(copies.fill, ALL)
        influxdb.delete_points(bucket, MIDNIGHT - DAY, MIDNIGHT + DAY + 12 * H)
        rows = read(copies.fill, ALL)
        assert rows == direct(store)
        assert min(row[0] for row in rows) == MIDNIGHT + DAY + 12 * H
    assert days_in(tmp_path / "days") == ["2026-03-02", "2026-03-03"]
    influxdb.delete_bucket(bucket)


def test_another_file_of_the_same_name(tmp_path: Path) -> None:
    """A store that was made anew in its place is another one, even with as many samples."""
    path, copies = tmp_path / "ward.db", tmp_path / "days"
    for dose_ppm in (20.0, 30.0):
        path.unlink(missing_ok=True)
        with closing(SqliteStore(path)) as store:
            keep(store, *(sample(MIDNIGHT + n * DAY, seq=n, set_ppm=dose_ppm) for n in range(3)))
            assert read(DayCopies(copies, store).fill, ALL) == direct(store)


def test_one_folder_for_many_stores(tmp_path: Path) -> None:
    """A folder that was named serves each store with what is its own."""
    rows = {}
    for _ in range(2):
        for number in (1, 2):
            with closing(SqliteStore(tmp_path / f"{number}.db")) as store:
                keep(store, *(sample(MIDNIGHT + n * DAY, number, n) for n in range(3)))
                copies = copies_for(store, str(tmp_path / "all"))
                assert copies is not None
                rows[number] = read(copies.fill, ALL)
                assert rows[number] == direct(store)
    assert rows[1] != rows[2]
    kept = [days_in(folder) for folder in (tmp_path / "all").iterdir()]
    assert kept == [["2026-03-01", "2026-03-02"]] * 2


def test_questions_at_once(tmp_path: Path) -> None:
    """Four that begin together all get the store's rows, and leave one file a day."""
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        with ThreadPoolExecutor(4) as pool:
            ways = [DayCopies(tmp_path / "days", store).fill for _ in range(4)]
            answers = list(pool.map(read, ways, [ALL] * 4))
        assert answers == [direct(store)] * 4
    assert len(days_in(tmp_path / "days")) == 3


def test_what_broke_off_is_done_again(tmp_path: Path) -> None:
    """What a crash left unfinished is removed; the folder is its owner's alone."""
    folder = tmp_path / "days"
    folder.mkdir(mode=0o700)
    (folder / "2026-03-01.0123456789abcdef.unfinished").write_bytes(b"PAR1")
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        assert read(DayCopies(folder, store).fill, ALL) == direct(store)
    assert not list(folder.glob("*.unfinished"))
    assert len(days_in(folder)) == 3


def test_a_broken_copy_is_said(tmp_path: Path) -> None:
    """It is no answer with fewer rows, but a sentence that says what to remove."""
    folder = tmp_path / "days"
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        copies = DayCopies(folder, store)
        read(copies.fill, ALL)
        os.truncate(next(folder.glob("2026-03-02.*")), 100)
        with pytest.raises(CannotCopy, match=rf"remove {folder}, or ask with --copy none"):
            read(copies.fill, ALL)


def courses(address: str, *words: str, **environment: str) -> tuple[int, str]:
    """Ask for the courses by the command; its code and what it printed."""
    asked = ["audit", "courses", "--store", address, "--format", "csv", *words]
    done = CliRunner().invoke(main, asked, env=environment)
    return done.exit_code, done.output


def test_by_the_command(tmp_path: Path) -> None:
    """Beside a SQLite file by default, in a folder that is named, or not at all."""
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
    address = f"sqlite:{tmp_path}/ward.db"
    code, plain = courses(address, "--copy", "none")
    assert (code, sorted(tmp_path.iterdir())) == (0, [tmp_path / "ward.db"])
    assert "p-1" in plain
    assert courses(address) == (0, plain)
    beside = tmp_path / "ward.db.days"
    assert len(days_in(beside)) == 3
    assert beside.stat().st_mode & 0o777 == 0o700
    assert courses(address, INOWATCH_AUDIT_COPY=str(tmp_path / "named")) == (0, plain)
    (named,) = (tmp_path / "named").iterdir()
    assert len(days_in(named)) == 3
    (tmp_path / "file").touch()
    code, said = courses(address, "--copy", str(tmp_path / "file"))
    assert (code, "--copy none" in said) == (1, True)


def test_a_single_day_leaves_nothing(tmp_path: Path) -> None:
    """While there is no past day, nothing is made."""
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, sample(MIDNIGHT, seq=1, set_ppm=20.0), sample(MIDNIGHT + H, seq=2))
    assert courses(f"sqlite:{tmp_path}/ward.db")[0] == 0
    assert sorted(tmp_path.iterdir()) == [tmp_path / "ward.db"]
