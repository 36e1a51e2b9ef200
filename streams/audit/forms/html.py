"""An answer as one page that a committee can read, print and keep: nothing outside it is needed.

A sentence first, then what was judged, pictures, the rows, what was set and where it comes from.
Promises the same bytes for the same answer, and that one number is written in one way all over the
page. Values are escaped by the template, all of them.
"""

import base64
from collections import Counter
from importlib.resources import files

import jinja2
from msgspec import Struct

from streams.audit.answer import RESULT, Answer, written
from streams.audit.forms.cells import INDETERMINATE, PLAIN, TONES, cells, head_cell, is_number
from streams.audit.forms.columns import heading_of, no_such_column, unit_of
from streams.audit.forms.heading import grouped, heading
from streams.audit.forms.plots import pictures
from streams.audit.forms.sentence import sentence
from streams.audit.question import Value

MOST_ROWS = 1000
"""Rows on the page; beyond, it names the form that has them all."""


class Verdict(Struct, frozen=True):
    """How many rows say ``word``."""

    word: str
    tone: str
    sign: str
    count: str
    share_pct: str


def html(answer: Answer) -> bytes:
    """Write the page. Raises ``InvalidQuestion`` where the head names what is not there."""
    no_such_column(answer)
    shown = answer.table.slice(0, MOST_ROWS)
    columns = [cells(field, shown[field.name].to_pylist()) for field in shown.schema]
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
            head_cell(str(heading_of(answer, field.name)), number=is_number(field.type))
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


def _set_to(name: str, value: Value) -> str:
    return f"{grouped(value)} {unit_of(name)}".rstrip()


def _verdicts(answer: Answer) -> list[Verdict]:
    if RESULT not in answer.columns or not answer.head.row_count:
        return []
    counts = Counter(map(written, answer.column(RESULT)))
    order = [word for word in TONES if counts[word]]
    order += sorted(counts.keys() - TONES.keys(), reverse=True)
    # What is not known comes last, and "yes" before "no".
    order.sort(key=lambda word: word == INDETERMINATE)
    share_pct = 100 / counts.total()
    return [
        Verdict(
            word,
            *TONES.get(word, PLAIN),
            grouped(counts[word]),
            grouped(round(counts[word] * share_pct, 1)),
        )
        for word in order
    ]
