"""The raw tables that questions are asked of: one for each type of record that a store keeps.

Their columns are the fields of the record classes, so that a new field is a new column: times in
UTC, numbers as they are, words, yes or no; what is unknown is NULL. A part of a record stands under
both names (``flags_cdh``). Lists, maps and bytes are left out: no question is about them. Knows no
store.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from msgspec import Struct
from msgspec import inspect as shapes

from schemas.telemetry import Telemetry
from streams.stores.shapes import SHAPES, Record

TIME = pa.timestamp("us", tz="UTC")
_ARROW: dict[type[shapes.Type], pa.DataType] = {
    shapes.FloatType: pa.float64(),
    shapes.IntType: pa.int64(),
    shapes.BoolType: pa.bool_(),
    shapes.StrType: pa.string(),
    shapes.LiteralType: pa.string(),
    shapes.DateTimeType: TIME,
}


class Column(Struct, frozen=True):
    """Where a column's value stands in a record, and what it is."""

    name: str
    path: tuple[str, ...]
    type: pa.DataType

    def value(self, record: Record) -> Any:
        """Take the value out of the record; ``None`` when it is unknown."""
        value: Any = record
        for name in self.path:
            value = getattr(value, name, None)
        # One field may be a number where the column holds words: a gestational age.
        return str(value) if self.type == pa.string() and value is not None else value


class RawTable(Struct, frozen=True):
    """A table called as the measurement; ``time`` is its column that says when."""

    name: str
    kind: type[Record]
    time: str
    columns: tuple[Column, ...]

    def only(self, words: frozenset[str]) -> "RawTable":
        """The same with the columns among ``words``, and those that say when and of whom."""
        kept = tuple(c for c in self.columns if c.name in words or c.name in _ALWAYS)
        return RawTable(self.name, self.kind, self.time, kept)

    @property
    def schema(self) -> pa.Schema:
        """The table as Arrow sees it."""
        return pa.schema([(column.name, column.type) for column in self.columns])


_ALWAYS = frozenset({"time", "patient", "unit", "mode"})


def _columns(kind: type, path: tuple[str, ...] = ()) -> Iterator[Column]:
    described = shapes.type_info(kind)
    if not isinstance(described, shapes.StructType):
        raise TypeError(f"{kind} is no record")
    for field in described.fields:
        types = field.type.types if isinstance(field.type, shapes.UnionType) else (field.type,)
        known = [one for one in types if not isinstance(one, shapes.NoneType)]
        here = (*path, field.name)
        if len(known) > 1:
            yield Column("_".join(here), here, pa.string())
        elif isinstance(known[0], shapes.StructType):
            yield from _columns(known[0].cls, here)
        elif type(known[0]) in _ARROW:
            yield Column("_".join(here), here, _ARROW[type(known[0])])


TABLES: dict[str, RawTable] = {
    shape.measurement: RawTable(shape.measurement, kind, shape.time, tuple(_columns(kind)))
    for kind, shape in SHAPES.items()
}
TELEMETRY = TABLES[SHAPES[Telemetry].measurement]
"""The one table that is large: it is read by its columns, the others record by record."""


def arrow_of(table: RawTable, rows: list[list[Any]]) -> pa.Table:
    """Turn rows of values, in the order of the columns, into Arrow."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in table.columns)
    arrays = [
        pa.array(values, column.type) for values, column in zip(columns, table.columns, strict=True)
    ]
    return pa.table(arrays, schema=table.schema)
