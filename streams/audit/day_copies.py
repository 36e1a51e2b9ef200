"""Samples of past days as Parquet, a file a day, so that a year is read once and not a question.

Promises the rows that the store itself would give, in the same order: a file is called after the
mark that the store gave the day, and after its own content, and only one with the mark of now and
with that content counts. What the store no longer has is removed here too. The newest day still
grows and comes from the store. Any number of questions may be asked at once: the folder is one
question's at a time.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from shutil import disk_usage

import duckdb

from streams.audit.reading import Progress, fill, in_memory, make_table
from streams.audit.tables import TELEMETRY, RawTable
from streams.stores.influx import InfluxStore
from streams.stores.port import Store
from streams.stores.sqlite import SqliteStore

NONE = "none"
"""The wish for no copy at all."""
LEAST_FREE_BYTES = 1_000_000_000
"""So much is left to the recorder on its disk by copies that nobody has asked for."""
_DAY = timedelta(days=1)
_ENDING = ".parquet"
_UNFINISHED = ".unfinished"
_LOCK = "lock"


class CannotCopy(OSError):
    """A copy cannot be made or read; the message says which, why, and what to do without it."""


def copies_for(store: Store, wish: str | None, say: Callable[[str], None]) -> "DayCopies | None":
    """Find the copies of a store: in the folder that was wished for, which may serve many stores.

    Without a wish they lie beside a SQLite file: whoever can read the file owns what is in it.
    Where that cannot be, the store answers alone, and ``say`` is told why. Nothing of an InfluxDB
    is copied to a disk that nobody has named.
    """
    if wish == NONE or not isinstance(store, SqliteStore | InfluxStore):
        return None
    if wish:
        return DayCopies(Path(wish).expanduser() / _digest(store.place), store)
    if isinstance(store, SqliteStore):
        return DayCopies(store.path.with_name(f"{store.path.name}.days"), store, say)
    return None


class DayCopies:
    """The copies of one store, in a folder of their own that is made when there is a past day.

    With ``say`` nobody has asked for them: they leave room on the disk, and where they cannot be
    made or read the store answers without them.
    """

    def __init__(
        self,
        folder: Path,
        store: SqliteStore | InfluxStore,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._say = say

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
        try:
            copied = self._fill_past(con, table, span, progress)
        except CannotCopy as wrong:
            if self._say is None:
                raise
            self._say(f"asking the store alone: {wrong}")
            copied = start
        if copied < stop:
            fill(con, self._store, table, (copied, stop), progress)

    def _fill_past(
        self,
        con: duckdb.DuckDBPyConnection,
        table: RawTable,
        span: tuple[datetime, datetime],
        progress: Progress,
    ) -> datetime:
        """Read the beginning of the span from copies; return up to where."""
        start = span[0]
        if not self._folder.exists() and not self._past():
            return start
        with self._alone():
            marks = self._past()
            self._remove_all_but(marks)
            wanted = _days_in(marks, span)
            found = {day: self._kept(day, marks[day]) for day in wanted}
            made = [day for day in wanted if found[day] is None]
            for day in made:
                found[day] = self._make(day, marks[day])
                progress(_end(day))
            if made:
                # What came while its day was read is in the file or not: such a file is removed.
                marks = self._past()
                self._remove_all_but(marks)
                wanted = _days_in(marks, span)
            files = [found.get(day) for day in wanted]
            whole = list(takewhile(lambda file: file is not None and file.exists(), files))
            self._insert(con, table, span, [str(file) for file in whole])
        return max(start, _end(wanted[len(whole) - 1])) if whole else start

    def _past(self) -> dict[date, str]:
        """Marks of all days but the newest."""
        if isinstance(self._store, InfluxStore):
            # Every sample has a mode. Counters and doses tell samples of one series apart.
            marks = self._store.day_marks(TELEMETRY.name, ["mode"], ["seq", "set_ppm"])
        else:
            marks = self._store.day_marks(TELEMETRY.name) or {}
        newest = max(marks, default=None)
        return {day: mark for day, mark in marks.items() if day != newest}

    def _kept(self, day: date, mark: str) -> Path | None:
        """Find the file of the day; one whose content is not what its name says is removed."""
        for file in self._folder.glob(f"{_name(day, mark)}.*{_ENDING}"):
            with self._sound(file):
                if file.name == _named(day, mark, file.read_bytes()):
                    return file
                file.unlink()
        return None

    def _make(self, day: date, mark: str) -> Path:
        """Make the file of the day, in one step."""
        unfinished = self._folder / f"{_name(day, mark)}{_UNFINISHED}"
        with in_memory() as con:
            make_table(con, TELEMETRY)
            fill(con, self._store, TELEMETRY, (_begin(day), _end(day)), lambda _: None)
            with self._sound(unfinished):
                if self._say is not None and disk_usage(self._folder).free < LEAST_FREE_BYTES:
                    raise OSError("little room is left on this disk")
                try:
                    con.table(TELEMETRY.name).to_parquet(str(unfinished), compression="zstd")
                    with unfinished.open("rb+") as written:
                        content = written.read()
                        os.fsync(written.fileno())
                    return unfinished.rename(self._folder / _named(day, mark, content))
                finally:
                    unfinished.unlink(missing_ok=True)

    def _insert(
        self,
        con: duckdb.DuckDBPyConnection,
        table: RawTable,
        span: tuple[datetime, datetime],
        files: list[str],
    ) -> None:
        if not files:
            return
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        values = {"files": files, "start": span[0], "stop": span[1]}
        with self._sound(self._folder):
            con.execute(
                # A folder called `unit=nicu` is a folder, and no column.
                f'INSERT INTO "{table.name}" SELECT {columns}'  # noqa: S608 - our own names
                " FROM read_parquet($files, hive_partitioning = false)"
                f' WHERE "{table.time}" >= $start AND "{table.time}" < $stop',
                values,
            )

    def _remove_all_but(self, marks: dict[date, str]) -> None:
        names = {_name(day, mark) for day, mark in marks.items()}
        with self._sound(self._folder):
            for file in self._folder.iterdir():
                of_now = ".".join(file.name.split(".")[:2]) in names
                if file.suffix == _UNFINISHED or (file.suffix == _ENDING and not of_now):
                    file.unlink()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder, which is nobody else's, alone among all questions."""
        with self._sound(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._folder.stat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise OSError("others own it, or may read or change it (chmod 700)")
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


def _days_in(marks: Iterable[date], span: tuple[datetime, datetime]) -> list[date]:
    return [day for day in sorted(marks) if _begin(day) < span[1] and _end(day) > span[0]]


def _name(day: date, mark: str) -> str:
    # Of another version, with other columns, no file is taken.
    return f"{day.isoformat()}.{_digest(f'{TELEMETRY.schema} {mark}')}"


def _named(day: date, mark: str, content: bytes) -> str:
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return f"{_name(day, mark)}.{digest}{_ENDING}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    return _begin(day) + _DAY
