"""An answer as one page that a committee can read, print and keep: nothing outside it is needed.

A sentence first, then what was judged, pictures, the rows, what was set and where it comes from.
Promises the same bytes for the same answer. Values are escaped by the template, all of them.
"""

import base64
import re
from collections import Counter
from datetime import datetime
from importlib.resources import files
from math import fsum
from typing import Any

import jinja2
import pyarrow as pa
from msgspec import Struct

from streams.audit.answer import RESULT, Answer, written
from streams.audit.forms.heading import heading, moment, plain, readable
from streams.audit.forms.plots import pictures, words_of
from streams.audit.forms.text import NO_ROWS
from streams.audit.question import InvalidQuestion

_SUMMED = re.compile(r"\{([a-z0-9_]+)\}")
MOST_ROWS = 1000
"""Rows on the page; beyond, it names the form that has them all."""
_TONES = {
    "in time": ("good", "✓"),
    "met": ("good", "✓"),
    "early": ("care", "!"),
    "late": ("care", "!"),
    "review needed": ("care", "!"),
    "never": ("bad", "✗"),
    "indeterminate": ("unknown", "?"),
}
"""Word of a result to its colour and the sign beside it. *Yes* and *no* are set
plainly, as all other words: whether they are good depends on what was asked."""
_PLAIN = ("plain", "•")
_LONG, _LONG_WORD = 40, 14
"""Characters of a text that may take several lines, and of a word that may be broken in print."""


class Verdict(Struct, frozen=True):
    """How many rows say ``word``."""

    word: str
    tone: str
    sign: str
    count: int
    share_pct: float


def html(answer: Answer) -> bytes:
    """Write the page."""
    verdicts = _verdicts(answer)
    shown = list(answer.rows())[:MOST_ROWS]
    page = _template().render(
        head=answer.head,
        sentence=_sentence(answer, verdicts),
        verdicts=verdicts,
        pictures=[
            (base64.b64encode(picture.svg).decode(), picture.words) for picture in pictures(answer)
        ],
        columns=[
            (words_of(name), "number" if _is_number(field.type) else "")
            for name, field in zip(answer.columns, answer.table.schema, strict=True)
        ],
        rows=[
            [_cell(field, value) for field, value in zip(answer.table.schema, row, strict=True)]
            for row in shown
        ],
        left_out=answer.head.row_count - len(shown),
        parameters=[
            (one.name, plain(answer.head.parameters[one.name]), one.says)
            for one in answer.question.parameters
        ],
        heading=heading(answer.head, to_the_second=True),
    )
    return page.encode()


def _template() -> jinja2.Template:
    text = files("streams.audit.forms").joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)


def _verdicts(answer: Answer) -> list[Verdict]:
    if RESULT not in answer.columns or not answer.head.row_count:
        return []
    counts = Counter(map(written, answer.column(RESULT)))
    order = [word for word in _TONES if counts[word]]
    order += sorted(counts.keys() - _TONES.keys())
    share_pct = 100 / counts.total()
    return [
        Verdict(word, *_TONES.get(word, _PLAIN), counts[word], counts[word] * share_pct)
        for word in order
    ]


def _sentence(answer: Answer, verdicts: list[Verdict]) -> str:
    head = answer.head
    if not head.row_count:
        return NO_ROWS
    counted = f"{head.n:,.12g} {head.n_of}"
    if answer.question.says is not None:
        said = _SUMMED.sub(lambda found: _sum(answer, found[1]), answer.question.says)
    elif verdicts:
        parts = [f"{one.count} {one.word}" for one in verdicts]
        listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
        rows = "" if head.n == head.row_count else f" in {head.row_count} rows"
        said = f"{counted}{rows}: {listed}."
    else:
        rows = f"{head.row_count} row{'s' if head.row_count != 1 else ''}"
        said = f"{counted}." if head.n == head.row_count else f"{counted}, in {rows}."
    coverage = head.coverage
    if coverage is not None and coverage.mean_pct is not None:
        said += (
            f" The samples cover {coverage.mean_pct:.1f} % of the time on the average,"
            f" {coverage.least_pct:.1f} % at the least."
        )
    return said


def _sum(answer: Answer, column: str) -> str:
    """Write the sum of a column; ``InvalidQuestion`` when there is none of this name."""
    if column not in answer.columns:
        raise InvalidQuestion(f"{answer.question.name}: it says {{{column}}}, which is no column")
    return f"{fsum(value for value in answer.column(column) if value is not None):,.12g}"


def _cell(field: pa.Field, value: Any) -> tuple[str, str]:
    """The text of a cell and its class."""
    if value is None:
        return "-", "none number" if _is_number(field.type) else "none"
    if field.name == RESULT:
        tone, sign = _TONES.get(written(value), _PLAIN)
        return f"{sign} {written(value)}", tone
    if isinstance(value, float):
        return f"{readable(field.name, value):,.10g}", "number"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}", "number"
    if isinstance(value, datetime):
        return moment(value), "time"
    text = written(value)
    kinds = ["long"] if len(text) > _LONG else []
    kinds += ["breaks"] if max(map(len, text.split()), default=0) > _LONG_WORD else []
    return text, " ".join(kinds)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
