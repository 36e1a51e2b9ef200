"""What people read of an answer: times and seconds as one says them, cells that are no formulas."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from msgspec.structs import replace

from streams.audit.answer import Answer, Coverage, Head, canonical_csv, digest
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
    return Answer(head, replace(question, plots=(), headings={}, says="{rows row|rows}."), rows)


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
    """What was set stands on the page once, with its unit, a whole number without a point."""
    made = answer({"unit": ["u"], "took_s": [900.0]})
    page = html(made).decode()
    assert '<td class="value">900 s</td>' in page
    assert page.count("slow_s") == 1
    assert '<td class="number">900</td>' in page
    assert "900.0" not in page


def test_a_number_is_written_in_one_way() -> None:
    """Cells, sums, counts and shares have the same commas, and no zeros after the last digit."""
    made = answer(
        {"result": ["yes"] * 2, "over_min": [1234.5, 1.25], "coverage_pct": [100.0, 98.0]}
    )
    said = "{over_min} min, at most {slow_s} s."
    head = replace(
        made.head, parameters={"slow_s": 3600.0}, n=1234.0, coverage=Coverage(99.0, 98.0)
    )
    page = html(replace(made, head=head, question=replace(made.question, says=said))).decode()
    assert "1,235.75 min, at most 3,600 s. The samples cover 99 % of the time on the" in page
    assert '<td class="number" style="--after: 1">1,234.5</td>' in page
    assert '<td class="value">3,600 s</td>' in page
    assert "<td>1,234 (rows)</td>" in page
    assert "<td>99 % mean, 98 % least</td>" in page
    assert '<td class="number">100</td><td class="bar"' in page


def test_indeterminate_is_explained_where_it_stands() -> None:
    """The note on what indeterminate means is there with such a row, and only then."""
    said = "means that what is needed to judge is not on record"
    assert said in html(answer({"result": ["yes", "indeterminate"]})).decode()
    assert said not in html(answer({"result": ["yes", "no"]})).decode()
    assert said in html(answer({"result": ["yes"], "reviewed": ["indeterminate"]})).decode()
    assert said not in html(answer({"result": ["yes"], "reviewed": ["no"]})).decode()


def test_midnights_are_days() -> None:
    """A column of whole days has no clock; one with any other time has it in every row."""
    midnight = AT.replace(hour=0, minute=0, second=0, microsecond=0)
    assert '<td class="time">2026-03-01</td>' in html(answer({"since": [midnight]})).decode()
    both = html(answer({"since": [midnight, AT]})).decode()
    assert '<td class="time">2026-03-01 00:00:00</td>' in both


def test_yes_and_no_are_words() -> None:
    """What is true or not is said as people say it."""
    page = html(answer({"still_open": [True, False]})).decode()
    assert "<td>yes</td>" in page
    assert "<td>no</td>" in page
