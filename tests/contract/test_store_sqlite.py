"""What only the embedded store can meet: strange files, full disks, other processes, kill -9."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.stores.port import Point, StoreUnavailable, WrongStore
from streams.stores.sqlite import SqliteStore
from streams.stores.sqlite_layout import SCHEMA_VERSION

T = datetime(2026, 11, 20, 10, tzinfo=UTC)
END = T + timedelta(days=365)
LIMIT_S = 60.0
BATCH = 50

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from streams.stores.port import Point
from streams.stores.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]), busy_timeout_s=30.0)
T = datetime(2026, 11, 20, 10, tzinfo=UTC)
name, size = sys.argv[2], int(sys.argv[3])
for batch in range(int(sys.argv[4])) if len(sys.argv) > 4 else count():
    times = {n: T + timedelta(seconds=n) for n in range(batch * size, batch * size + size)}
    store.write([Point("probe", {"bed": name}, {"n": n}, time) for n, time in times.items()])
    print(batch + 1, flush=True)
"""

FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from streams.stores.port import Point, StoreUnavailable
from streams.stores.sqlite import SqliteStore

store = SqliteStore(Path(sys.argv[1]))
times = [datetime(2026, 1, 1, n, tzinfo=UTC) for n in range(20)]
points = [Point("probe", {}, {"text": "x" * 60_000}, time) for time in times]
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, unlimited[1]))
try:
    store.write(points)
except StoreUnavailable as full:
    print("unavailable", full, file=sys.stderr)
else:
    sys.exit("it was written all the same")
assert len(list(store.read("probe", points[0].time, datetime(2027, 1, 1, tzinfo=UTC)))) == 0
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
store.write(points)
assert list(store.read("probe", points[0].time, datetime(2027, 1, 1, tzinfo=UTC))) == points
"""


@contextmanager
def writer(path: Path, name: str, *counts: int) -> Iterator[subprocess.Popen[str]]:
    """Run a process that writes batches and prints how many have been confirmed."""
    command = [sys.executable, "-c", WRITER, str(path), name, *map(str, counts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def points_in(store: SqliteStore) -> list[Point]:
    """Everything that the writers have written."""
    return list(store.read("probe", T, END))


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Another program's database is refused with a sentence and not touched."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(WrongStore, match="something else"):
        SqliteStore(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """A text file named by mistake is refused and not touched."""
    path = tmp_path / "notes.txt"
    path.write_text("this is the ward's telephone list\n" * 100)
    with pytest.raises(WrongStore, match="no SQLite database"):
        SqliteStore(path)
    assert path.read_text().startswith("this is")


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """A file that a later version wrote is not opened by guessing."""
    path = tmp_path / "ward.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(WrongStore, match=f"schema {SCHEMA_VERSION + 1}.*newer"):
        SqliteStore(path)


def test_an_earlier_file_is_brought_up(tmp_path: Path) -> None:
    """A file of the first schema keeps its points, and its days are marked."""
    path = tmp_path / "ward.db"
    times = [datetime(1969, 12, 30, 23, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC), T]
    points = [Point("probe", {}, {"n": 1.0}, time) for time in times]
    with closing(SqliteStore(path)) as store:
        store.write(points)
    with closing(sqlite3.connect(path)) as earlier:
        for event in ("INSERT", "UPDATE", "DELETE"):
            earlier.execute(f"DROP TRIGGER marked_{event}")
        earlier.execute("DROP TABLE day")
        earlier.execute("PRAGMA user_version = 1")
        earlier.commit()
    with closing(SqliteStore(path, bring_up=False)) as reader:
        assert list(reader.read("probe", times[0], END)) == points
        assert reader.day_marks("probe") is None
    for _ in range(2):
        with closing(SqliteStore(path)) as store:
            assert list(store.read("probe", times[0], END)) == points
            marks = store.day_marks("probe") or {}
    assert sorted(marks) == [time.date() for time in times]
    assert len(set(marks.values())) == 3


def test_a_day_has_another_mark_when_its_points_are_others(tmp_path: Path) -> None:
    """New points and new fields change the mark of their day only; a redelivery changes none."""
    day = timedelta(days=1)
    one, two = (Point("probe", {}, {"n": 1.0}, T + n * day) for n in range(2))
    with closing(SqliteStore(tmp_path / "ward.db")) as store:
        store.write([one, two, Point("other", {}, {"n": 1.0}, T)])
        before = store.day_marks("probe") or {}
        assert sorted(before) == [T.date(), (T + day).date()]
        store.write([one, two])
        assert store.day_marks("probe") == before
        for more in (
            Point("probe", {}, {"m": 1.0}, T),
            Point("probe", {"bed": "2"}, {"n": 1.0}, T),
        ):
            store.write([more])
            after = store.day_marks("probe") or {}
            assert after[T.date()] != before[T.date()]
            assert after[(T + day).date()] == before[(T + day).date()]
            before = after
        assert store.day_marks("none") == {}


def test_a_place_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    """A folder in the file's place, or a file in a folder's, is said and may be mended."""
    with pytest.raises(StoreUnavailable, match=str(tmp_path)):
        SqliteStore(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        SqliteStore(tmp_path / "file" / "ward.db")


def test_a_locked_file_is_unavailable_for_now(tmp_path: Path) -> None:
    """While another process holds the file, a write says so; afterwards it succeeds."""
    path = tmp_path / "ward.db"
    point = Point("probe", {}, {"n": 1.0}, T)
    with closing(SqliteStore(path, busy_timeout_s=0.05)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                store.write([point])
            assert points_in(store) == []
        store.write([point])
        assert points_in(store) == [point]


def test_a_full_disk_is_unavailable_until_there_is_room(tmp_path: Path) -> None:
    """When the file cannot grow nothing is kept by halves, and the same write succeeds later."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "ward.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (done.returncode, done.stderr.split(" ")[0]) == (0, "unavailable"), done.stderr


def test_what_was_confirmed_outlives_a_kill(tmp_path: Path) -> None:
    """After kill -9 in the middle of writing, every confirmed batch is there, and whole."""
    path = tmp_path / "ward.db"
    for _ in range(3):
        with writer(path, "b1", BATCH) as process:
            assert process.stdout is not None
            while (confirmed := int(process.stdout.readline())) < 7:
                pass
            process.kill()
            process.wait(LIMIT_S)
            confirmed = max([confirmed, *map(int, process.stdout.read().split())])
        with closing(SqliteStore(path)) as store:
            found = points_in(store)
        assert len(found) % BATCH == 0
        assert len(found) >= confirmed * BATCH
        assert [point.fields["n"] for point in found] == list(range(len(found)))


def test_readers_and_writers_in_several_processes(tmp_path: Path) -> None:
    """Processes that make the same new file at once share it; a reader beside them sees it grow."""
    path = tmp_path / "ward.db"
    with writer(path, "b1", BATCH, 20) as one, writer(path, "b2", BATCH, 20) as two:
        with closing(SqliteStore(path, busy_timeout_s=30.0)) as store:
            seen = [len(points_in(store))]
            while one.poll() is None or two.poll() is None:
                seen.append(len(points_in(store)))
            seen.append(len(points_in(store)))
        assert (one.wait(LIMIT_S), two.wait(LIMIT_S)) == (0, 0)
    assert seen == sorted(seen)
    assert seen[-1] == 2 * 20 * BATCH


def test_a_reading_by_patient_uses_the_index(tmp_path: Path) -> None:
    """A patient's points are looked up, not searched for: no plan scans the table or sorts."""
    path = tmp_path / "ward.db"
    with closing(SqliteStore(path)) as store:
        points = [Point("probe", {"patient": f"p{n}"}, {"n": n}, T) for n in range(200)]
        store.write(points)
        statements: list[str] = []
        store._connection.set_trace_callback(statements.append)  # noqa: SLF001 - what it really asks
        assert list(store.read("probe", T, END, {"patient": "p7"})) == [points[7]]
        assert len(points_in(store)) == 200
        store._connection.set_trace_callback(None)  # noqa: SLF001 - as above
    with closing(sqlite3.connect(path)) as other:
        plans = [other.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall() for asked in statements]
    details = [" ".join(step[3] for step in plan) for plan in plans]
    assert ["point_of_patient" in detail for detail in details] == [True, False]
    assert all(detail.startswith("SEARCH point USING INDEX") for detail in details)
    assert not any("B-TREE" in detail for detail in details)


def test_a_file_that_was_removed_is_noticed(tmp_path: Path) -> None:
    """Points are never written into a file that is not there any more: it is said, then opened."""
    path = tmp_path / "ward.db"
    store = SqliteStore(path)
    point = Point("page", {"sink": "s"}, {"value": 1.0}, datetime(2026, 3, 1, tzinfo=UTC))
    store.write([point])
    for leftover in tmp_path.iterdir():
        leftover.unlink()
    with pytest.raises(StoreUnavailable, match="removed or replaced"):
        store.write([point])
    store.write([point])
    later = SqliteStore(path)
    assert len(list(later.read("page", point.time, point.time.replace(year=2027)))) == 1
    later.close()
    store.close()
