"""Samples of past days as Parquet, a file a day, so that a year is read once and not a question.

Promises the rows that the store itself would give, in the same order: a file is called after the
mark that the store gave the day, and only one with the mark of now counts. What the store no longer
has is removed here too. The newest day still grows and comes from the store. Any number of
questions may be asked at once: the folder is one question's at a time.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb

from streams.audit.reading import Progress, fill, make_table
from streams.audit.tables import TELEMETRY, RawTable
from streams.stores.influx import InfluxStore
from streams.stores.port import Store
from streams.stores.sqlite import SqliteStore

NONE = "none"
"""The wish for no copy at all."""
_DAY = timedelta(days=1)
_ENDING = ".parquet"
_UNFINISHED = ".unfinished"
_LOCK = "lock"


class CannotCopy(OSError):
    """A copy cannot be made or read; the message says which, why, and what to do without it."""


def copies_for(store: Store, wish: str | None) -> "DayCopies | None":
    """Find the copies of a store: in the folder that was wished for, which may serve many stores.

    Without a wish they lie beside a SQLite file, if that may be: whoever can read the file owns
    what is in it. Nothing of an InfluxDB is copied to a disk that nobody has named.
    """
    if wish == NONE or not isinstance(store, SqliteStore | InfluxStore):
        return None
    if wish:
        return DayCopies(Path(wish).expanduser() / _digest(store.place), store)
    if isinstance(store, SqliteStore) and os.access(store.path.parent, os.W_OK):
        return DayCopies(store.path.with_name(f"{store.path.name}.days"), store)
    return None


class DayCopies:
    """The copies of one store, in a folder of their own that is made when there is a past day."""

    def __init__(self, folder: Path, store: SqliteStore | InfluxStore) -> None:
        self._folder = folder
        self._store = store

    def fill(
        self,
        con: duckdb.DuckDBPyConnection,
        table: RawTable,
        span: tuple[datetime, datetime],
        progress: Progress,
    ) -> None:
        """Read the samples of ``span`` (its end excluded) into the table, as ``reading.fill`` does.

        Raises ``CannotCopy``, and ``StoreUnavailable`` as the store does.
        """
        start, stop = span
        marks = sorted(self._marks().items())
        past, newest = marks[:-1], marks[-1:]
        if past:
            with self._alone():
                self._remove_all_but({_name(day, mark) for day, mark in past})
                wanted = [one for one in past if _begin(one[0]) < stop and _end(one[0]) > start]
                files = [self._kept(day, mark, progress) for day, mark in wanted]
                self._insert(con, table, span, files)
        for day, _ in newest:
            start = max(start, _begin(day))
        if start < stop:
            fill(con, self._store, table, (start, stop), progress)

    def _marks(self) -> dict[date, str]:
        if isinstance(self._store, InfluxStore):
            # Every sample has a mode. Counters tell samples apart that come and go on one day.
            return self._store.day_marks(TELEMETRY.name, present="mode", number="seq")
        return self._store.day_marks(TELEMETRY.name)

    def _kept(self, day: date, mark: str, progress: Progress) -> Path:
        """Give the file of the day; it is made if it is not there, in one step."""
        file = self._folder / _name(day, mark)
        if not file.exists():
            # Late samples may join while the day is read: then the next mark is another one.
            self._make(file, (_begin(day), _end(day)))
            progress(_end(day))
        return file

    def _make(self, file: Path, day: tuple[datetime, datetime]) -> None:
        unfinished = file.with_suffix(_UNFINISHED)
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
            con.execute("SET TimeZone = 'UTC'")
            make_table(con, TELEMETRY)
            fill(con, self._store, TELEMETRY, day, lambda _: None)
            with self._sound(file):
                con.table(TELEMETRY.name).to_parquet(str(unfinished), compression="zstd")
                with unfinished.open("rb+") as written:
                    os.fsync(written.fileno())
                unfinished.rename(file)

    def _insert(
        self,
        con: duckdb.DuckDBPyConnection,
        table: RawTable,
        span: tuple[datetime, datetime],
        files: list[Path],
    ) -> None:
        if not files:
            return
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        values = {"files": [str(file) for file in files], "start": span[0], "stop": span[1]}
        with self._sound(self._folder):
            con.execute(
                f'INSERT INTO "{table.name}" SELECT {columns} FROM read_parquet($files)'  # noqa: S608 - our own names
                f' WHERE "{table.time}" >= $start AND "{table.time}" < $stop',
                values,
            )

    def _remove_all_but(self, names: set[str]) -> None:
        for file in self._folder.iterdir():
            if file.suffix in {_ENDING, _UNFINISHED} and file.name not in names:
                file.unlink()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder, readable by its owner only, alone among all questions."""
        with self._sound(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self._folder / _LOCK).open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _sound(self, place: Path) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError) as wrong:
            raise CannotCopy(
                f"the copy of past samples in {place} is of no use: {wrong};"
                f" remove {self._folder}, or ask with --copy {NONE}"
            ) from wrong


def _name(day: date, mark: str) -> str:
    # Of another version, with other columns, no file is taken.
    return f"{day.isoformat()}.{_digest(f'{TELEMETRY.schema} {mark}')}{_ENDING}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    return _begin(day) + _DAY
