"""Small histories, kept in a real store and asked by the real engine, for the tests of questions.

A patient's story is told in hours from ``START``; samples come a minute apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from schemas.action import Action, ActionKind
from schemas.course import Course
from schemas.lab import METHEMOGLOBIN, Lab, LabStatus
from schemas.telemetry import Mode, Telemetry
from streams.audit.catalogue import read_catalogue
from streams.audit.engine import Asked, ask
from streams.audit.question import filled
from streams.audit.tables import TABLES, arrow_of
from streams.stores.points import points_of
from streams.stores.shapes import Record
from streams.stores.sqlite import SqliteStore

START = datetime(2026, 3, 1, tzinfo=UTC)
CATALOGUE = read_catalogue()
Step = tuple[float, float]
"""From this hour on, this dose in ppm; 0 is standby."""


def at(hours: float) -> datetime:
    """Return the moment so many hours into the story."""
    return START + timedelta(seconds=round(hours * 3600, 6))


def samples(  # noqa: PLR0913 - a story is all of these
    patient: str,
    steps: Sequence[Step],
    until_h: float,
    *,
    device: str = "d1",
    unit: str = "nicu-1",
    every_s: float = 60.0,
    silent: Sequence[tuple[float, float]] = (),
    mode: Mode = "delivering",
    **readings: float | None,
) -> Iterator[Telemetry]:
    """Samples from the first step up to and with ``until_h``, and one at each step.

    None comes within a ``silent`` stretch (its ends excluded).
    """
    end_s, every = until_h * 3600, every_s
    count = round((end_s - steps[0][0] * 3600) / every)
    moments = {round(steps[0][0] * 3600 + i * every, 6) for i in range(count + 1)}
    moments |= {round(hour * 3600, 6) for hour, _ in steps} | {round(end_s, 6)}
    for moment in sorted(moments):
        if any(begin * 3600 < moment < stop * 3600 for begin, stop in silent):
            continue
        ppm = [ppm for hour, ppm in steps if hour * 3600 <= moment + 1e-6][-1]
        yield Telemetry(
            time=START + timedelta(seconds=moment),
            device=device,
            patient=patient,
            unit=unit,
            bed="1",
            mode=mode if ppm else "standby",
            set_ppm=ppm,
            **readings,
        )


def lab(  # noqa: PLR0913 - a result is all of these
    patient: str,
    collected_h: float,
    value: float | None = 1.0,
    *,
    resulted_h: float | None = None,
    name: str | None = None,
    status: LabStatus = "final",
    unit: Any = "%",
) -> Lab:
    """A methemoglobin result."""
    return Lab(
        time=at(collected_h),
        id=name or f"{patient}-{collected_h:g}",
        patient=patient,
        code=METHEMOGLOBIN,
        value=value,
        unit=unit if value is not None else None,
        resulted=at(collected_h + 0.5 if resulted_h is None else resulted_h),
        status=status,
    )


def did(patient: str, hour: float, action: ActionKind, **more: Any) -> Action:
    """Something that a person did."""
    return Action(
        time=at(hour),
        id=f"{patient}-{action}-{hour:g}",
        patient=patient,
        by="s1",
        action=action,
        **more,
    )


def context(patient: str, hour: float = 0.0, **known: Any) -> Course:
    """A word on the patient's context."""
    return Course(time=at(hour), id=f"{patient}-c-{hour:g}", patient=patient, **known)


def keep(path: Path, records: Iterable[Record]) -> SqliteStore:
    """Put the records into a store of their own."""
    store = SqliteStore(path / "audit.db")
    store.write([point for record in records for point in points_of(record)])
    return store


def asked(
    path: Path, name: str, records: Iterable[Record], *, unit: str | None = None, **given: Any
) -> list[dict[str, Any]]:
    """Answer the question ``name`` about the records: its rows in their order."""
    question = CATALOGUE.named(name)
    start, stop = given.pop("start", None), given.pop("stop", None)
    parameters = filled(question, {key: str(value) for key, value in given.items()})
    store = keep(path, records)
    try:
        wanted = Asked(question=question, start=start, stop=stop, unit=unit, parameters=parameters)
        rows: list[dict[str, Any]] = ask(store, CATALOGUE, wanted, lambda _: None).table.to_pylist()
    finally:
        store.close()
    return rows


def by_patient(rows: Iterable[dict[str, Any]], *columns: str) -> dict[str, Any]:
    """Map each patient to the values of the columns: one value, or a tuple of them."""
    return {
        row["patient"]: row[columns[0]] if len(columns) == 1 else tuple(row[c] for c in columns)
        for row in rows
    }


def views_of(question: str, records: Iterable[Record]) -> duckdb.DuckDBPyConnection:
    """Make the views of a question from the records themselves, without a store between."""
    names, views = CATALOGUE.needs(CATALOGUE.named(question))
    kept = list(records)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name in names:
        table = TABLES[name]
        mine = [record for record in kept if isinstance(record, table.kind)]
        rows = [[column.value(record) for column in table.columns] for record in mine]
        con.register(name, arrow_of(table, rows))
    for one in views:
        con.execute(one.sql)
    return con
