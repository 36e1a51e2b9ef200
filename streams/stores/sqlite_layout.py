"""How a SQLite store is laid out: its tables, whose file it is, and which version of us made it.

Promises that a file of something else, or of a later version, is refused and not touched, and that
one of an earlier version is brought up to this one in a single transaction. Knows no points.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.stores.port import WrongStore

APPLICATION_ID = 0x696E4F57
"""Marks the file as ours, in the place that SQLite keeps for that: ``inOW``."""
SCHEMA_VERSION = 2
"""The second has marks of days; a file of the first is given them when a writer opens it."""
DAY_US = 86_400_000_000
_WITHOUT_DAYS = 1
_SCHEMA = """
CREATE TABLE field (
    measurement TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (measurement, name)
) WITHOUT ROWID;
CREATE TABLE point (
    measurement TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    tags TEXT NOT NULL,
    twin INTEGER NOT NULL,
    patient TEXT,
    fields TEXT NOT NULL,
    UNIQUE (measurement, time_us, tags, twin)
);
CREATE INDEX point_of_patient ON point (measurement, patient, time_us, tags, twin)
    WHERE patient IS NOT NULL
"""
# The file itself marks its days, so that no writer, of whatever version, can forget to. A mark is
# drawn at random: no other day, nor that of another file, has the same.
_DAYS = """
CREATE TABLE day (
    measurement TEXT NOT NULL,
    number INTEGER NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (measurement, number)
) WITHOUT ROWID
"""
_DAY_OF = "({row}time_us - ({row}time_us % {us} + {us}) % {us}) / {us}"
"""Division rounds towards 1970, and a day before it begins at its midnight too."""
_MARKS = """
INSERT INTO day SELECT measurement, number, lower(hex(randomblob(8)))
FROM (SELECT DISTINCT measurement, {day} AS number FROM point)
"""
_MARKED = """
CREATE TRIGGER marked_{event} AFTER {event} ON point BEGIN
    INSERT INTO day VALUES ({row}measurement, {day}, lower(hex(randomblob(8))))
    ON CONFLICT (measurement, number) DO UPDATE SET mark = excluded.mark;
END
"""
_EVENTS = {"INSERT": "new.", "UPDATE": "new.", "DELETE": "old."}


def prepare(connection: sqlite3.Connection, path: Path, *, bring_up: bool) -> None:
    """Lay out what is empty; ``WrongStore`` for what is not ours, or newer.

    With ``bring_up`` a file of an earlier schema is brought up to this one, after which earlier
    versions of us refuse it; without, it stays as it is. ``path`` is for the message.
    ``connection`` begins and ends transactions only as it is told.
    """
    if _is_empty(connection):
        with transaction(connection):
            # Asked again: another process may have been quicker.
            if _is_empty(connection):
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                _mark_days(connection)
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise WrongStore(f"{path} is a database of something else: name another file")
    if bring_up and not has_marks(connection):
        with transaction(connection):
            # As above.
            if not has_marks(connection):
                _mark_days(connection)
    version = _pragma(connection, "user_version")
    if version not in {_WITHOUT_DAYS, SCHEMA_VERSION}:
        raise WrongStore(
            f"{path} has schema {version}; this version of inowatch reads"
            f" {SCHEMA_VERSION}: run the version that wrote it, or a newer one"
        )


def has_marks(connection: sqlite3.Connection) -> bool:
    """Whether the file marks its days: an earlier one does not."""
    return _pragma(connection, "user_version") != _WITHOUT_DAYS


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing, with no other writer in between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _mark_days(connection: sqlite3.Connection) -> None:
    connection.execute(_DAYS)
    connection.execute(_MARKS.format(day=_DAY_OF.format(row="", us=DAY_US)))
    for event, row in _EVENTS.items():
        day = _DAY_OF.format(row=row, us=DAY_US)
        connection.execute(_MARKED.format(event=event, row=row, day=day))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _is_empty(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return tables == 0 and _pragma(connection, "application_id") == 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
