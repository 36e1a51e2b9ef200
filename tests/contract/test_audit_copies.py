"""Copies of past samples: the rows of the store, whatever became of either since."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.decode import EARLIEST, LATEST
from schemas.telemetry import Telemetry
from streams.audit.day_copies import CannotCopy, DayCopies, copies_for
from streams.audit.reading import fill, in_memory, make_table
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
    with in_memory() as con:
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
            other.execute("DROP TRIGGER marked_DELETE")
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


def test_other_samples_of_as_many_and_the_same_counters(influxdb: Influx, tmp_path: Path) -> None:
    """A bucket made anew, and a day that was loaded again, are not what they were."""
    bucket = influxdb.make_bucket()
    with closing(InfluxStore(influxdb.url, influxdb.org, bucket, influxdb.token)) as store:
        copies = DayCopies(tmp_path / "days", store)
        for bed, dose_ppm in ((1, 20.0), (2, 20.0), (2, 80.0)):
            influxdb.delete_points(bucket, MIDNIGHT, MIDNIGHT + 3 * DAY)
            moments = [MIDNIGHT + n * DAY for n in range(3)]
            keep(store, *(sample(at, bed, n, set_ppm=dose_ppm) for n, at in enumerate(moments)))
            rows = read(copies.fill, ALL)
            assert rows == direct(store)
            assert len(rows) == 3
    influxdb.delete_bucket(bucket)


def test_what_comes_while_a_day_is_read(
    store: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late samples of a day that is being copied: of a file that may lack them nothing is taken."""
    late = iter([sample(MIDNIGHT + DAY + n * H, 9, n, set_ppm=5.0) for n in (2, 4)])

    def fill_and_more(*given: Any) -> None:
        fill(*given)
        keep(store, *[one for one in [next(late, None)] if one])

    copies = DayCopies(tmp_path / "days", store)
    with monkeypatch.context() as patched:
        patched.setattr("streams.audit.day_copies.fill", fill_and_more)
        rows = read(copies.fill, ALL)
    assert rows == direct(store)
    assert sum(row[2] == "p-9" for row in rows) == 2
    assert next(late, None) is None
    assert days_in(tmp_path / "days") == ["2026-03-01", "2026-03-03"]
    assert read(copies.fill, ALL) == rows


def test_an_earlier_version_writes(tmp_path: Path) -> None:
    """The file itself marks its days: a writer that knows nothing of marks cannot get by them."""
    path = tmp_path / "ward.db"
    with closing(SqliteStore(path)) as store:
        keep(store, *four_days())
        copies = DayCopies(tmp_path / "days", store)
        read(copies.fill, ALL)
        with closing(sqlite3.connect(path)) as other:
            changes = [
                "UPDATE point SET fields = json_set(fields, '$.set_ppm', 39.0) WHERE rowid = 5",
                "DELETE FROM point WHERE rowid = 7",
                """INSERT INTO point SELECT measurement, time_us + 1, tags, twin, patient, fields
                FROM point WHERE rowid = 9""",
            ]
            for change in changes:
                other.execute(change)
                other.commit()
                before = direct(store)
                assert read(copies.fill, ALL) == before, change


def test_a_store_that_was_emptied(tmp_path: Path) -> None:
    """When the store has one day at most, nothing older lies about any more."""
    path = tmp_path / "ward.db"
    with closing(SqliteStore(path)) as store:
        keep(store, *four_days())
        read(DayCopies(tmp_path / "days", store).fill, ALL)
    path.unlink()
    with closing(SqliteStore(path)) as store:
        keep(store, sample(MIDNIGHT + 30 * DAY, seq=1))
        assert read(DayCopies(tmp_path / "days", store).fill, ALL) == direct(store)
    assert days_in(tmp_path / "days") == []


def test_folders_are_no_columns(tmp_path: Path) -> None:
    """A folder whose name looks like ``column=value`` changes no value."""
    home = tmp_path / "unit=picu" / "set_ppm=5"
    home.mkdir(parents=True)
    with closing(SqliteStore(home / "ward.db")) as store:
        keep(store, *four_days())
        assert read(DayCopies(home / "days", store).fill, ALL) == direct(store)


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
                copies = copies_for(store, str(tmp_path / "all"), pytest.fail)
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


def test_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    """Cut short, with a bit turned over, or empty: what is no copy any more is none."""
    folder = tmp_path / "days"
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        copies = DayCopies(folder, store)
        read(copies.fill, ALL)
        (file,) = folder.glob("2026-03-02.*")
        content = file.read_bytes()
        damaged = [
            content[:100],
            b"",
            *(_turned(content, at) for at in range(4, len(content), 500)),
        ]
        for bad in damaged:
            file.write_bytes(bad)
            assert read(copies.fill, ALL) == direct(store)
            assert file.read_bytes() == content


def _turned(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """Named, it is an error with its cure; where nobody has asked for it, the store answers."""
    folder = tmp_path / "days"
    folder.mkdir()
    folder.chmod(0o755)
    said: list[str] = []
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        with pytest.raises(CannotCopy, match=rf"chmod 700.*remove {folder}, or .*--copy none"):
            read(DayCopies(folder, store).fill, ALL)
        assert read(DayCopies(folder, store, said.append).fill, ALL) == direct(store)
    assert "chmod 700" in said[0]
    assert days_in(folder) == []


def test_room_is_left_to_the_recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is nearly full no copies are made that nobody has asked for."""
    monkeypatch.setattr("streams.audit.day_copies.LEAST_FREE_BYTES", 10**18)
    said: list[str] = []
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        keep(store, *four_days())
        assert read(DayCopies(tmp_path / "days", store, said.append).fill, ALL) == direct(store)
        assert days_in(tmp_path / "days") == []
        read(DayCopies(tmp_path / "asked-for", store).fill, ALL)
    assert "little room" in said[0]
    assert len(days_in(tmp_path / "asked-for")) == 3


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
