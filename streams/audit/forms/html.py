"""An answer as one page that a committee can read, print and keep: nothing outside it is needed.

A sentence first, then what was judged, pictures, the rows, what was set and where it comes from.
Promises the same bytes for the same answer, and that one number is written in one way all over the
page. Values are escaped by the template, all of them.
"""

import base64
import re
from collections import Counter
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

import jinja2
import pyarrow as pa
from msgspec import Struct

from streams.audit.answer import RESULT, Answer, written
from streams.audit.forms.columns import heading_of, no_such_column, unit_of
from streams.audit.forms.heading import grouped, heading, moment, readable
from streams.audit.forms.plots import pictures
from streams.audit.forms.sentence import sentence
from streams.audit.question import Value

MOST_ROWS = 1000
"""Rows on the page; beyond, it names the form that has them all."""
_INDETERMINATE = "indeterminate"
_TONES = {
    "in time": ("good", "✓"),
    "met": ("good", "✓"),
    "early": ("care", "!"),
    "late": ("care", "!"),
    "review needed": ("care", "!"),
    "never": ("bad", "✗"),
    _INDETERMINATE: ("unknown", "?"),
}
"""Word of a result to its colour and the sign beside it. *Yes* and *no* are set
plainly, as all other words: whether they are good depends on what was asked."""
_PLAIN = ("plain", "•")
_LONG, _LONGER, _LONG_WORD, _WORDY = 40, 120, 14, 12
"""Characters of a text that may take several lines, of one that takes more room for them, of a word
that may be broken in print, and of a heading that asks for some width."""
_TOGETHER = re.compile(r"(?:\S+ )?\S{1,3}$|\S+$")
"""The end of a heading that stays on one line: its last word, with the one before a short one."""
_POINT_CH = 0.5
"""How wide a decimal point is, of a digit's width: whole numbers stand so far to the left too."""


class Verdict(Struct, frozen=True):
    """How many rows say ``word``."""

    word: str
    tone: str
    sign: str
    count: str
    share_pct: str


class Cell(Struct, frozen=True):
    """What stands in a cell; ``after_ch`` keeps the decimal points of a column in one line."""

    text: str
    kind: str
    after_ch: float = 0.0


def html(answer: Answer) -> bytes:
    """Write the page. Raises ``InvalidQuestion`` where the head names what is not there."""
    no_such_column(answer)
    shown = answer.table.slice(0, MOST_ROWS)
    columns = [_cells(field, shown[field.name].to_pylist()) for field in shown.schema]
    rows = list(zip(*columns, strict=True))
    verdicts = _verdicts(answer)
    marks = [one.tone for one in verdicts] + [cell.kind for column in columns for cell in column]
    page = _template().render(
        head=answer.head,
        sentence=sentence(answer),
        verdicts=verdicts,
        explains_unknown="unknown" in marks,
        pictures=[
            (base64.b64encode(picture.svg).decode(), picture.words) for picture in pictures(answer)
        ],
        columns=[
            _head(str(heading_of(answer, field.name)), number=_is_number(field.type))
            for field in shown.schema
        ],
        rows=rows,
        left_out=answer.head.row_count - len(rows),
        parameters=[
            (one.name, _set_to(one.name, answer.head.parameters[one.name]), one.says)
            for one in answer.question.parameters
        ],
        heading=[
            pair
            for pair in heading(answer.head, to_the_second=True, number=grouped)
            if pair[0] != "parameters"
        ],
    )
    return page.encode()


def _template() -> jinja2.Template:
    text = files("streams.audit.forms").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _head(text: str, *, number: bool) -> tuple[str, str, str]:
    """A heading in two parts, of which the second is not broken, and its class."""
    found = _TOGETHER.search(text)
    at = found.start() if found else 0
    kinds = ["number"] * number + ["wordy"] * (len(text) > _WORDY)
    return text[:at], text[at:], " ".join(kinds)


def _set_to(name: str, value: Value) -> str:
    return f"{grouped(value)} {unit_of(name)}".rstrip()


def _verdicts(answer: Answer) -> list[Verdict]:
    if RESULT not in answer.columns or not answer.head.row_count:
        return []
    counts = Counter(map(written, answer.column(RESULT)))
    order = [word for word in _TONES if counts[word]]
    order += sorted(counts.keys() - _TONES.keys(), reverse=True)
    # What is not known comes last, and "yes" before "no".
    order.sort(key=lambda word: word == _INDETERMINATE)
    share_pct = 100 / counts.total()
    return [
        Verdict(
            word,
            *_TONES.get(word, _PLAIN),
            grouped(counts[word]),
            grouped(round(counts[word] * share_pct, 1)),
        )
        for word in order
    ]


def _cells(field: pa.Field, values: list[Any]) -> list[Cell]:
    """Write a column from top to bottom."""
    if _is_number(field.type):
        return _numbers(field.name, values)
    days = all(value.astimezone(UTC).time() == time() for value in values if _is_time(value))
    return [_cell(field.name, value, days=days) for value in values]


def _numbers(column: str, values: list[float | None]) -> list[Cell]:
    texts = ["-" if value is None else grouped(readable(column, value)) for value in values]
    places = [len(text.partition(".")[2]) for text in texts]
    most = max(places, default=0)
    return [
        Cell(
            text,
            "none number" if value is None else "number",
            most - place + _POINT_CH * (most > 0 and place == 0),
        )
        for text, place, value in zip(texts, places, values, strict=True)
    ]


def _cell(column: str, value: Any, *, days: bool) -> Cell:
    if value is None:
        return Cell("-", "none")
    if _is_time(value):
        return Cell(moment(value)[:10] if days else moment(value), "time")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", "")
    text = written(value)
    if column == RESULT or text == _INDETERMINATE:
        tone, sign = _TONES.get(text, _PLAIN)
        return Cell(f"{sign} {text}", tone)
    kinds = ["phrase"] * (" " in text)
    kinds += ["long"] * (len(text) > _LONG) + ["longer"] * (len(text) > _LONGER)
    kinds += ["breaks"] if max(map(len, text.split()), default=0) > _LONG_WORD else []
    return Cell(text, " ".join(kinds))


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
