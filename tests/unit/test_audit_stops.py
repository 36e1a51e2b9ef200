"""Questions about the end of delivery: graded stops and restarts."""

from pathlib import Path

import pytest

from tests.unit.audit_asked import Step, asked, at, by_patient, did, samples

SECOND = 1 / 3600
WEANED: list[Step] = [(0, 20), (4, 10), (8, 5), (12, 3), (16, 2), (20, 1), (24, 0)]


@pytest.mark.parametrize(
    ("steps", "grade"),
    [
        (WEANED, "weaned"),
        ([*WEANED[:-2], (20, 0)], "abrupt, medium"),
        ([(0, 20), (5, 0)], "abrupt, high"),
        ([(0, 5), (5, 0)], "abrupt, medium"),
        ([(0, 20), (4, 0)], "abrupt, high"),
        ([(0, 20), (4 - SECOND, 0)], "early"),
        # The dose before a stop is one that was held for 60 s.
        ([(0, 20), (5, 1), (5 + 59 * SECOND, 0)], "abrupt, high"),
        ([(0, 20), (5, 1), (5 + 60 * SECOND, 0)], "weaned"),
    ],
)
def test_stops_are_graded_by_dose_and_by_delivered_hours(
    tmp_path: Path, steps: list[Step], grade: str
) -> None:
    """From 1 ppm is weaned, before 4 h is early, from above 5 ppm is high."""
    (row,) = asked(tmp_path, "stops", samples("p", steps, steps[-1][0] + 3))
    assert row["grade"] == grade
    assert row["result"] == ("yes" if grade.startswith("abrupt") else "no")
    assert row["stopped_at"] == at(steps[-1][0])


def test_a_stop_tells_how_it_was_weaned(tmp_path: Path) -> None:
    """Five steps, the largest 10 ppm, 4 h each, down to 1 ppm; a correction is no step."""
    steps = [*WEANED[:2], (6, 8), (6 + 1 / 60, 10), *WEANED[2:]]
    (row,) = asked(tmp_path, "stops", samples("p", steps, 27))
    told = ("steps_down", "largest_step_ppm", "shortest_step_h", "lowest_ppm", "reached_floor")
    assert [row[name] for name in told] == [5, 10.0, 4.0, 1.0, "yes"]
    assert (row["delivered_h"], row["from_ppm"], row["coverage_pct"]) == (24.0, 1.0, 100.0)


def test_how_it_was_weaned_is_told_of_the_last_wean(tmp_path: Path) -> None:
    """Down to 1 ppm, back to 20, to 10 and off: the floor was not reached, one step was."""
    steps: list[Step] = [(0, 20), (2, 1), (3, 20), (6, 10), (9, 0)]
    (row,) = asked(tmp_path, "stops", samples("p", steps, 12))
    told = ("grade", "steps_down", "largest_step_ppm", "shortest_step_h", "reached_floor")
    assert [row[name] for name in told] == ["abrupt, high", 1, 10.0, 3.0, "no"]


def test_a_second_too_early_shows_in_the_hours(tmp_path: Path) -> None:
    """Delivered a second less than 4 h is early and reads 3.9997."""
    (row,) = asked(tmp_path, "stops", samples("p", [(0, 20), (4 - SECOND, 0)], 7))
    assert (row["grade"], row["delivered_h"]) == ("early", 3.9997)


def test_plans_reasons_and_blips_are_no_abrupt_stops(tmp_path: Path) -> None:
    """A plan of the last hour, a close with a reason and a pause under 30 s are told apart."""
    stop: list[Step] = [(0, 20), (6, 0)]
    blip: list[Step] = [(0, 20), (6, 0), (6 + 29 * SECOND, 20), (7, 0), (7 + 30 * SECOND, 20)]
    rows = asked(
        tmp_path,
        "stops",
        [
            *(
                one
                for name in ("planned", "old", "undone", "closed", "running")
                for one in samples(name, [(0, 20)] if name == "running" else stop, 9)
            ),
            *samples("blip", blip, 9),
            did("planned", 5, "plan-stop", reason="weaned"),
            did("old", 5 - SECOND, "plan-stop", reason="weaned"),
            did("undone", 5.5, "plan-stop", reason="weaned"),
            did("undone", 5.7, "resume"),
            did("closed", 6 + 10 * SECOND, "close-course", reason="ecmo"),
            did("running", 7.5, "close-course", reason="died"),
        ],
    )
    grades = [(row["patient"], row["grade"]) for row in rows]
    assert sorted(grades) == [
        ("blip", "abrupt, high"),
        ("blip", "interruption"),
        ("closed", "closed with a reason"),
        ("old", "abrupt, high"),
        ("planned", "planned"),
        ("running", "closed while delivering"),
        ("undone", "abrupt, high"),
    ]


def test_what_nobody_saw_is_not_graded(tmp_path: Path) -> None:
    """A silence that ends with off, and backup before the end: how it stopped is not known."""
    rows = asked(
        tmp_path,
        "stops",
        [
            *samples("silent", [(0, 20), (6, 0)], 9, silent=[(5.5, 6)]),
            *samples("backup", [(0, 20)], 5),
            *samples("backup", [(5 + 1 / 60, 20)], 6, mode="backup"),
            *samples("backup", [(6 + 1 / 60, 0)], 9),
        ],
    )
    assert by_patient(rows, "result", "reason", "unseen_min") == {
        "silent": ("indeterminate", "nobody saw how it stopped: a silence before it", 30.0),
        "backup": ("indeterminate", "the dose before the stop is not known", None),
    }


def test_the_floor_is_the_sites_own(tmp_path: Path) -> None:
    """A unit that stops from 2 ppm asks with its own floor."""
    steps = [*WEANED[:-2], (20.0, 0.0)]
    (row,) = asked(tmp_path, "stops", samples("p", steps, 23), floor_ppm=2)
    assert (row["grade"], row["reached_floor"]) == ("weaned", "yes")


def test_a_restart_is_in_the_report_in_which_it_came(tmp_path: Path) -> None:
    """Stopped before midnight, on after it: not known in the first report, soon in the second."""
    records = [
        *samples("p", [(0, 20), (5, 0), (5.5, 10)], 40, every_s=120),
        *samples("q", [(0, 20), (5, 0)], 40, every_s=120),
    ]

    def told(name: str, start_h: float, stop_h: float) -> dict[str, str]:
        rows = asked(tmp_path / name, "restarts", records, start=at(start_h), stop=at(stop_h))
        return by_patient(rows, "reason")

    unknown = "the record ends less than a day later"
    assert told("a", 0, 5.25) == {"p": unknown, "q": unknown}
    assert told("b", 5.25, 36) == {"p": "soon", "q": "not within the day"}
    assert told("c", 36, 40) == {}


def test_restarts_are_counted_by_how_soon_they_come(tmp_path: Path) -> None:
    """After 1 h, 6 h and a day; what cannot be known any more is indeterminate."""

    def again(name: str, after_h: float) -> list[Step]:
        return [(0, 20), (5, 0), (5 + after_h, 10), (80, 0)]

    rows = asked(
        tmp_path,
        "restarts",
        [
            *samples("a", again("a", 1), 80.5, every_s=120),
            *samples("b", again("b", 6), 80.5, every_s=120),
            *samples("c", again("c", 24), 80.5, every_s=120),
            *samples("d", again("d", 24 + SECOND), 80.5, every_s=120),
            *samples("gone", [(0, 20), (5, 0)], 5.5, every_s=120),
            did("gone", 5.4, "close-course", reason="transferred"),
        ],
        stop=at(81),
    )
    first = [row for row in rows if row["stopped_at"] == at(5)]
    assert by_patient(first, "result", "reason", "after_h") == {
        "a": ("yes", "soon", 1.0),
        "b": ("yes", "some hours later", 6.0),
        "c": ("yes", "within the day", 24.0),
        "d": ("no", "not within the day", 24.0),
        "gone": ("indeterminate", "the course was closed as transferred", None),
    }
    last = [row for row in rows if row["stopped_at"] == at(80)]
    assert {row["reason"] for row in last} == {"the record ends less than a day later"}
    assert {row["last_ppm"] for row in last} == {10.0}
