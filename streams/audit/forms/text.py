"""Answers for people at a console, for spreadsheets and for programs: table, csv, json, parquet.

The rows of ``csv`` after its lines with ``#`` are the canonical CSV whose digest the head names.
"""

import io
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from streams.audit.answer import Answer, canonical_csv, written
from streams.audit.forms.heading import heading, moment, no_rows, readable

_WIDEST = 60
_CUT = "…"


def table(answer: Answer) -> bytes:
    """Head, then the rows in columns; numbers to the right, long texts and times cut."""
    head = heading(answer.head, to_the_second=True)
    lines = [f"{name:<11}{said}" for name, said in head] + [""]
    if not answer.head.row_count:
        return _lines([*lines, no_rows(answer.head)])
    cells = [
        [_short(name, value) for name, value in zip(answer.columns, row, strict=True)]
        for row in answer.rows()
    ]
    to_right = [_is_number(field.type) for field in answer.table.schema]
    widths = [
        max(len(name), *(len(row[at]) for row in cells)) for at, name in enumerate(answer.columns)
    ]
    for row in (answer.columns, ["-" * width for width in widths], *cells):
        aligned = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_right, strict=True)
        ]
        lines.append("  ".join(aligned).rstrip())
    return _lines(lines)


def csv(answer: Answer) -> bytes:
    """The head as lines that begin with ``#``, then the canonical CSV."""
    lines = [f"# {name}: {said}" for name, said in heading(answer.head)]
    return _lines(lines) + canonical_csv(answer.table).encode()


def json(answer: Answer) -> bytes:
    """One object: everything of the head, then ``columns``, then ``rows`` as objects."""
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows()]
    whole = msgspec.to_builtins(answer.head) | {"columns": answer.columns, "rows": rows}
    return msgspec.json.encode(whole) + b"\n"


def parquet(answer: Answer) -> bytes:
    """The rows with their types; the head as JSON in the file's metadata under ``inowatch``."""
    said = {b"inowatch": msgspec.json.encode(answer.head)}
    out = io.BytesIO()
    pq.write_table(answer.table.replace_schema_metadata(said), out)
    return out.getvalue()


def _lines(lines: list[str]) -> bytes:
    # A head says what people typed, such as the name of a unit: it stays on its line.
    return "".join(" ".join(line.splitlines()) + "\n" for line in lines).encode()


def _short(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, float):
        return f"{readable(column, value):.10g}"
    text = " ".join(written(value).split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + _CUT


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
