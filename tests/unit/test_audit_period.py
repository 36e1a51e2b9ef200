"""Which period an answer is about, and that what was not known by its end changes nothing of it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.alert import Alert
from schemas.anchor import Anchor
from schemas.health import Health
from schemas.page import Page
from schemas.view import View
from streams.audit.answer import Answer
from streams.audit.engine import Asked, ask
from streams.audit.question import filled
from streams.stores.shapes import Record
from tests.unit.audit_asked import CATALOGUE, at, keep, lab, samples


def answer(path: Path, name: str, records: list[Record], **more: Any) -> Answer:
    """Ask with the question's own defaults."""
    question = CATALOGUE.named(name)
    store = keep(path, records)
    try:
        asked = Asked(question=question, parameters=filled(question, {}), **more)
        return ask(store, CATALOGUE, asked, lambda _: None)
    finally:
        store.close()


def told(patient: str, raised_h: float) -> list[Record]:
    """Make an alert that is raised, and the page of it two seconds later."""
    alert = Alert(
        id=f"{1:032x}",
        rule="set-dose-high",
        phase="raised",
        priority="medium",
        onset=at(raised_h),
        at=at(raised_h),
        patient=patient,
        unit="nicu-1",
        bed="1",
        device="d1",
        course=at(0),
        summary="high",
        value=30.0,
        limit=20.0,
        unit_of_measure="ppm",
        reason="above",
        profile="default",
        rules_version="1",
        source="label",
    )
    page = Page(
        time=at(raised_h + 2 / 3600),
        alert=alert.id,
        rule=alert.rule,
        phase="raised",
        priority="medium",
        at=alert.at,
        patient=patient,
        sink="webhook",
        attempt=1,
        outcome="delivered",
        reason="204",
    )
    return [alert, page]


def test_a_result_counts_from_when_it_was_known(tmp_path: Path) -> None:
    """Collected at 7 h, resulted at 9 h, asked as of 8.5 h: not yet known, as it was then.

    An amendment of 9 h is not known either; the value before it still stands.
    """
    records: list[Record] = [
        *samples("p-late", [(0, 20)], 12),
        lab("p-late", 7, 1.0, resulted_h=9),
        *samples("p-amended", [(0, 20)], 12, device="d2"),
        lab("p-amended", 7, 1.5, resulted_h=7.5, name="a"),
        lab("p-amended", 7, 4.0, resulted_h=9, name="a", status="amended"),
        # The moment of the end is not in the period.
        *samples("p-edge", [(0, 20)], 12, device="d3"),
        lab("p-edge", 7, 2.0, resulted_h=8.5),
    ]
    values = {}
    for hour in (8.5, 9.5):
        (tmp_path / str(hour)).mkdir()
        found = answer(tmp_path / str(hour), "first-methb", records, stop=at(hour))
        values[hour] = dict(zip(found.column("patient"), found.column("value_pct"), strict=True))
    assert values[8.5] == {"p-late": None, "p-amended": 1.5, "p-edge": None}
    assert values[9.5] == {"p-late": 1.0, "p-amended": 4.0, "p-edge": 2.0}


def test_a_later_history_changes_no_past_answer(tmp_path: Path) -> None:
    """Asked as of 8.5 h, the answer is that of a store that had nothing from 8.5 h on."""
    then: list[Record] = [*samples("p", [(0, 20)], 8.4), lab("p", 5, 1.0, resulted_h=8.4)]
    later: list[Record] = [lab("p", 5.5, 3.0, resulted_h=8.6), lab("p", 8, 3.0, resulted_h=9)]
    digests = set()
    for name, records in (("then", then), ("now", then + later)):
        (tmp_path / name).mkdir()
        for question in ("first-methb", "high-methb", "methb-intervals"):
            found = answer(tmp_path / name, question, records, start=at(0), stop=at(8.5))
            digests.add((question, found.head.sha256))
    assert len(digests) == 3


def test_an_open_end_is_the_end_of_the_whole_history(tmp_path: Path) -> None:
    """An alert of 8 h that nobody acknowledges while samples go on to 12 h is unacknowledged.

    The question reads alerts, pages and acts only, and its period is that of every question.
    """
    records = [*samples("p", [(0, 20)], 12), *told("p", 8)]
    assert answer(tmp_path, "alarm-performance", records).column("n_unacknowledged") == [1]
    periods = set[tuple[datetime | None, datetime | None]]()
    for name in ("alarm-performance", "courses", "told-nobody", "first-methb", "rejected"):
        head = answer(tmp_path, name, records).head
        periods.add((head.start, head.stop))
    ((start, stop),) = periods
    assert start == at(0)
    assert stop is not None
    assert 0 < (stop - at(12)).total_seconds() < 0.01


def test_to_ask_is_no_part_of_the_history(tmp_path: Path) -> None:
    """A look that is noted days later moves the end of no period but that of the question of looks.

    Nor does an anchor of the journal or a word of the watchdog. So asking twice gives the same
    answer.
    """
    records: list[Record] = list(samples("p", [(0, 20)], 12))
    before = answer(tmp_path, "blind-time", records)
    look = View(time=at(99), id="v", by="s1", what="audit:courses")
    anchor = Anchor(time=at(98), number=1, heads=(), prev="0" * 64, key_id="k", hash="1" * 64)
    word = Health(
        time=at(99),
        watcher="watchdog-0",
        well=True,
        faults=(),
        clock_s=0.5,
        roles={},
        sinks={},
        untold=0,
    )
    after = answer(tmp_path, "blind-time", [look, anchor, word])
    assert (after.head.stop, after.head.sha256) == (before.head.stop, before.head.sha256)
    assert answer(tmp_path, "looked", []).head.row_count == 1


@pytest.mark.parametrize(
    ("question", "others"),
    [("courses", ("east", "nicu-1")), ("alarm-performance", ("nicu-1",)), ("looked", ())],
)
def test_a_unit_that_is_not_there(tmp_path: Path, question: str, others: tuple[str, ...]) -> None:
    """Of a unit that nothing is known of, the answer names the units that there are.

    What somebody looked for is no unit for that; who looked for it is an answer.
    """
    look = View(time=at(1), id="v", by="s1", what="audit:courses", unit="nicu1")
    east = samples("p", [(0, 20)], 1, unit="east")
    records = [*east, *samples("q", [(0, 20)], 1, device="d2"), *told("q", 0.5), look]
    assert answer(tmp_path, question, records, unit="nicu1").other_units == others
    assert answer(tmp_path, question, [], unit="nicu-1").other_units == ()
    assert answer(tmp_path, question, []).other_units == ()
