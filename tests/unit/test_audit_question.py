"""Question files: what their heads mean, and that every fault in one is named."""

from pathlib import Path

import pytest

from streams.audit.catalogue import UnknownQuestion, read_catalogue
from streams.audit.question import (
    InvalidQuestion,
    Parameter,
    Plot,
    filled,
    read_question,
    read_view,
    words_of,
)

FILE = """\
-- title: Dose over the limit
-- asks: How long was the dose above
--   the limit?
-- tables: telemetry, therapy
-- parameter: limit_ppm = 20.0 | the set dose above which minutes count (S0)
-- parameter: bucket = month | a stretch of time
-- plot: spc x=month y=over_pct n=courses
-- column: over_pct = Above {limit_ppm} ppm
-- says: {minutes} minutes.
-- n: courses
-- A comment for readers; $nobody is no parameter.
SELECT * FROM therapy WHERE ppm > $limit_ppm AND time >= $start -- $neither
    AND date_trunc($bucket, time) IS NOT NULL
"""


def test_a_head_is_read() -> None:
    """Every key is understood, and a line that goes on belongs to the one before."""
    question = read_question("dose", FILE)
    assert question.asks == "How long was the dose above the limit?"
    assert question.tables == ("telemetry", "therapy")
    assert question.parameters == (
        Parameter("limit_ppm", 20.0, "the set dose above which minutes count (S0)"),
        Parameter("bucket", "month", "a stretch of time"),
    )
    assert question.plots == (Plot("spc", "month", "over_pct", "courses"),)
    assert question.headings == {"over_pct": "Above {limit_ppm} ppm"}
    assert question.says == "{minutes} minutes."
    assert question.used == {"limit_ppm", "start", "bucket"}


@pytest.mark.parametrize(
    ("instead_of", "write", "said"),
    [
        ("-- title: Dose over the limit\n", "", "'title' 0 times"),
        ("-- n: courses", "-- n: courses\n-- n: rows", "'n' 2 times"),
        ("-- plot: spc", "-- colour: red\n-- plot: spc", "dose.sql:7: no key 'colour'"),
        ("limit_ppm = 20.0 | ", "limit_ppm = 20.0 ", "dose.sql:5: write 'parameter"),
        (" n=courses", "", "dose.sql:7: write 'plot"),
        ("-- says: {minutes} minutes.\n", "", "'says' 0 times"),
        ("over_pct = Above", "over_pct: Above", "dose.sql:8: write 'column"),
        ("plot: spc", "plot: pie", "dose.sql:7: write 'plot"),
        ("$limit_ppm", "$limit", "not both: limit, limit_ppm"),
    ],
)
def test_faults_are_named(instead_of: str, write: str, said: str) -> None:
    """A head that lacks or says something wrong is refused with its line and its fault."""
    with pytest.raises(InvalidQuestion, match=r"dose\.sql") as refused:
        read_question("dose", FILE.replace(instead_of, write, 1))
    assert said in str(refused.value)


def test_parameters_are_filled() -> None:
    """What was asked for stands in for the default; a number is a number, a word a word."""
    question = read_question("dose", FILE)
    assert filled(question, {}) == {"limit_ppm": 20.0, "bucket": "month"}
    asked = {"limit_ppm": "40", "bucket": "x'; DROP"}
    assert filled(question, asked) == {"limit_ppm": 40.0, "bucket": "x'; DROP"}
    with pytest.raises(ValueError, match="limit_ppm is a number, not 'much'"):
        filled(question, {"limit_ppm": "much"})
    with pytest.raises(ValueError, match="no parameter 'limit': it has bucket, limit_ppm"):
        filled(question, {"limit": "1"})


def _folder(path: Path, views: dict[str, str], question: str = FILE) -> Path:
    for name, text in {f"views/{name}": text for name, text in views.items()}.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / f"{name}.sql").write_text(text)
    (path / "questions").mkdir()
    (path / "questions/dose.sql").write_text(question)
    return path


def test_views_come_in_the_order_of_their_needs(tmp_path: Path) -> None:
    """A view is made after those that it needs, once; their raw tables are read too."""
    views = {
        "therapy": "-- tables: dose, given\nCREATE VIEW therapy AS SELECT 1",
        "dose": "-- tables: given, lab\nCREATE VIEW dose AS SELECT 1",
        "given": "CREATE VIEW given AS SELECT 1",
    }
    catalogue = read_catalogue(_folder(tmp_path, views))
    tables, made = catalogue.needs(catalogue.named("dose"))
    assert tables == ["lab", "telemetry"]
    assert [view.name for view in made] == ["given", "dose", "therapy"]


def test_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A question about a table that nobody keeps is refused when the folder is read."""
    with pytest.raises(InvalidQuestion, match=r"dose\.sql: there is no table or view 'therapy'"):
        read_catalogue(_folder(tmp_path, {}))


def test_views_that_need_one_another_are_named(tmp_path: Path) -> None:
    """A ring of views is refused with its members."""
    views = {
        "therapy": "-- tables: dose\nCREATE VIEW therapy AS SELECT 1",
        "dose": "-- tables: therapy\nCREATE VIEW dose AS SELECT 1",
    }
    catalogue = read_catalogue(_folder(tmp_path, views))
    with pytest.raises(InvalidQuestion, match="therapy -> dose -> therapy"):
        catalogue.needs(catalogue.named("dose"))


def test_near_names_are_offered() -> None:
    """A slip of the finger is answered with what was meant."""
    with pytest.raises(UnknownQuestion, match="did you mean first-methb"):
        read_catalogue().named("first-metb")
    with pytest.raises(UnknownQuestion, match="--list"):
        read_catalogue().named("zzz")


def test_words_of_sql_leave_comments_aside() -> None:
    """A column that only a comment speaks of is not read from the store."""
    assert words_of("SELECT set_ppm -- no_ppm\nFROM Telemetry") >= {"set_ppm", "telemetry"}
    assert "no_ppm" not in words_of("SELECT set_ppm -- no_ppm")


def test_a_view_says_its_tables_once() -> None:
    """None is none; twice is a fault."""
    assert read_view("v", "CREATE VIEW v AS SELECT 1").tables == ()
    with pytest.raises(InvalidQuestion, match=r"v\.sql"):
        read_view("v", "-- tables: lab\n-- tables: alert\nCREATE VIEW v AS SELECT 1")
