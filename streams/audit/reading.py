"""Out of a store into DuckDB: whole tables, in the order in which every store reads.

Telemetry is large, so of it only the columns that are asked for are read: out of SQLite in batches
that DuckDB takes apart itself, out of InfluxDB by their fields. All else is read record by record.
Promises the same tables, row by row, whichever store they come from.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa

from streams.audit.tables import RawTable, arrow_of
from streams.stores.columns import sqlite_batches
from streams.stores.influx import InfluxStore
from streams.stores.instant import time_of
from streams.stores.points import WHOLE, record_of
from streams.stores.port import Point, Store, WrongStore
from streams.stores.shapes import SHAPES
from streams.stores.sqlite import SqliteStore

Progress = Callable[[datetime], None]
"""Told of the moment up to which the history has been read."""

CHUNK_ROWS = 20_000
_INCOMING = "incoming"
_PARSED = """
INSERT INTO "{table}" SELECT {values} FROM (
    SELECT time_us, from_json(tags, $tags) AS t, from_json(fields, $fields) AS f FROM incoming
)
"""
_DUCK = {"string": "VARCHAR", "double": "DOUBLE", "bool": "BOOLEAN", "int64": "BIGINT"}


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that is gone afterwards: in UTC, and it fetches no extension of DuckDB's."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def make_table(con: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    """Make the table, empty."""
    con.register(_INCOMING, table.schema.empty_table())
    con.execute(f'CREATE TABLE "{table.name}" AS FROM {_INCOMING}')
    con.unregister(_INCOMING)


def fill(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    table: RawTable,
    span: tuple[datetime, datetime],
    progress: Progress,
) -> None:
    """Read what the store holds of ``span`` (its end excluded) into the table, by its columns.

    The columns are fields or tags of the points, as they are for telemetry. Raises
    ``StoreUnavailable``.
    """
    if isinstance(store, SqliteStore):
        _fill_in_batches(con, store, table, span, progress)
        return
    points = (
        store.read_fields(table.name, _fields(table), *span)
        if isinstance(store, InfluxStore)
        else store.read(table.name, *span)
    )
    _insert(con, table, (_row(table, point) for point in points), progress)


def fill_by_record(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    table: RawTable,
    span: tuple[datetime, datetime],
) -> None:
    """Read what the store holds of ``span`` into the table, restoring each record.

    Raises ``StoreUnavailable``, and ``WrongStore`` where a point keeps no record.
    """
    _insert(con, table, _restored(store, table, span), lambda _: None)


def extent(
    store: Store, table: str, start: datetime, stop: datetime
) -> tuple[datetime, datetime] | None:
    """Times of the first and the last record with ``start <= time < stop``; ``None`` for none."""
    if isinstance(store, InfluxStore):
        return store.extent(table, start, stop, [WHOLE])
    return store.extent(table, start, stop)


def _restored(
    store: Store, table: RawTable, span: tuple[datetime, datetime]
) -> Iterator[list[Any]]:
    points = (
        # All else repeats what the record says.
        store.read_text(table.name, WHOLE, *span)
        if isinstance(store, InfluxStore)
        else store.read(table.name, *span)
    )
    for point in points:
        try:
            record = record_of(point)
        except ValueError as wrong:
            raise WrongStore(f"{wrong} (at {point.time.isoformat()})") from wrong
        yield [column.value(record) for column in table.columns]


def _insert(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    rows: Iterable[list[Any]],
    progress: Progress,
) -> None:
    waiting = iter(rows)
    when = [column.name for column in table.columns].index(table.time)
    while chunk := list(islice(waiting, CHUNK_ROWS)):
        _take(con, arrow_of(table, chunk), f'INSERT INTO "{table.name}" FROM {_INCOMING}')
        progress(chunk[-1][when])


def _fill_in_batches(
    con: duckdb.DuckDBPyConnection,
    store: SqliteStore,
    table: RawTable,
    span: tuple[datetime, datetime],
    progress: Progress,
) -> None:
    tags = {column.name: "VARCHAR" for column in table.columns if column.name in _tags(table)}
    fields = {
        column.name: _DUCK[str(column.type)]
        for column in table.columns
        if column.name in _fields(table)
    }
    values = ", ".join(
        "make_timestamptz(time_us)"
        if column.name == table.time
        else f"{'t' if column.name in tags else 'f'}.{column.name}"
        for column in table.columns
    )
    asked = {"tags": _structure(tags), "fields": _structure(fields)}
    sql = _PARSED.format(table=table.name, values=values)
    for batch in sqlite_batches(store.path, table.name, *span):
        _take(con, batch, sql, asked)
        progress(time_of(batch["time_us"][-1].as_py()))


def _take(
    con: duckdb.DuckDBPyConnection,
    incoming: pa.Table | pa.RecordBatch,
    sql: str,
    values: dict[str, str] | None = None,
) -> None:
    con.register(_INCOMING, incoming)
    con.execute(sql, values or {})
    con.unregister(_INCOMING)


def _structure(types: dict[str, str]) -> str:
    inside = ", ".join(f'"{name}": "{kind}"' for name, kind in types.items())
    return f"{{{inside}}}"


def _tags(table: RawTable) -> tuple[str, ...]:
    return SHAPES[table.kind].tags


def _fields(table: RawTable) -> list[str]:
    apart = {table.time, *_tags(table)}
    return [column.name for column in table.columns if column.name not in apart]


def _row(table: RawTable, point: Point) -> list[Any]:
    held = point.tags | point.fields | {table.time: point.time}
    # A store's numbers are floats; where the column counts they are whole.
    return [
        int(held[column.name])  # type: ignore[arg-type] # a counter's field is a number
        if pa.types.is_integer(column.type) and column.name in held
        else held.get(column.name)
        for column in table.columns
    ]
