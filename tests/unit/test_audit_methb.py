"""Questions about methemoglobin: the first check, the intervals, high values."""

from pathlib import Path

import pytest

from tests.unit.audit_asked import asked, at, by_patient, context, did, lab, samples

SECOND = 1 / 3600


@pytest.mark.parametrize(
    ("collected", "word"),
    [
        ((4.0,), "in time"),
        ((8.0,), "in time"),
        ((4.0 - SECOND,), "early"),
        ((3.0, 8.0 + SECOND), "late"),
        ((8.0 + SECOND,), "late"),
        ((), "never"),
    ],
)
def test_the_first_check_is_judged_by_its_collection(
    tmp_path: Path, collected: tuple[float, ...], word: str
) -> None:
    """Exactly 4 h and exactly 8 h are in time, a second to either side is not."""
    records = [
        *samples("p", [(0, 20), (20, 0)], 20),
        *(lab("p", hour) for hour in collected),
        lab("other", 1),
    ]
    (row,) = asked(tmp_path, "first-methb", records)
    assert row["result"] == word


def test_a_check_resulted_late_is_in_time_and_a_cancelled_one_never_was(tmp_path: Path) -> None:
    """Collected at 7.5 h and resulted at 9 h is in time; of versions the newest counts."""
    start = [(0.0, 20.0), (20.0, 0.0)]
    patients = ("late", "gone", "moved", "kept")
    rows = asked(
        tmp_path,
        "first-methb",
        [
            *(one for patient in patients for one in samples(patient, start, 20, every_s=120)),
            lab("late", 7.5, resulted_h=9),
            lab("gone", 6, name="g"),
            lab("gone", 6, None, name="g", status="cancelled", resulted_h=7),
            # The amendment says that the blood was taken earlier than it seemed.
            lab("moved", 5, name="m"),
            lab("moved", 3, name="m", status="amended", resulted_h=9),
            lab("kept", 6, None, name="k", status="cancelled", resulted_h=7),
            lab("kept", 6, 1.2, name="k", status="amended", resulted_h=8),
        ],
    )
    assert by_patient(rows, "result", "collected_h") == {
        "late": ("in time", 7.5),
        "gone": ("never", None),
        "moved": ("early", 3.0),
        "kept": ("in time", 6.0),
    }
    late = next(row for row in rows if row["patient"] == "late")
    assert (late["resulted_h"], late["reason"]) == (
        9.0,
        "collected in time, resulted after the limit",
    )


def test_no_verdict_before_the_limit_nor_without_a_laboratory(tmp_path: Path) -> None:
    """Ended or looked at before 8 h, or no results of anybody: it cannot be said."""
    short = list(samples("short", [(0, 20), (6 - SECOND, 0)], 9))
    young = list(samples("young", [(2, 20)], 9))
    rows = asked(tmp_path / "a", "first-methb", [*short, *young, lab("other", 1)])
    assert by_patient(rows, "result", "reason") == {
        "short": ("indeterminate", "the course ended before the limit"),
        "young": ("indeterminate", "the limit has not come yet"),
    }
    (row,) = asked(tmp_path / "b", "first-methb", samples("p", [(0, 20), (20, 0)], 20))
    assert row["result"] == "indeterminate"
    assert "laboratory" in row["reason"]


def test_the_site_may_ask_for_another_window(tmp_path: Path) -> None:
    """The hours of the window are parameters."""
    records = [*samples("p", [(0, 20), (20, 0)], 20), lab("p", 7)]
    (row,) = asked(tmp_path, "first-methb", records, overdue_h=6)
    assert row["result"] == "late"


def test_intervals_run_from_the_first_check_on(tmp_path: Path) -> None:
    """24 h and a tenth between two checks are kept, a second more is not; nor is a long end."""
    rows = asked(
        tmp_path,
        "methb-intervals",
        [
            *(
                one
                for patient in ("kept", "late", "end", "none")
                for one in samples(patient, [(0, 20), (50, 0)], 50, every_s=120)
            ),
            *(lab("kept", hour) for hour in (5, 31.4)),
            *(lab("late", hour) for hour in (5, 31.4 + SECOND)),
            lab("end", 5),
            lab("none", 2),
        ],
    )
    assert by_patient(rows, "result", "longest_h", "its_limit_h") == {
        "kept": ("yes", 26.4, 26.4),
        "late": ("no", 26.4003, 26.4),
        "end": ("no", 45.0, 26.4),
        "none": ("indeterminate", None, None),
    }


def test_the_interval_is_halved_by_dose_value_and_donor(tmp_path: Path) -> None:
    """Above 20 ppm, from 2.5 % on and with another donor the next check is due in 13.2 h."""
    every = [
        one
        for patient in ("dose", "value", "donor", "plain")
        for one in samples(
            patient, [(0, 20.1 if patient == "dose" else 20), (25, 0)], 25, every_s=120
        )
    ]
    rows = asked(
        tmp_path,
        "methb-intervals",
        [
            *every,
            *(lab(patient, 5) for patient in ("dose", "donor", "plain")),
            lab("value", 5, 2.5),
            context("donor", 0, flags={"no_donor_drug": True}),
        ],
    )
    assert by_patient(rows, "result", "longest_h", "its_limit_h") == {
        "dose": ("no", 20.0, 13.2),
        "value": ("no", 20.0, 13.2),
        "donor": ("no", 20.0, 13.2),
        "plain": ("yes", 20.0, 26.4),
    }


def test_high_values_come_with_the_dose_at_that_time(tmp_path: Path) -> None:
    """0.031 with unit 1 is 3.1 %; below the limit is not listed; no result is said to be none."""
    rows = asked(
        tmp_path,
        "high-methb",
        [
            *samples("p", [(0, 20), (10, 10), (20, 0)], 20),
            lab("p", 6, 0.031, unit="1"),
            lab("p", 12, 7.0),
            lab("p", 13, 2.49),
            lab("p", 14, 5.0),
            lab("p", 14, 5.0, status="entered-in-error", resulted_h=16),
            *samples("q", [(0, 20), (3, 0)], 4),
        ],
    )
    told = [
        (row["patient"], row["result"], row["reason"], row["value_pct"], row["set_ppm"])
        for row in rows
    ]
    assert told == [
        ("p", "yes", "low", 3.1, 20.0),
        ("p", "yes", "high", 7.0, 10.0),
        ("q", "indeterminate", "no methemoglobin of this course is on record", None, None),
    ]
    assert rows[0]["collected_at"] == at(6)
    assert rows[0]["next_check_after_h"] == 6.0


def test_a_check_after_the_end_counts_for_two_hours(tmp_path: Path) -> None:
    """As long as the course might go on, and nobody closed it, a sample is of this course."""
    start = [(0.0, 20.0), (5.0, 0.0)]
    rows = asked(
        tmp_path,
        "first-methb",
        [
            *samples("in", start, 20),
            *samples("out", start, 20),
            *samples("closed", start, 20),
            lab("in", 7),
            lab("out", 7 + SECOND),
            lab("closed", 6.5),
            did("closed", 6, "close-course", reason="ecmo"),
        ],
    )
    assert by_patient(rows, "result", "reason") == {
        "in": ("in time", "collected in time"),
        "out": ("indeterminate", "the course ended before the limit"),
        "closed": ("indeterminate", "the course ended before the limit"),
    }


def test_a_course_is_open_for_two_hours_after_its_delivery(tmp_path: Path) -> None:
    """Stopped at 6 h and at 7 h it is open at 8 h: the check is missed, as the rule says."""
    records = [
        *samples("tie", [(0, 20), (6, 0)], 10),
        *samples("seven", [(0, 20), (7, 0)], 10),
        *samples("checked", [(0, 20), (7, 0)], 10),
        lab("checked", 8.5),
    ]
    rows = asked(tmp_path, "first-methb", records)
    assert by_patient(rows, "result") == {"tie": "never", "seven": "never", "checked": "late"}


def test_the_first_check_is_in_the_report_of_each_period_that_it_waits_in(tmp_path: Path) -> None:
    """Over midnight: not yet, then never; resulted after the report: never, then in time."""
    records = [
        *samples("missed", [(0, 20), (20, 0)], 24),
        *samples("result", [(0, 20), (20, 0)], 24),
        *samples("early", [(0, 20), (20, 0)], 24),
        lab("result", 7.5, resulted_h=9),
        lab("early", 5),
    ]

    def told(name: str, start_h: float, stop_h: float) -> dict[str, str]:
        rows = asked(tmp_path / name, "first-methb", records, start=at(start_h), stop=at(stop_h))
        return by_patient(rows, "result")

    first = {"missed": "indeterminate", "result": "indeterminate", "early": "in time"}
    assert told("a", 0, 6) == first
    assert told("b", 6, 8.5) == {"missed": "never", "result": "never", "early": "in time"}
    assert told("c", 8.5, 24) == {"result": "in time"}


def test_a_result_is_not_known_before_it_came(tmp_path: Path) -> None:
    """Asked up to 8.5 h, a value that an amendment of 9 h changed is the one from before."""
    records = [
        *samples("p", [(0, 20), (20, 0)], 20),
        lab("p", 6, 1.0, name="x", resulted_h=7),
        lab("p", 6, 6.0, name="x", status="amended", resulted_h=9),
    ]
    (then,) = asked(tmp_path / "a", "first-methb", records, stop=at(8.5))
    (now,) = asked(tmp_path / "b", "first-methb", records)
    assert (then["value_pct"], now["value_pct"]) == (1.0, 6.0)
    # The check itself was known at 7 h, whatever came of it later.
    assert now["reason"] == "collected in time"
    assert asked(tmp_path / "c", "high-methb", records, stop=at(8.5)) == []
    (high,) = asked(tmp_path / "d", "high-methb", records, start=at(8.5))
    assert (high["collected_at"], high["value_pct"]) == (at(6), 6.0)


def test_the_verdict_shows_in_the_hours(tmp_path: Path) -> None:
    """A second before 4 h is 3.9997 h, a second after 8 h is 8.0003 h."""
    records = [
        *samples("early", [(0, 20), (20, 0)], 20),
        *samples("late", [(0, 20), (20, 0)], 20),
        lab("early", 4 - SECOND),
        lab("late", 8 + SECOND),
    ]
    rows = asked(tmp_path, "first-methb", records)
    assert by_patient(rows, "collected_h") == {"early": 3.9997, "late": 8.0003}


def test_an_interval_is_judged_in_the_period_in_which_it_became_too_long(tmp_path: Path) -> None:
    """Checked at 5 h only: in the first day nothing is late, in the second it is, by 45 h."""
    records = [*samples("p", [(0, 20), (50, 0)], 50, every_s=120), lab("p", 5)]
    (first,) = asked(tmp_path / "a", "methb-intervals", records, stop=at(24))
    (second,) = asked(tmp_path / "b", "methb-intervals", records, start=at(24))
    assert (first["result"], first["longest_h"]) == ("yes", 18.9667)
    assert (second["result"], second["longest_h"]) == ("no", 45.0)
