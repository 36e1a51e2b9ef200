"""One question, asked of one store: read, derive, ask. The same input gives the same bytes.

The tables are read into a database in memory that is gone afterwards; what is kept for the next
question is the copies' business.
What was not known by the end of the period is not read (a result counts as known from when it was
resulted), so an answer about a past month does not change when history goes on. An open end is that
of the whole history, whichever tables a question reads. Values reach SQL as parameters only.
"""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import duckdb
import pyarrow as pa
from msgspec import Struct

from schemas.alert import Alert
from schemas.anchor import Anchor
from schemas.decode import EARLIEST, LATEST
from schemas.health import Health
from schemas.lab import Lab
from schemas.stand_in import EVERY, NOT_KNOWN
from schemas.view import View
from streams.audit import policies
from streams.audit.answer import Answer, Head, counted, coverage_of, digest
from streams.audit.catalogue import Catalogue
from streams.audit.day_copies import DayCopies
from streams.audit.question import InvalidQuestion, Question, Value, words_of
from streams.audit.reading import Progress, extent, fill, fill_by_record, in_memory, make_table
from streams.audit.tables import TABLES, TELEMETRY, TIME, RawTable
from streams.stores.port import Store
from streams.stores.shapes import SHAPES

BEFORE = timedelta(days=60)
"""Samples from so long before the period are read too: a course may have begun there. One that
began earlier still counts as begun here."""
_INSTANT = timedelta(microseconds=1)
_ALERT, _LAB, _VIEW = (SHAPES[kind].measurement for kind in (Alert, Lab, View))
_NOT_THE_WARDS = frozenset(SHAPES[kind].measurement for kind in (View, Anchor, Health))


class Asked(Struct, frozen=True, kw_only=True):
    """What somebody wants to know: ``start`` included, ``stop`` not, ``None`` for all there is."""

    question: Question
    start: datetime | None = None
    stop: datetime | None = None
    unit: str | None = None
    parameters: dict[str, Value]


def ask(
    store: Store,
    catalogue: Catalogue,
    asked: Asked,
    progress: Progress,
    copies: DayCopies | None = None,
) -> Answer:
    """Answer a question from what the store holds; ``progress`` follows the samples.

    With ``copies`` samples of past days come from there: quicker, and no other ones. Raises
    ``StoreUnavailable``, ``WrongStore``, ``CannotCopy``, and ``InvalidQuestion`` when its SQL
    cannot be run.
    """
    question = asked.question
    names, views = catalogue.needs(question)
    words = words_of(question.sql).union(*(words_of(view.sql) for view in views))
    # Alerts always: they say by which rules the period was judged.
    tables = [_trimmed(TABLES[name], words) for name in sorted({*names, _ALERT})]
    with in_memory() as con:
        for table in tables:
            make_table(con, table)
            if table.name != TELEMETRY.name:
                _load(con, store, table, asked.stop)
            elif copies is None:
                fill(con, store, table, _sampled(asked), progress)
            else:
                copies.fill(con, table, _sampled(asked), progress)
        # Sums depend on their order: one thread adds up in one order.
        con.execute("SET threads = 1")
        policies.register(con)
        period = _period(store, names, asked)
        try:
            for view in views:
                con.execute(view.sql)
            table = _answered(con, asked, period)
        except duckdb.Error as wrong:
            raise InvalidQuestion(f"{question.name}: {wrong}") from wrong
        rules = _rules(con, period, asked.unit)
        others = () if _VIEW in names else _other_units(con, tables, asked.unit)
    n, n_of = counted(table, question.n)
    head = Head(
        question=question.name,
        title=question.title,
        asks=question.asks,
        start=period[0] if period else asked.start,
        stop=period[1] if period else asked.stop,
        unit=asked.unit,
        parameters=asked.parameters,
        inowatch=version("inowatch"),
        rules=rules,
        row_count=table.num_rows,
        n=n,
        n_of=n_of,
        coverage=coverage_of(table),
        sha256=digest(table),
    )
    return Answer(head, question, table, others)


def _trimmed(table: RawTable, words: frozenset[str]) -> RawTable:
    """Samples are many: of them only the columns that the question and its views speak of."""
    return table.only(words) if table.name == TELEMETRY.name else table


def _load(
    con: duckdb.DuckDBPyConnection, store: Store, table: RawTable, stop: datetime | None
) -> None:
    fill_by_record(con, store, table, (EARLIEST, stop or LATEST))
    if table.name == _LAB and stop:
        con.execute(f"DELETE FROM {_LAB} WHERE resulted >= $stop", {"stop": stop})  # noqa: S608 - our own name


def _sampled(asked: Asked) -> tuple[datetime, datetime]:
    """From when to when samples are read."""
    start = max(asked.start - BEFORE, EARLIEST) if asked.start else EARLIEST
    return start, asked.stop or LATEST


def _period(store: Store, names: list[str], asked: Asked) -> tuple[datetime, datetime] | None:
    """The period asked for, its open ends filled with the first and the last record's time.

    What comes although nothing happens in the ward (a look, an anchor, a watchdog's word) counts
    only for a question about it, or else the same question would have another answer every time.
    """
    if asked.start and asked.stop:
        return asked.start.astimezone(UTC), asked.stop.astimezone(UTC)
    counting = [name for name in TABLES if name not in _NOT_THE_WARDS or name in names]
    stop = asked.stop or LATEST
    found: tuple[datetime, datetime] | None = None
    # Samples first. Of all others only what lies outside matters: little to look at, if anything.
    for name in sorted(counting, key=lambda name: name != TELEMETRY.name):
        outside = [(EARLIEST, stop)]
        if found is not None:
            outside = [(EARLIEST, found[0]), (found[1] + _INSTANT, stop)]
        extents = [extent(store, name, *span) for span in outside]
        known = [one for one in (found, *extents) if one is not None]
        if known:
            found = min(first for first, _ in known), max(last for _, last in known)
    if found is None:
        return None
    first, last = asked.start or found[0], asked.stop or found[1] + _INSTANT
    return first.astimezone(UTC), max(first, last).astimezone(UTC)


def _answered(
    con: duckdb.DuckDBPyConnection, asked: Asked, period: tuple[datetime, datetime] | None
) -> pa.Table:
    start, stop = period or (EARLIEST, EARLIEST)
    values = {"start": start, "stop": stop, "unit": asked.unit, **asked.parameters}
    used = asked.question.used
    given = {name: value for name, value in values.items() if name in used}
    return _plain(con.sql(asked.question.sql, params=given).to_arrow_table())


def _plain(table: pa.Table) -> pa.Table:
    """Give numbers and times the types that all answers have.

    Sums of whole numbers come as decimals; a time without an offset is in UTC, as all of it is.
    """
    for at, field in enumerate(table.schema):
        kind = None
        if pa.types.is_decimal(field.type):
            kind = pa.int64() if field.type.scale == 0 else pa.float64()
        elif pa.types.is_timestamp(field.type):
            kind = TIME
        if kind is not None:
            table = table.set_column(at, field.name, table[field.name].cast(kind))
    return table


def _rules(
    con: duckdb.DuckDBPyConnection, period: tuple[datetime, datetime] | None, unit: str | None
) -> tuple[str, ...]:
    """The versions that judged the period's alerts, each with its profile."""
    if period is None:
        return ()
    rows = con.execute(
        f'SELECT DISTINCT rules_version FROM {_ALERT} WHERE "at" >= $start AND "at" < $stop'  # noqa: S608 - our own name
        " AND ($unit IS NULL OR unit = $unit) ORDER BY ALL",
        {"start": period[0], "stop": period[1], "unit": unit},
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def _other_units(
    con: duckdb.DuckDBPyConnection, tables: list[RawTable], unit: str | None
) -> tuple[str, ...]:
    """The units on record when ``unit`` is none of them; nothing when it is, or none was asked."""
    if unit is None:
        return ()
    named = [table.name for table in tables if "unit" in table.schema.names]
    every = " UNION ".join(f'SELECT unit FROM "{name}"' for name in named)  # noqa: S608 - our own names
    found = {str(row[0]) for row in con.execute(every).fetchall() if row[0] is not None}
    return () if unit in found else tuple(sorted(found - {EVERY, NOT_KNOWN}))
