"""What a report says in words: its first sentence and what stands above its columns."""

import re
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from msgspec.structs import replace

from streams.audit.answer import Answer, coverage_of
from streams.audit.engine import Asked, ask
from streams.audit.forms.columns import heading_of, no_such_column
from streams.audit.forms.sentence import RESULTS, sentence
from streams.audit.question import InvalidQuestion, filled
from streams.stores.sqlite import SqliteStore
from tests.unit.audit_asked import CATALOGUE

UNITS = {
    "_ppm_min": "ppm·min",
    "_ppm": "ppm",
    "_min": "min",
    "_s": "s",
    "_h": "h",
    "_pct": "%",
    "_usd": "US dollars",
    "_n": "n judged",
}
BARE = re.compile(r"(?<![,0-9]) (?:ppm|min|s|h|pct|%|usd|n)$")
FORMS = re.compile(r"\{[a-z0-9_ ]+ ([^{}|]+)\|([^{}|]+)\}")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Every question, asked of a store with nothing in it: its columns, and no row."""
    store = SqliteStore(tmp_path_factory.mktemp("empty") / "ward.db")
    answers = {}
    for name, question in CATALOGUE.questions.items():
        asked = Asked(question=question, parameters=filled(question, {}))
        answers[name] = ask(store, CATALOGUE, asked, lambda _: None)
    store.close()
    return answers


def filled_with(answer: Answer, number: float, results: list[str]) -> Answer:
    """Give the answer a row for each result, with this number in each cell that takes one."""
    columns: dict[str, list[object]] = {}
    for field in answer.table.schema:
        if field.name == "result":
            columns[field.name] = list(results)
        elif pa.types.is_timestamp(field.type):
            columns[field.name] = [datetime(2026, 3, 1, tzinfo=UTC)] * len(results)
        elif pa.types.is_string(field.type) or pa.types.is_list(field.type):
            columns[field.name] = [None] * len(results)
        else:
            columns[field.name] = [number] * len(results)
    table = pa.table(columns).cast(answer.table.schema)
    head = replace(answer.head, row_count=len(results), coverage=coverage_of(table))
    return replace(answer, head=head, table=table)


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_headings_are_for_people(name: str, empty: dict[str, Answer]) -> None:
    """Every column is headed in words, and its unit comes last, after a comma."""
    answer = empty[name]
    no_such_column(answer)
    for field in answer.table.schema:
        heading = str(heading_of(answer, field.name))
        assert "_" not in heading
        assert "{" not in heading
        assert not heading[0].islower()
        assert not BARE.search(heading)
        end = next((end for end in UNITS if field.name.endswith(end)), None)
        if end and not field.name.endswith(f"_per{end}"):
            assert heading.endswith(f", {UNITS[end]}")
        if pa.types.is_timestamp(field.type):
            assert heading.endswith(", UTC")


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_no_two_columns_are_headed_alike(name: str, empty: dict[str, Answer]) -> None:
    """Who reads a heading knows which column is meant."""
    headings = [str(heading_of(empty[name], column)) for column in empty[name].columns]
    assert len(set(headings)) == len(headings)


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_without_rows_it_says_so(name: str, empty: dict[str, Answer]) -> None:
    """Where nothing is on record the sentence names what was looked for, and where."""
    what = empty[name].head.n_of
    said = f"No {what}: nothing of this kind is on record for this period in any unit."
    assert sentence(empty[name]) == said


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_one_is_singular(name: str, empty: dict[str, Answer]) -> None:
    """With one of everything no word stands in its plural, whatever the result."""
    for result in RESULTS:
        said = sentence(filled_with(empty[name], 1, [result]))
        assert not re.search(r"[{}|\[\]]|  |\bnone none\b", said)
        assert re.fullmatch(r"[A-Z0-9].*\.", said)
        for one, many in FORMS.findall(CATALOGUE.named(name).says):
            assert f"1 {many}" not in said.replace(f"1 {one}", "")


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_more_are_plural(name: str, empty: dict[str, Answer]) -> None:
    """With several of everything every count has its plural."""
    said = sentence(filled_with(empty[name], 2, [*RESULTS, *RESULTS]))
    for _, many in FORMS.findall(CATALOGUE.named(name).says):
        assert re.search(rf"\d {re.escape(many)}", said)


def test_the_sentence_answers(empty: dict[str, Answer]) -> None:
    """How many, out of how many, what not, what is not known; what is none is left out or said."""
    dose = empty["dose-over-20"]
    some = filled_with(dose, 14.0, ["yes", *["no"] * 5])
    assert sentence(some).startswith(
        "1 of 6 courses above 20 ppm; 5 not; none indeterminate."
        " In all 84 min above it, 84 min of them beyond any order."
    )
    nobody = filled_with(dose, 0.0, ["indeterminate"])
    assert sentence(nobody).startswith("None of 1 course above 20 ppm; 1 indeterminate. The sam")
    other = replace(some, head=replace(some.head, parameters={"limit_ppm": 40.0}))
    assert sentence(other).startswith("1 of 6 courses above 40 ppm;")
    assert str(heading_of(other, "over_min")) == "Above 40 ppm, min"


def test_a_mean_is_weighed(empty: dict[str, Answer]) -> None:
    """A share over several rows counts each row by its size, a rate is of the whole.

    Without a size it is not known.
    """
    measures = filled_with(empty["measures"], 1, ["", ""])
    at = measures.columns.index
    table = measures.table.set_column(at("over_20_pct"), "over_20_pct", [[10.0, 40.0]])
    table = table.set_column(at("over_20_n"), "over_20_n", [[2, 1]])
    table = table.set_column(at("over_4_days_n"), "over_4_days_n", [[0, 0]])
    table = table.set_column(at("delivered_h"), "delivered_h", [[1000.0, 0.02]])
    said = sentence(replace(measures, table=table))
    assert "above 20 ppm 20 %; longer than 4 days not known; longer than 120 h 1 %" in said
    assert "500.01 h a patient and month." in said


def test_a_wrong_name_is_refused(empty: dict[str, Answer]) -> None:
    """What stands in braces and is no column, parameter or result is named."""
    one = filled_with(empty["silences"], 1, [""])
    for says in ("{yes}", "{minutes by weight}", "{weight per minutes}", "[{nothing}]"):
        wrong = replace(one, question=replace(one.question, says=says))
        with pytest.raises(InvalidQuestion, match="which is no column and no parameter"):
            sentence(wrong)
