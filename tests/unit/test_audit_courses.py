"""The courses that questions list, and the numbers that they are told apart by."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.profile_book import load_profile
from schemas.telemetry import Telemetry
from tests.unit.audit_asked import (
    CATALOGUE,
    START,
    asked,
    at,
    by_patient,
    context,
    did,
    samples,
    views_of,
)

HOUR = timedelta(hours=1)


def test_the_numbers_are_those_of_the_default_profile() -> None:
    """What a course and a stop are told apart by stands in the profile, and here the same."""
    limits = load_profile("default")
    with views_of("courses", []) as con:
        row = con.execute("SELECT * FROM limits").fetchone()
        found = dict(zip((name for name, *_ in con.description or ()), row or (), strict=True))
    assert found == {
        "gap_us": limits.telemetry_lost.low // timedelta(microseconds=1),
        "interruption_us": limits.course.interruption // timedelta(microseconds=1),
        "either_order_us": limits.course.either_order // timedelta(microseconds=1),
        "dose_held_us": limits.abrupt_stop.dose_held // timedelta(microseconds=1),
        "correction_us": limits.fast_wean.correction // timedelta(microseconds=1),
        "hour_us": HOUR // timedelta(microseconds=1),
    }


NUMBERS = {
    "first-methb": {
        "due_h": "methb_first.due",
        "overdue_h": "methb_first.overdue",
    },
    "methb-intervals": {
        "due_h": "methb_first.due",
        "interval_h": "methb_repeat.interval",
        "short_interval_h": "methb_repeat.short_interval",
        "limit_ppm": "set_dose_high.limit_ppm",
        "value_pct": "methb_repeat.value_pct",
    },
    "high-methb": {
        "limit_pct": "methb_high.low_pct",
        "medium_pct": "methb_high.medium_pct",
        "high_pct": "methb_high.high_pct",
    },
    "dose-over-20": {"limit_ppm": "set_dose_high.limit_ppm"},
    "stops": {
        "floor_ppm": "abrupt_stop.floor_ppm",
        "high_ppm": "abrupt_stop.high_ppm",
        "after_h": "abrupt_stop.after",
        "hold_s": "abrupt_stop.hold",
        "plan_min": "abrupt_stop.plan",
    },
    "over-14-days": {
        "near_h": "course_14_days.near",
        "over_h": "course_14_days.over",
        "review_h": "course_14_days.again",
    },
    "response-72h": {
        "after_h": "no_response_72h.after",
        "spo2_points": "no_response_72h.spo2_points",
        "fio2_points": "no_response_72h.fio2_points",
        "hold_min": "no_response_72h.hold",
    },
    "no2": {
        "low_ppm": "no2_high.low_ppm",
        "low_min": "no2_high.low_hold",
        "medium_ppm": "no2_high.medium_ppm",
        "medium_min": "no2_high.medium_hold",
        "high_ppm": "no2_high.high_ppm",
        "high_min": "no2_high.high_hold",
        "gap_s": "telemetry_lost.low",
    },
}
"""Parameters of questions that are numbers of a profile."""
LENGTHS = {"h": HOUR, "min": HOUR / 60, "s": HOUR / 3600}


@pytest.mark.parametrize("name", NUMBERS)
def test_questions_ask_by_the_numbers_that_the_rules_judge_by(name: str) -> None:
    """Where nobody asks otherwise, a question and its rule have the same limits."""
    limits = load_profile("default")
    defaults = {one.name: one.default for one in CATALOGUE.named(name).parameters}
    for parameter, where in NUMBERS[name].items():
        section, key = where.split(".")
        number = getattr(getattr(limits, section), key)
        if isinstance(number, timedelta):
            number /= LENGTHS[parameter.rpartition("_")[2]]
        assert defaults[parameter] == number, parameter


def test_an_interruption_of_two_hours_goes_on_and_a_longer_one_does_not(tmp_path: Path) -> None:
    """Exactly 2 h continue the course, a second more begins another, which keeps the hours."""
    second = 1 / 3600
    rows = asked(
        tmp_path,
        "courses",
        [
            *samples("same", [(0, 20), (3, 0), (5, 20)], 6),
            *samples("new", [(0, 20), (3, 0), (5 + second, 20)], 6),
        ],
    )
    told = [
        (row["patient"], row["start"], row["interruptions"], row["delivered_h"])
        for row in sorted(rows, key=lambda row: (row["patient"], row["start"]))
    ]
    assert told == [
        ("new", START, 0, 3.0),
        ("new", at(5 + second), 0, 1.0),
        ("same", START, 1, 4.0),
    ]
    assert [row["earlier_delivered_h"] for row in rows if row["patient"] == "new"] == [0.0, 3.0]


def test_a_silence_between_delivery_counts_as_delivered_and_lowers_the_coverage(
    tmp_path: Path,
) -> None:
    """10 h with 1 h of silence are 10 h delivered, of which 90 % were seen."""
    rows = asked(
        tmp_path,
        "courses",
        [
            *samples("gap", [(0, 20), (10, 0)], 10, silent=[(4, 5)]),
            # Silent up to the word that it is off: delivered as far as it was seen.
            *samples("off", [(0, 20), (5, 0)], 10, silent=[(4, 5)]),
        ],
    )
    assert by_patient(rows, "delivered_h", "elapsed_h", "coverage_pct") == {
        "gap": (10.0, 10.0, 90.0),
        "off": (4.0, 5.0, 80.0),
    }


def test_two_devices_at_a_hand_over_are_one_course_at_the_higher_dose(tmp_path: Path) -> None:
    """Both deliver for half an hour: no stop, hours counted once, doses not added."""
    rows = asked(
        tmp_path,
        "courses",
        [
            *samples("p", [(0, 20), (5, 0)], 6, device="own"),
            *samples("p", [(4.5, 10), (9, 0)], 9, device="transport"),
        ],
    )
    assert len(rows) == 1
    (row,) = rows
    assert (row["elapsed_h"], row["delivered_h"], row["interruptions"]) == (9.0, 9.0, 0)
    # Five hours at 20 ppm and four at 10.
    assert (row["max_ppm"], row["mean_ppm"]) == (20.0, 15.556)


def test_test_samples_make_no_course_and_the_end_says_why(tmp_path: Path) -> None:
    """Only real samples count; a course ends by a person, by itself, or not yet."""
    test = [
        Telemetry(**{**_sample_fields(one), "generation": "test"})
        for one in samples("test", [(0, 20)], 1)
    ]
    rows = asked(
        tmp_path,
        "courses",
        [
            *test,
            *samples("closed", [(0, 20), (3, 0)], 4),
            did("closed", 3.5, "close-course", reason="transferred"),
            *samples("lapsed", [(0, 20), (3, 0)], 4),
            *samples("paused", [(0, 20), (5.5, 0)], 6),
            *samples("running", [(0, 20)], 6),
            context("running", indication="hrf-pphn"),
        ],
    )
    assert by_patient(rows, "ended_by", "stop", "indication") == {
        "closed": ("transferred", at(3), None),
        "lapsed": ("lapsed", at(3), None),
        "paused": ("paused", at(5.5), None),
        "running": ("running", None, "hrf-pphn"),
    }


def _sample_fields(sample: Telemetry) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in sample.__struct_fields__}


def test_a_course_belongs_to_every_period_in_which_it_ran(tmp_path: Path) -> None:
    """The end of the period is excluded, its start is not, and what comes later changes nothing."""
    records = list(samples("p", [(1, 20), (3, 0)], 6))
    begins = asked(tmp_path / "a", "courses", records, start=at(1), stop=at(2))
    assert [(row["start"], row["ended_by"]) for row in begins] == [(at(1), "running")]
    assert asked(tmp_path / "b", "courses", records, start=at(0), stop=at(1)) == []
    assert asked(tmp_path / "c", "courses", records, start=at(1), stop=at(9), unit="x") == []
    (goes_on,) = asked(tmp_path / "d", "courses", records, start=at(2.5), stop=at(9))
    assert (goes_on["start"], goes_on["stop"]) == (at(1), at(3))
    assert asked(tmp_path / "e", "courses", records, start=at(3), stop=at(9)) == []


def test_a_course_counts_for_every_unit_in_which_it_ran(tmp_path: Path) -> None:
    """Moved from west to east, where it is given 30 ppm: both units have it in their answer."""
    records = [
        *samples("moved", [(0, 20)], 2, unit="west"),
        *samples("moved", [(2 + 1 / 60, 30), (5, 0)], 8, unit="east"),
        *samples("stays", [(0, 20), (5, 0)], 8, unit="west"),
    ]
    for unit, patients in (("west", {"moved", "stays"}), ("east", {"moved"}), ("x", set())):
        for name in ("courses", "dose-over-20", "stops", "first-methb", "measures"):
            rows = asked(tmp_path / f"{unit}-{name}", name, records, unit=unit)
            if name == "measures":
                assert sum(row["patients"] for row in rows) == len(patients)
            else:
                assert {row["patient"] for row in rows} == patients
    rows = asked(tmp_path / "all", "courses", records)
    assert by_patient(rows, "unit", "units") == {
        "moved": ("west", "east, west"),
        "stays": ("west", "west"),
    }


def test_doses_follow_one_another(tmp_path: Path) -> None:
    """A dose stands until the next one, a calibration between them changes nothing."""
    records = [
        *samples("p", [(0, 20)], 2),
        *samples("p", [(2 + 1 / 60, 20)], 2.1, mode="calibrating"),
        *samples("p", [(2.2, 20), (3, 10), (4, 0)], 4),
    ]
    with views_of("stops", records) as con:
        rows = con.execute(
            "SELECT begin_us, until_us, dose_ppm, held, settled, final FROM dose ORDER BY begin_us"
        ).fetchall()
    assert [row[2:] for row in rows] == [(20.0, True, True, False), (10.0, True, True, True)]
    assert all(one[1] == other[0] for one, other in pairwise(rows))
