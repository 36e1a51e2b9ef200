"""Who looked: the name that is noted, how often, and what happens when it cannot be noted."""

import getpass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.view import View
from streams.board.looks import Seldom
from streams.journal.looked import looked, note_view, viewer
from streams.stores.open import open_store
from streams.stores.points import record_of

BEGINNING, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def test_who_it_was() -> None:
    """INOWATCH_USER says who looks; without it the machine's user does."""
    assert viewer({"INOWATCH_USER": "rn-3"}) == "rn-3"
    assert viewer({}) == getpass.getuser()


def test_a_look_holds_pseudonyms_only() -> None:
    """What is no pseudonym is left out, a name that is too long is cut, and nobody is unknown."""
    view = looked(" " + "x" * 300, "explain", {}, patient="*")
    assert (view.patient, len(view.by)) == ("", 256)
    assert looked("  ", "board", {}).by == "unknown"
    assert looked("a", "board", {}).id != looked("a", "board", {}).id


def test_without_kafka_the_store_has_it(tmp_path: Path) -> None:
    """A look at a copy of a store is noted in that copy."""
    address = f"sqlite:///{tmp_path}/store.db"
    store = open_store(address)
    env = {"INOWATCH_USER": "dr-7", "INOWATCH_STORE": "sqlite:elsewhere.db"}
    note_view("explain", patient="p-1", unit="nicu", store=address, env=env)
    [point] = store.read("view", BEGINNING, END)
    view = record_of(point)
    assert isinstance(view, View)
    assert (view.by, view.what, view.patient, view.unit) == ("dr-7", "explain", "p-1", "nicu")
    store.close()


@pytest.mark.parametrize(
    "env", [{"INOWATCH_STORE": "sqlite:///nowhere/none.db"}, {"INOWATCH_KAFKA": "no address"}]
)
def test_a_look_that_cannot_be_noted_is_told(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stderr, and the work goes on."""
    note_view("audit:no2", env=env | {"INOWATCH_USER": "dr-7"})
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("this look at audit:no2 by dr-7 could not be noted: ")
    assert told.err.count("\n") == 1


def test_a_screen_is_one_look_a_minute() -> None:
    """The page and what it loads are one look of one person; a minute later it is another."""
    now_s, told = [0.0], list[tuple[str, str]]()
    seldom = Seldom(lambda by, what: told.append((by, what)), lambda: now_s[0])
    for by in ("a", "a", "b", "a"):
        seldom(by, "board")
    assert told == [("a", "board"), ("b", "board")]
    now_s[0] = 59.9
    seldom("a", "board")
    now_s[0] = 60.0
    seldom("a", "board")
    assert told[2:] == [("a", "board")]


def test_names_that_somebody_makes_up_are_forgotten() -> None:
    """However many names are sent, a bounded number is remembered."""
    told = list[str]()
    seldom = Seldom(lambda by, _: told.append(by), lambda: 0.0)
    for number in range(10_001):
        seldom(f"name-{number}", "board")
    seldom("name-10000", "board")
    seldom("name-0", "board")
    assert told[10_000:] == ["name-10000", "name-0"]
