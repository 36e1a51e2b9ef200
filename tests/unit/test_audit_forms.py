"""What people read of an answer: times and seconds as one says them, cells that are no formulas."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from msgspec.structs import replace

from streams.audit.answer import Answer, Head, canonical_csv, digest
from streams.audit.forms.html import html
from streams.audit.forms.text import csv as as_csv
from streams.audit.forms.text import json as as_json
from streams.audit.forms.text import table
from tests.unit.audit_asked import CATALOGUE

AT = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)


def answer(columns: dict[str, list[object]]) -> Answer:
    """Make an answer of these columns, of a period that ends within a second."""
    rows = pa.table(columns)
    head = Head(
        question="q",
        title="A question",
        asks="What?",
        start=AT,
        stop=AT + timedelta(hours=1),
        unit=None,
        parameters={"slow_s": 900.0},
        inowatch="1",
        rules=(),
        row_count=rows.num_rows,
        n=rows.num_rows,
        n_of="rows",
        coverage=None,
        sha256=digest(rows),
    )
    question = CATALOGUE.named("alarm-performance")
    return Answer(head, replace(question, plots=(), says=None), rows)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", '=1,"x"'])
def test_a_cell_is_no_formula(text: str) -> None:
    """A text that a spreadsheet would reckon with gets an apostrophe, which can be taken off again.

    Numbers stay numbers, and what is read by programs stays as it is.
    """
    made = answer({"unit": [text, "nicu-1"], "value": [-1.5, 2.0], "count": [-3, 4]})
    ((unit, value, count), plain) = list(csv.reader(io.StringIO(canonical_csv(made.table))))[1:]
    assert unit == "'" + text
    assert (value, count) == ("-1.5", "-3")
    assert plain == ["nicu-1", "2.0", "4"]
    assert f'"sha256":"{digest(made.table)}"'.encode() in as_json(made)
    assert b"'" + text[:1].encode() not in as_json(made)


def test_people_read_no_microseconds() -> None:
    """Times end with the second, the period is wide enough for all, seconds have two places."""
    made = answer({"at": [AT], "told_s": [2.123456], "unit": ["u"], "area_ppm_min": [1.23456]})
    for form in (table, html):
        text = form(made).decode()
        assert "123456" not in text.replace(made.head.sha256, "").replace("1.23456", "")
        assert "2026-03-01 08:00:00" in text
        assert "2026-03-01 08:00:00 to 2026-03-01 09:00:01 UTC" in text
        assert "2.12" in text
        assert "1.23456" in text
    exact = as_csv(made).decode()
    assert "2026-03-01T08:00:00.123456Z to 2026-03-01T09:00:00.123456Z" in exact
    assert "2026-03-01T08:00:00.123456Z,2.123456,u" in exact


def test_a_parameter_is_written_once_and_the_same() -> None:
    """What was set stands on the page as in its head, a whole number without a point."""
    made = answer({"unit": ["u"]})
    page = html(made).decode()
    assert '<td class="value">900</td>' in page
    assert "slow_s = 900<" in page
    assert "900.0" not in page


def test_indeterminate_is_explained_where_it_stands() -> None:
    """The note on what indeterminate means is there with such a row, and only then."""
    said = "means that what is needed to judge is not on record"
    assert said in html(answer({"result": ["yes", "indeterminate"]})).decode()
    assert said not in html(answer({"result": ["yes", "no"]})).decode()
