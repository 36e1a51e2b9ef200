"""The questions put to InfluxDB, and its answers as points.

Values only travel as parameters of a query; names in its text are our own (``checked_name``).
The answer is InfluxDB's annotated CSV. It is read here because the client's own reader cuts times
to microseconds, and the ``twin`` is in the nanoseconds; to have them sent as a number as well
doubled the time of a query. Knows nothing of connections.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import groupby

from streams.stores.fitness import checked_name
from streams.stores.line_protocol import marked_tag, unmarked
from streams.stores.port import Field, Point, reading_order

_TAG = "@"
"""Set before the names of tags in an answer: it tells them from fields, which cannot begin so."""
_ROWS_OF = """
from(bucket: _bucket)
    |> range(start: _start, stop: _stop)
    |> filter(fn: (r) => {condition})
"""
_POINTS = (
    _ROWS_OF
    + """
    |> drop(columns: ["_start", "_stop", "_measurement"])
    |> rename(fn: (column) => if column =~ /^_/ then column else "@" + column)
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> group()
    |> sort(columns: ["_time"])
"""
)
_NEXT_TIME = (
    _ROWS_OF
    + """
    |> first()
    |> keep(columns: ["_time"])
    |> group()
    |> min(column: "_time")
"""
)

_OF_DAYS = (
    _ROWS_OF
    + """
    |> aggregateWindow(every: 1d, fn: {gathered}, createEmpty: false, timeSrc: "_start")
    |> group()
    |> drop(columns: ["_start", "_stop", "_measurement"])
"""
)
_COUNT = (
    _ROWS_OF
    + """
    |> group(columns: ["_field"])
    |> count()
    |> group()
    |> sum()
"""
)
_LAST_TIME = _NEXT_TIME.replace("first()", "last()").replace("min(", "max(")

Parameters = dict[str, str | datetime]
Question = tuple[str, Parameters]
"""The text of a query, and the values that it asks for."""


class Failed(Exception):
    """InfluxDB broke off in the middle of an answer and said why."""


class Selection:
    """The points of one measurement that carry all of ``tags``, in a bucket.

    With ``fields`` only those of their fields, with ``text`` only that text, in however many pieces
    it is kept; a point that has none of them is left out.
    """

    def __init__(
        self,
        bucket: str,
        measurement: str,
        tags: Mapping[str, str],
        fields: Iterable[str] = (),
        *,
        text: str | None = None,
    ) -> None:
        self.measurement = checked_name(measurement)
        self._parameters: Parameters = {"_bucket": bucket, "_wanted": self.measurement}
        conditions = ["r._measurement == _wanted"]
        for number, (name, value) in enumerate(sorted(tags.items())):
            conditions.append(f"r.{checked_name(name)} == _tag{number}")
            self._parameters[f"_tag{number}"] = marked_tag(value)
        either = " or ".join([f'r._field == "{checked_name(name)}"' for name in sorted(fields)])
        conditions += [f"({either})"] if either else []
        conditions += [f"r._field =~ /^{checked_name(text)}(_[0-9]+)?$/"] if text else []
        self._condition = " and ".join(conditions)

    def points(self, start: datetime, stop: datetime) -> Question:
        """Ask for the points with ``start <= time < stop``, sorted by time."""
        return self._ask(_POINTS, start, stop)

    def next_time(self, start: datetime, stop: datetime) -> Question:
        """Ask for the time of the earliest of them, in a single row if there is any."""
        return self._ask(_NEXT_TIME, start, stop)

    def last_time(self, start: datetime, stop: datetime) -> Question:
        """Ask for the time of the latest of them, in the same way."""
        return self._ask(_LAST_TIME, start, stop)

    def count(self, start: datetime, stop: datetime) -> Question:
        """Ask how many values they have, in a single row if there is any."""
        return self._ask(_COUNT, start, stop)

    def counted_by_day(self, start: datetime, stop: datetime) -> Question:
        """Ask how many values each series and field has on each UTC day."""
        return self._ask(_OF_DAYS, start, stop, gathered="count")

    def summed_by_day(self, start: datetime, stop: datetime) -> Question:
        """Ask for the sum of the values of each series and field on each UTC day."""
        return self._ask(_OF_DAYS, start, stop, gathered="sum")

    def _ask(self, text: str, start: datetime, stop: datetime, **words: str) -> Question:
        between: Parameters = {"_start": start, "_stop": stop}
        return text.format(condition=self._condition, **words), self._parameters | between


def points_in(measurement: str, lines: Iterable[str]) -> Iterator[Point]:
    """Points of an answer, in reading order: it comes sorted by time, here tags settle a tie."""
    points = (columns.point(measurement, row) for columns, row in _rows(lines))
    for _, together in groupby(points, key=lambda point: point.time):
        yield from sorted(together, key=reading_order)


def time_in(lines: Iterable[str]) -> datetime | None:
    """Read the time in the answer's first row; ``None`` when it has none."""
    for columns, row in _rows(lines):
        return _instant(row[columns.time])[0]
    return None


def days_in(lines: Iterable[str]) -> Iterator[tuple[date, list[tuple[str, str]]]]:
    """Read the rows of an answer about days: the day of each, and what it says, by name.

    In whatever order the columns came: InfluxDB promises none.
    """
    for columns, row in _rows(lines):
        said = sorted((name, row[at]) for at, name in columns.named if row[at])
        yield _instant(row[columns.time])[0].date(), said


def number_in(lines: Iterable[str]) -> int:
    """Read the number in the answer's first row; 0 when it has none."""
    for columns, row in _rows(lines):
        return next(int(row[at]) for at, name in columns.named if name == "_value")
    return 0


class _Columns:
    """Where a table of the answer has its time, tags and fields; an empty cell is absent."""

    def __init__(self, kinds: list[str], names: list[str]) -> None:
        self.time = names.index("_time") if "_time" in names else -1
        self.named = [
            (at, name) for at, name in enumerate(names) if name not in _FRAME and at != self.time
        ]
        self.tags = [(at, name[1:]) for at, name in enumerate(names) if name.startswith(_TAG)]
        ours = {at for at, _ in self.tags} | {self.time}
        self.fields = [
            (at, name, _READ_AS[kinds[at]])
            for at, name in enumerate(names)
            if name not in _FRAME and at not in ours
        ]

    def point(self, measurement: str, row: list[str]) -> Point:
        time, twin = _instant(row[self.time])
        tags = {name: unmarked(row[at]) for at, name in self.tags if row[at]}
        fields = {name: read(row[at]) for at, name, read in self.fields if row[at]}
        return Point(measurement, tags, fields, time, twin)


_FRAME = ("", "result", "table")
_READ_AS: dict[str, Callable[[str], Field]] = {
    "double": float,
    "long": float,
    "unsignedLong": float,
    "boolean": "true".__eq__,
    "string": unmarked,
}


def _rows(lines: Iterable[str]) -> Iterator[tuple[_Columns, list[str]]]:
    """Rows of an annotated CSV, each with the columns of its table."""
    kinds: list[str] = []
    columns: _Columns | None = None
    failed = False
    for row in csv.reader(lines):
        if not row or row[0].startswith("#"):
            columns = None
            kinds = row if row and row[0] == "#datatype" else kinds
        elif failed:
            raise Failed(row[1])
        elif columns is not None:
            yield columns, row
        elif row[1:3] == ["error", "reference"]:
            failed = True
        else:
            columns = _Columns(kinds, row)


def _instant(written: str) -> tuple[datetime, int]:
    """Part ``2026-11-20T10:00:00.123456789Z`` into microsecond and nanoseconds beyond it."""
    seconds, _, fraction = written.removesuffix("Z").partition(".")
    digits = fraction.ljust(9, "0")
    moment = datetime.fromisoformat(seconds).replace(microsecond=int(digits[:6]), tzinfo=UTC)
    return moment, int(digits[6:])
