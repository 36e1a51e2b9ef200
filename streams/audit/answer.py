"""An answer: columns and rows, and a head that says what was asked of what.

Promises that the same rows have the same digest, in whatever form they are written, and that the
head holds no clock. ``written`` is the one way in which a value becomes text.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from math import fsum
from typing import Any

import pyarrow as pa
from msgspec import Struct

from streams.audit.question import Question, Value

COVERAGE = "coverage_pct"
"""The column that says how much of the data there is that a row rests on, in percent."""
RESULT, REASON = "result", "reason"
"""The column in which a question judges, and why."""


class Coverage(Struct, frozen=True):
    """Of the rows that say it: the mean and the least, in percent. ``None`` when no row does."""

    mean_pct: float | None
    least_pct: float | None


class Head(Struct, frozen=True, kw_only=True):
    """What was asked, of what, by which version, and what came of it.

    ``start`` is in the period, ``stop`` is not; both are ``None`` when nothing is on record.
    ``rules`` are the rules and profiles that judged an alert within the period. ``sha256`` is of
    the canonical CSV.
    """

    question: str
    title: str
    asks: str
    start: datetime | None
    stop: datetime | None
    unit: str | None
    parameters: dict[str, Value]
    inowatch: str
    rules: tuple[str, ...]
    row_count: int
    n: float
    n_of: str
    coverage: Coverage | None
    sha256: str


class Answer(Struct, frozen=True):
    """``table`` holds the rows; ``question`` knows what to draw of them.

    ``other_units`` are those that were found where nothing is of the unit that was asked for.
    """

    head: Head
    question: Question
    table: pa.Table
    other_units: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        names: list[str] = self.table.column_names
        return names

    def rows(self) -> Iterator[list[Any]]:
        """Yield the rows, as Python's values."""
        for row in self.table.to_pylist():
            yield list(row.values())

    def column(self, name: str) -> list[Any]:
        """Give the values of a column."""
        values: list[Any] = self.table[name].to_pylist()
        return values


def written(value: Any) -> str:
    """Write a value as text: times in UTC, numbers so that they read back; nothing for NULL."""
    if isinstance(value, float):
        return repr(value + 0.0)  # so that there is one zero
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return "; ".join(map(written, value))
    return "" if value is None else str(value)


def canonical_csv(table: pa.Table) -> str:
    """Write columns and rows as CSV, lines ended by a newline; a cell is quoted if it must be.

    A text that is empty is quoted, NULL is not. Before one that a spreadsheet would take for a
    formula stands an apostrophe, and before one that begins with an apostrophe another.
    """
    lines = [",".join(map(_cell, table.column_names))]
    lines += [",".join(map(_cell, row.values())) for row in table.to_pylist()]
    return "\n".join(lines) + "\n"


def digest(table: pa.Table) -> str:
    """The SHA-256 of the canonical CSV, in hexadecimal."""
    return hashlib.sha256(canonical_csv(table).encode()).hexdigest()


def coverage_of(table: pa.Table) -> Coverage | None:
    """Sum up the column that says it; ``None`` where there is none."""
    if COVERAGE not in table.column_names:
        return None
    known = [float(value) for value in table[COVERAGE].to_pylist() if value is not None]
    if not known:
        return Coverage(None, None)
    return Coverage(round(fsum(known) / len(known), 1), min(known))


def counted(table: pa.Table, n: str) -> tuple[float, str]:
    """Count as the question says: the sum of its column, or the rows under its words."""
    if n not in table.column_names:
        return float(table.num_rows), n
    words = n.removeprefix("n_").replace("_", " ")
    return fsum(value for value in table[n].to_pylist() if value is not None), words


_UNSAFE = frozenset('",\r\n#')
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""Quotes do not help: a spreadsheet takes them off first. Numbers of ours are no texts."""


def _cell(value: Any) -> str:
    text = written(value)
    if isinstance(value, str | list) and text.startswith(_FORMULA):
        text = "'" + text
    if value == "" or not _UNSAFE.isdisjoint(text):
        return '"' + text.replace('"', '""') + '"'
    return text
