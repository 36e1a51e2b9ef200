"""Questions about dose and length: above 20 ppm, long courses, past 14 days, measures, hours."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.alert import Alert
from schemas.telemetry import Telemetry
from tests.unit.audit_asked import START, asked, at, by_patient, context, did, samples

SECOND = 1 / 3600
DAY_H = 24.0


def raised(patient: str, hour: float, name: str) -> Alert:
    """The alert that a dose was too high, of a course from the start on."""
    return Alert(
        id=name, rule="set-dose-high", phase="raised", priority="medium", onset=at(hour),
        at=at(hour) + timedelta(seconds=10), patient=patient, unit="nicu-1", bed="1", device="d1",
        course=START, summary="", value=25.0, limit=20.0, unit_of_measure="ppm",
        reason="over-limit", profile="default", rules_version="3", source="S0",
    )  # fmt: skip


def test_minutes_and_area_over_20_ppm(tmp_path: Path) -> None:
    """30 min at 25 and 15 min at 40 ppm are 45 min and 5 x 30 + 20 x 15 ppm min; 20.0 is not."""
    rows = asked(
        tmp_path,
        "dose-over-20",
        [
            *samples("over", [(0, 20), (2, 25), (2.5, 20), (4, 40), (4.25, 20), (10, 0)], 10),
            *samples("just", [(0, 20.0), (10, 0)], 10),
            raised("over", 2, "a1"),
            did("over", 2.1, "acknowledge", alert="a1"),
            context(
                "over",
                dose_order={
                    "max_set_ppm": 40.0, "until": at(6), "by": "dr", "reason": "rescue",
                },
            ),
        ],
    )  # fmt: skip
    assert by_patient(rows, "result", "episodes", "over_min", "area_ppm_min", "max_ppm") == {
        "over": ("yes", 2, 45.0, 450.0, 40.0),
        "just": ("no", 0, 0.0, 0.0, 20.0),
    }
    over = next(row for row in rows if row["patient"] == "over")
    assert (over["ordered_by"], over["acknowledged_by"], over["first_at"]) == ("dr", "s1", at(2))


def test_no_is_not_said_of_what_nobody_saw(tmp_path: Path) -> None:
    """Backup delivery and long silences leave it open; 90 % of the course are enough."""
    rows = asked(
        tmp_path,
        "dose-over-20",
        [
            *samples("backup", [(0, 20)], 1),
            *samples("backup", [(1 + 1 / 60, 20)], 2, mode="backup"),
            *samples("blind", [(0, 20), (10, 0)], 10, silent=[(4, 5.1)]),
            *samples("enough", [(0, 20), (10, 0)], 10, silent=[(4, 5)]),
            # Over the limit on both sides of a silence: an hour of it is unseen.
            *samples("both", [(0, 25), (4, 0)], 4, silent=[(1, 2)]),
        ],
    )
    assert by_patient(rows, "result", "over_min", "unseen_over_min", "unknown_dose_min") == {
        "backup": ("indeterminate", 0.0, 0.0, 59.0),
        "blind": ("indeterminate", 0.0, 0.0, 0.0),
        "enough": ("no", 0.0, 0.0, 0.0),
        "both": ("yes", 240.0, 60.0, 0.0),
    }


def test_long_courses_are_longer_than_4_days_or_120_hours(tmp_path: Path) -> None:
    """Exactly 96 h and exactly 120 h are not; what still runs below them cannot be said."""
    rows = asked(
        tmp_path,
        "long-courses",
        [
            *samples("a", [(0, 5), (96, 0)], 96, every_s=120),
            *samples("b", [(0, 5), (96 + SECOND, 0)], 97, every_s=120),
            *samples("c", [(0, 5), (120, 0)], 120, every_s=120),
            *samples("d", [(0, 5), (120 + SECOND, 0)], 120.1, every_s=120),
            *samples("e", [(100, 5)], 120.1, every_s=120),
        ],
    )
    assert by_patient(rows, "over_4_days", "result") == {
        "a": ("no", "no"),
        "b": ("yes", "no"),
        "c": ("yes", "no"),
        "d": ("yes", "yes"),
        "e": ("indeterminate", "indeterminate"),
    }


@pytest.mark.parametrize(
    ("end_h", "reviewed_h", "result", "reviewed"),
    [
        (336.0, None, "no", "not needed"),
        (336.0 + SECOND, None, "yes", "no"),
        # From before the limit it says nothing; two hours after the stop the course is still open.
        (340.0, 335.0, "yes", "no"),
        (337.0, 338.0, "yes", "yes"),
        (337.0, 339.0 + SECOND, "yes", "no"),
        (370.0, 360.0, "yes", "yes"),
        (370.0, 360.0 + SECOND, "yes", "late"),
    ],
)
def test_a_course_of_exactly_336_h_is_not_past_14_days(
    tmp_path: Path, end_h: float, reviewed_h: float | None, result: str, reviewed: str
) -> None:
    """One second more is; a review within 24 h after that is in time."""
    acts = [
        did("p", hour, "review", rule="course-over-14-days", reason="go on")
        for hour in (reviewed_h,)
        if hour is not None
    ]
    story = [(0.0, 5.0), (end_h, 0.0)]
    samples_ = samples("p", story, end_h + 3, every_s=120)
    (row,) = asked(tmp_path, "over-14-days", [*samples_, *acts])
    assert (row["result"], row["reviewed"]) == (result, reviewed)


def test_delivered_hours_over_all_courses_count_too(tmp_path: Path) -> None:
    """Two courses of 170 h, 3 h apart, are past 14 days by the hours; silence leaves it open."""
    rows = asked(
        tmp_path,
        "over-14-days",
        [
            *samples("twice", [(0, 5), (170, 0), (173, 5), (343, 0)], 343, every_s=120),
            *samples("silent", [(0, 5)], 300, every_s=120),
            *samples("other", [(342, 5)], 344, every_s=120),
        ],
    )
    told = [(row["patient"], row["result"], row["reason"]) for row in rows]
    assert told == [
        ("silent", "indeterminate", "nobody saw it past the limit"),
        ("twice", "yes", "by delivered hours over all courses"),
    ]
    assert rows[1]["earlier_delivered_h"] == 170.0


def test_a_review_is_in_time_by_the_clock_that_was_first(tmp_path: Path) -> None:
    """168 h, 3 h off, 200 h: delivered 336 h at 339 h. Reviewed 31 h later is late, 24 h is not."""
    story = [(0.0, 5.0), (168.0, 0.0), (171.0, 5.0), (371.0, 0.0)]
    rows = asked(
        tmp_path,
        "over-14-days",
        [
            *samples("late", story, 374, every_s=120),
            *samples("kept", story, 374, every_s=120),
            did("late", 370, "review", rule="course-over-14-days", reason="go on"),
            did("kept", 363, "review", rule="course-over-14-days", reason="go on"),
        ],
    )
    assert by_patient(rows, "result", "past_at", "reviewed", "reviews") == {
        "late": ("yes", at(339), "late", 1),
        "kept": ("yes", at(339), "yes", 1),
    }


def test_a_dose_is_in_the_report_of_the_period_in_which_it_was_given(tmp_path: Path) -> None:
    """30 ppm from 6 h to 7 h, reported 0 to 5, 5 to 6.5, 6.5 to 9: none, 30 min, 30 min."""
    records = list(samples("p", [(0, 20), (6, 30), (7, 20), (10, 0)], 10))

    def told(name: str, start_h: float, stop_h: float) -> list[Any]:
        (row,) = asked(tmp_path / name, "dose-over-20", records, start=at(start_h), stop=at(stop_h))
        return [row[key] for key in ("result", "episodes", "over_min", "first_at", "coverage_pct")]

    assert told("a", 0, 5) == ["no", 0, 0.0, None, 100.0]
    assert told("b", 5, 6.5) == ["yes", 1, 29.0, at(6), 100.0]
    assert told("c", 6.5, 9) == ["yes", 1, 30.0, at(6.5), 100.0]
    assert asked(tmp_path / "d", "dose-over-20", records, start=at(10.5), stop=at(12)) == []


def test_an_order_excuses_what_it_orders_while_it_is_in_force(tmp_path: Path) -> None:
    """By its height, from its record to its end, and up to the one that takes its place."""

    def order(patient: str, hour: float, ppm: float, until_h: float, by: str = "dr") -> Any:
        said = {"max_set_ppm": ppm, "until": at(until_h), "by": by, "reason": "rescue"}
        return context(patient, hour, dose_order=said)

    hour_at_30: list[tuple[float, float]] = [(0, 20), (3, 30), (4, 20), (5, 0)]
    rows = asked(
        tmp_path,
        "dose-over-20",
        [
            *(
                one
                for name in ("all", "low", "over", "half", "later", "lowered")
                for one in samples(name, hour_at_30, 8)
            ),
            order("all", 0, 30, 5),
            order("low", 0, 22, 5),
            order("over", 0, 30, 1),
            order("half", 0, 30, 3.5),
            order("later", 3.75, 40, 5),
            order("lowered", 0, 30, 5, "dr-1"),
            order("lowered", 3.25, 25, 5, "dr-2"),
        ],
    )
    assert by_patient(rows, "over_min", "beyond_order_min", "ordered_by", "reason") == {
        "all": (60.0, 0.0, "dr", "all of it as ordered"),
        "low": (60.0, 60.0, None, "without an order for that dose"),
        "over": (60.0, 60.0, None, "without an order for that dose"),
        "half": (60.0, 30.0, "dr", "a part of it beyond any order"),
        "later": (60.0, 45.0, "dr", "a part of it beyond any order"),
        "lowered": (60.0, 45.0, "dr-1", "a part of it beyond any order"),
    }


def test_a_dose_that_is_not_said_is_unknown_after_a_minute(tmp_path: Path) -> None:
    """Three hours of delivery without a dose cannot be judged; one sample without it can."""

    def unsaid(patient: str, from_h: float, to_h: float) -> list[Telemetry]:
        return [
            replace(one, set_ppm=None)
            if at(from_h) <= one.time < at(to_h) and one.mode == "delivering"
            else one
            for one in samples(patient, [(0, 20), (5, 0)], 8)
        ]

    rows = asked(
        tmp_path,
        "dose-over-20",
        [*unsaid("hours", 2, 5), *unsaid("once", 2, 2 + 1 / 60), *unsaid("twice", 2, 2 + 2 / 60)],
    )
    assert by_patient(rows, "result", "unknown_dose_min", "max_ppm") == {
        "hours": ("indeterminate", 180.0, 20.0),
        "once": ("no", 0.0, 20.0),
        "twice": ("indeterminate", 2.0, 20.0),
    }


def test_measures_leave_out_what_cannot_be_judged_and_go_by_the_month(tmp_path: Path) -> None:
    """Backup is in no share; of a course over a month's end each month has what happened in it."""
    # START is 1 March: 744 h later it is April.
    rows = asked(
        tmp_path,
        "measures",
        [
            *samples("backup", [(0, 20)], 1),
            *samples("backup", [(1 + 1 / 60, 20)], 2, mode="backup"),
            *samples("backup", [(2 + 1 / 60, 0)], 5),
            *samples("both", [(700, 20), (750, 30), (800, 20), (830, 0)], 840, every_s=120),
        ],
    )
    shares = {
        row["month"]: tuple(
            row[key]
            for key in ("courses", "over_20_pct", "over_20_n", "over_4_days_n", "over_120_h_pct")
        )
        for row in rows
    }
    # In March the long one is not above 20 ppm yet and neither long nor over.
    assert shares == {"2026-03": (2, 0.0, 1, 1, 0.0), "2026-04": (1, 100.0, 1, 1, 100.0)}
    assert [row["delivered_h"] for row in rows] == [46.02, 86.0]


def test_delayed_weaning_of_a_period_counts_from_where_it_began(tmp_path: Path) -> None:
    """10 h to midnight and 6 h more are 16 h in the second report, and no delay in the first."""
    little: dict[str, Any] = {"fio2_pct": 40.0}
    records = list(samples("p", [(0, 20), (16, 10), (20, 0)], 24, every_s=120, **little))
    (first,) = asked(tmp_path / "a", "delayed-wean", records, stop=at(10))
    (second,) = asked(tmp_path / "b", "delayed-wean", records, start=at(10))
    assert (first["result"], second["result"]) == ("no", "yes")
    assert (second["longest_h"], second["since"]) == (16, START)


def test_measures_are_shares_of_what_can_be_said(tmp_path: Path) -> None:
    """Four courses: one over 20 ppm, two over 4 days, one over 120 h, one of two weaned late."""
    late: dict[str, Any] = {"fio2_pct": 40.0}
    early: dict[str, Any] = {"fio2_pct": 60.0}
    rows = asked(
        tmp_path,
        "measures",
        [
            *samples("a", [(0, 25), (10, 10), (20, 0)], 24, every_s=120, **late),
            *samples("b", [(0, 20), (90, 10), (100, 0)], 104, every_s=120, **early),
            *samples("c", [(0, 20), (130, 0)], 134, every_s=120),
            *samples("d", [(120, 20)], 134, every_s=120),
        ],
    )
    (row,) = rows
    shares = {key: value for key, value in row.items() if key.endswith(("_pct", "_n"))}
    assert shares == {
        "over_20_pct": 25.0, "over_20_n": 4,
        # d has run for 14 h: it may become long.
        "over_4_days_pct": 66.7, "over_4_days_n": 3,
        "over_120_h_pct": 33.3, "over_120_h_n": 3,
        # c never weaned, d has not yet.
        "very_delayed_wean_pct": 50.0, "very_delayed_wean_n": 2,
        "coverage_pct": 100.0,
    }  # fmt: skip
    assert (row["courses"], row["patients"], row["still_running"]) == (4, 4, 1)
    assert (row["delivered_h"], row["hours_per_patient"]) == (264.0, 66.0)
    assert row["median_days"] == round(100 / 24, 3)


def test_measures_without_any_reading_are_unknown(tmp_path: Path) -> None:
    """Where no course can be counted the share is no number, not 0."""
    (row,) = asked(tmp_path, "measures", samples("p", [(0, 20)], 2))
    assert (row["very_delayed_wean_pct"], row["very_delayed_wean_n"]) == (None, 0)
    assert (row["over_4_days_pct"], row["over_4_days_n"]) == (None, 0)


def test_hours_go_to_the_month_and_the_unit_in_which_they_were_given(tmp_path: Path) -> None:
    """A course over the end of a month, and moved to another unit, is parted."""
    end_of_march_h = 31 * DAY_H
    rows = asked(
        tmp_path,
        "hours-by-unit",
        [
            *samples("p", [(end_of_march_h - 4, 20)], end_of_march_h + 1),
            *samples("p", [(end_of_march_h + 1 + 1 / 60, 20)], end_of_march_h + 3, unit="picu"),
            # An hour of it unseen.
            *samples("q", [(0, 20), (5, 0)], 5, silent=[(1, 2)]),
        ],
    )
    told = [(row["month"], row["unit"], row["patients"], row["delivered_h"]) for row in rows]
    assert told == [
        ("2026-03", "nicu-1", 2, 9.0),
        ("2026-04", "nicu-1", 1, 1.017),
        ("2026-04", "picu", 1, 1.983),
    ]
    assert (rows[0]["cost_usd"], rows[0]["unseen_h"], rows[0]["coverage_pct"]) == (
        1035.0,
        1.0,
        88.9,
    )


def test_delayed_weaning_is_little_oxygen_and_an_unchanged_dose(tmp_path: Path) -> None:
    """12 h are allowed, 13 are not; at 1 ppm only the stop is left; no FiO2 is no answer."""
    little: dict[str, Any] = {"fio2_pct": 40.0}
    more: dict[str, Any] = {"fio2_pct": 40.1}
    rows = asked(
        tmp_path,
        "delayed-wean",
        [
            *samples("late", [(0, 20), (13, 10), (16, 0)], 17, **little),
            *samples("kept", [(0, 20), (12, 10), (16, 0)], 17, **little),
            *samples("more", [(0, 20), (20, 0)], 21, **more),
            *samples("floor", [(0, 1), (20, 0)], 21, **little),
            *samples("unknown", [(0, 20), (20, 0)], 21),
        ],
    )
    assert by_patient(rows, "result", "longest_h", "at_ppm") == {
        "late": ("yes", 13, 20.0),
        "kept": ("no", 12, 20.0),
        "more": ("no", 0, None),
        "floor": ("no", 0, None),
        "unknown": ("indeterminate", 0, None),
    }
