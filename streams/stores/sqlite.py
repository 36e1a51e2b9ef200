"""The embedded store: one SQLite file, nothing to install, nothing to run beside it.

Promises the port's contract to one writer and any number of readers, in one process or several:
the log is written ahead (WAL), so readers and the writer do not wait for each other. Commits are
``synchronous=FULL``: with NORMAL the last ones may vanish in a power cut, and by then Kafka's
offsets are committed. A batch is one commit, so the price is one flush to the disk a batch.

Field kinds are kept per measurement and held for the life of the file. InfluxDB holds them per
shard (a week or so): what fits here fits there.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import msgspec

from streams.stores.fitness import Kind, checked_name, kind_of, refuse, sifted
from streams.stores.instant import time_of, us_of
from streams.stores.port import Field, Point, StoreUnavailable, WrongStore, tags_text
from streams.stores.sqlite_layout import DAY_US, has_marks, prepare, transaction

PAGE_ROWS = 2000
"""Rows fetched at a time. Each page is a statement of its own, so that a slow reader holds no
snapshot open and the log does not grow behind it; at 1 KB a row it is 2 MB."""

_KEEP = """
INSERT INTO point (measurement, time_us, tags, twin, patient, fields) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (measurement, time_us, tags, twin)
DO UPDATE SET fields = union_of(fields, excluded.fields) WHERE fields IS NOT excluded.fields
"""
_PAGE = """
SELECT time_us, tags, twin, fields FROM point
WHERE measurement = ? AND (time_us, tags, twin) > (?, ?, ?) AND time_us < ?{of_patient}
ORDER BY time_us, tags, twin LIMIT ?
"""

_EXTENT = """
SELECT min(time_us) FROM point WHERE measurement = ?1 AND time_us >= ?2 AND time_us < ?3
UNION ALL
SELECT max(time_us) FROM point WHERE measurement = ?1 AND time_us >= ?2 AND time_us < ?3
"""
"""Each of the two is one look into the index; together in one SELECT they would read all of it."""

_FIELDS = msgspec.json.Decoder(dict[str, float | str | bool])
_TAGS = msgspec.json.Decoder(dict[str, str])


class SqliteStore:
    """Points in the file ``path``, which is made if it is not there, with its folders.

    ``busy_timeout_s`` is how long to wait for another writer. A file of an earlier version is
    brought up to this one, unless ``bring_up`` is false: for who only reads. Raises ``WrongStore``
    for a file that is something else or newer, ``StoreUnavailable`` for one that cannot be opened
    now.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 5.0, *, bring_up: bool = True) -> None:
        self._path = path
        self._bring_up = bring_up
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._open()

    def _open(self) -> None:
        with self._answers():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path,
                timeout=self._busy_timeout_s,
                isolation_level=None,
                check_same_thread=False,
            )
        self._connection.create_function("union_of", 2, _union_of, deterministic=True)
        try:
            self._prepare()
            self._file = _identity(self._path)
        except BaseException:
            self._connection.close()
            raise

    def _same_file(self) -> None:
        """SQLite writes on into a file that was removed; here that is noticed, and opened anew."""
        if _identity(self._path) == self._file:
            return
        self._connection.close()
        self._open()
        raise StoreUnavailable(f"{self._path} was removed or replaced; it has been opened anew")

    def write(self, points: Sequence[Point]) -> None:
        """Keep ``points``, all that fit in one transaction; see the port."""
        fit, refused = sifted(points)
        with self._lock:
            self._same_file()
        with self._lock, self._answers(), transaction(self._connection):
            kinds = self._kinds()
            known = set(kinds)
            rows = []
            for point, kept in fit:
                conflict = _conflict(kept, kinds)
                if conflict is None:
                    rows.append(_row(kept))
                else:
                    refused.append((point, conflict))
            new = [(*field, kind) for field, kind in kinds.items() if field not in known]
            self._connection.executemany("INSERT INTO field VALUES (?, ?, ?)", new)
            self._connection.executemany(_KEEP, rows)
        refuse(refused)

    def read(
        self,
        measurement: str,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[Point]:
        """Read in pages, by the index of the measurement or of the patient; see the port."""
        wanted = {checked_name(name): value for name, value in (tags or {}).items()}
        return self._pages(checked_name(measurement), us_of(start), us_of(stop), wanted)

    def extent(
        self, measurement: str, start: datetime, stop: datetime
    ) -> tuple[datetime, datetime] | None:
        """Look at both ends of the index; see the port."""
        values = (checked_name(measurement), us_of(start), us_of(stop))
        with self._lock, self._answers():
            (first,), (last,) = self._connection.execute(_EXTENT, values).fetchall()
        return None if first is None else (time_of(first), time_of(last))

    def day_marks(self, measurement: str) -> dict[date, str] | None:
        """Give each UTC day that has points a mark: another one whenever its points are others.

        A day whose points were all deleted may have one too. ``None``: the file is of an earlier
        version, and no writer of this one has opened it yet.
        """
        query = "SELECT number, mark FROM day WHERE measurement = ?"
        with self._lock, self._answers():
            if not has_marks(self._connection):
                return None
            rows = self._connection.execute(query, (checked_name(measurement),)).fetchall()
        return {time_of(number * DAY_US).date(): mark for number, mark in rows}

    @property
    def place(self) -> str:
        """Where it is, in words that no other store has."""
        return f"sqlite:{self._path.absolute()}"

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._path

    def close(self) -> None:
        """Close the file; the last to close it folds the log back into it."""
        with self._lock:
            self._connection.close()

    def _pages(
        self, measurement: str, start_us: int, stop_us: int, wanted: dict[str, str]
    ) -> Iterator[Point]:
        patient = wanted.get("patient")
        of_patient = () if patient is None else (patient,)
        query = _PAGE.format(of_patient=" AND patient = ?" if of_patient else "")
        last = (start_us, "", -1)
        while True:
            with self._lock, self._answers():
                values = (measurement, *last, stop_us, *of_patient, PAGE_ROWS)
                rows = self._connection.execute(query, values).fetchall()
            for time_us, text, twin, fields in rows:
                tags = _TAGS.decode(text)
                if wanted.items() <= tags.items():
                    known: dict[str, Field] = {**_FIELDS.decode(fields)}
                    yield Point(measurement, tags, known, time_of(time_us), twin)
            if len(rows) < PAGE_ROWS:
                return
            last = rows[-1][:3]

    def _prepare(self) -> None:
        with self._answers():
            self._connection.execute("PRAGMA synchronous = FULL")
            prepare(self._connection, self._path, bring_up=self._bring_up)
            # Last, since it writes to the file at once: only ours is touched.
            self._connection.execute("PRAGMA journal_mode = WAL")

    def _kinds(self) -> dict[tuple[str, str], Kind]:
        rows = self._connection.execute("SELECT measurement, name, kind FROM field")
        return {(measurement, name): kind for measurement, name, kind in rows}

    @contextmanager
    def _answers(self) -> Iterator[None]:
        """Turn what SQLite and the file system say into the port's words."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise WrongStore(f"{self._path} is no SQLite database: name another") from error
            raise StoreUnavailable(f"{self._path}: {error}") from error
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}") from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell one file from another of the same name; ``None`` when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _row(point: Point) -> tuple[str, int, str, int, str | None, str]:
    fields = msgspec.json.encode(point.fields, order="deterministic").decode()
    time_us = us_of(point.time)
    patient = point.tags.get("patient")
    return point.measurement, time_us, tags_text(point.tags), point.twin, patient, fields


def _conflict(point: Point, kinds: dict[tuple[str, str], Kind]) -> str | None:
    """Check the point's fields against what they hold so far; learn the new ones if all agree."""
    news: dict[tuple[str, str], Kind] = {}
    for name, value in point.fields.items():
        field, kind = (point.measurement, name), kind_of(value)
        held = kinds.get(field)
        if held is None:
            news[field] = kind
        elif held != kind:
            return f"field type conflict: {name} of {point.measurement} is {held}, not {kind}"
    kinds.update(news)
    return None


def _union_of(old: str, new: str) -> str:
    both = _FIELDS.decode(old) | _FIELDS.decode(new)
    return msgspec.json.encode(both, order="deterministic").decode()
