"""Questions about what was measured: NO2, the response in 72 hours, blind time."""

from pathlib import Path
from typing import Any

import pytest

from schemas.telemetry import Telemetry
from tests.unit.audit_asked import asked, at, by_patient, context, samples

MINUTE = 1 / 60


def with_no2(patient: str, ppm: float, minutes: int) -> list[Telemetry]:
    """Five hours at 0.1 ppm NO2, and at ``ppm`` for so many minutes from the second hour on."""
    high: dict[str, Any] = {"no2_ppm": ppm}
    low: dict[str, Any] = {"no2_ppm": 0.1}
    stop_h = 2 + minutes * MINUTE
    return [
        *samples(patient, [(0, 20)], 2 - MINUTE, **low),
        *samples(patient, [(2, 20)], stop_h - MINUTE, **high),
        *samples(patient, [(stop_h, 20), (5, 0)], 6, **low),
    ]


@pytest.mark.parametrize(
    ("ppm", "minutes", "result", "reason"),
    [
        (0.5, 10, "yes", "low limit"),
        (0.5, 9, "no", "above a limit, but shorter than its hold time"),
        (0.49, 60, "no", "always below"),
        (1.0, 5, "yes", "medium limit"),
        (1.0, 4, "no", "above a limit, but shorter than its hold time"),
        (2.0, 1, "yes", "high limit"),
    ],
)
def test_no2_counts_when_it_is_held(
    tmp_path: Path, ppm: float, minutes: int, result: str, reason: str
) -> None:
    """At or above a limit, as long as its hold time: both bounds belong to it."""
    (row,) = asked(tmp_path, "no2", with_no2("p", ppm, minutes))
    assert (row["result"], row["reason"], row["max_ppm"]) == (result, reason, ppm)
    assert row["low_min"] == (minutes if ppm >= 0.5 else 0)
    assert row["longest_min"] == row["low_min"]


def test_no2_that_was_not_measured_is_no_no(tmp_path: Path) -> None:
    """Without readings, or with few, it cannot be said that NO2 was low."""
    rows = asked(
        tmp_path,
        "no2",
        [
            *samples("none", [(0, 20), (5, 0)], 6),
            *samples("some", [(0, 20)], 2, no2_ppm=0.1),
            *samples("some", [(2 + MINUTE, 20), (5, 0)], 6),
            # A spike while the device stands by is not in the patient's gas.
            *samples("purge", [(0, 20), (5, 0)], 6, no2_ppm=0.1),
            *samples("purge", [(6 + MINUTE, 0)], 6.5, no2_ppm=5.0),
        ],
    )
    assert by_patient(rows, "result", "measured_pct") == {
        "none": ("indeterminate", 0.0),
        "some": ("indeterminate", 40.3),
        "purge": ("no", 100.0),
    }


def around(patient: str, spo2: tuple[float, float], better_min: float) -> list[Telemetry]:
    """80 h at 20 ppm with the first SpO2, and the second for some minutes in the tenth hour."""
    first: dict[str, Any] = {"spo2_pct": spo2[0], "fio2_pct": 80.0}
    then: dict[str, Any] = {"spo2_pct": spo2[1], "fio2_pct": 80.0}
    stop_h = 10 + better_min * MINUTE
    return [
        *samples(patient, [(0, 20)], 10 - MINUTE, every_s=60, **first),
        *samples(patient, [(10, 20)], stop_h, every_s=60, **then),
        *samples(patient, [(stop_h + MINUTE, 20), (80, 0)], 83, every_s=120, **first),
    ]


def test_a_response_is_five_points_for_ten_minutes_or_a_taper(tmp_path: Path) -> None:
    """Both bounds belong to it; who was never measured, or not long enough, is indeterminate."""
    flat: dict[str, Any] = {"spo2_pct": 85.0, "fio2_pct": 80.0}
    rows = asked(
        tmp_path,
        "response-72h",
        [
            *(
                context(name, indication="perioperative-chd")
                for name in ("better", "short", "few", "taper", "back", "unknown", "ended")
            ),
            context("other", indication="hrf-pphn"),
            *around("better", (85, 90), 10),
            *around("short", (85, 90), 9),
            *around("few", (85, 89.9), 60),
            *samples("taper", [(0, 20), (70, 10), (80, 0)], 83, every_s=120, **flat),
            *samples("back", [(0, 20), (60, 10), (70, 20), (80, 0)], 83, every_s=120, **flat),
            *samples("unknown", [(0, 20), (80, 0)], 83, every_s=120),
            *samples("ended", [(0, 20), (60, 0)], 63, every_s=120, **flat),
            *samples("other", [(0, 20), (80, 0)], 83, every_s=120, **flat),
            *samples("nobody", [(0, 20), (80, 0)], 83, every_s=120, **flat),
        ],
    )
    assert by_patient(rows, "result", "reason") == {
        "better": ("yes", "improved"),
        "short": ("no", "neither improved nor tapered"),
        "few": ("no", "neither improved nor tapered"),
        "taper": ("yes", "tapered"),
        "back": ("no", "neither improved nor tapered"),
        "unknown": ("indeterminate", "neither SpO2 nor FiO2 was measured"),
        "ended": ("indeterminate", "the course ended before"),
        "nobody": ("indeterminate", "the indication is not recorded"),
    }
    assert by_patient(rows, "improved_h", "tapered_h")["better"] == (10.167, None)
    assert by_patient(rows, "improved_h", "tapered_h")["taper"] == (None, 70.0)


def test_blind_time_is_told_by_course_and_by_device(tmp_path: Path) -> None:
    """An hour without a sample in ten; a silent device beside a speaking one blinds nobody."""
    rows = asked(
        tmp_path,
        "blind-time",
        [
            *samples("gap", [(0, 20), (10, 0)], 10, silent=[(4, 5)]),
            *samples("two", [(0, 20), (10, 0)], 10, device="d2", silent=[(4, 5)]),
            *samples("two", [(3, 20), (6, 0)], 6, device="d3"),
            *samples("seen", [(0, 20), (10, 0)], 10, every_s=120),
        ],
    )
    told = [
        (
            row["patient"],
            row["device"],
            row["result"],
            row["patient_gaps"],
            row["patient_blind_min"],
            row["silences"],
            row["silent_min"],
            row["coverage_pct"],
        )
        for row in rows
    ]
    assert told == [
        ("gap", "d1", "no", 1, 60.0, 1, 60.0, 90.0),
        ("seen", "d1", "yes", 0, 0.0, 0, 0.0, 100.0),
        ("two", "d2", "yes", 0, 0.0, 1, 60.0, 100.0),
        ("two", "d3", "yes", 0, 0.0, 0, 0.0, 100.0),
    ]


def test_a_silence_at_the_end_is_blind_time_of_the_patient_too(tmp_path: Path) -> None:
    """Silent for the last 8 min of the record, or over a period's end: a gap on either side."""
    records = [
        *samples("quiet", [(0, 20)], 2),
        *samples("other", [(0, 20)], 2 + 8 / 60),
        *samples("cut", [(0, 20)], 2 + 8 / 60, silent=[(0.5, 1.5)]),
    ]
    told = ("patient_gaps", "patient_blind_min", "silences", "silent_min")
    rows = asked(tmp_path / "a", "blind-time", records)
    assert by_patient(rows, *told) == {
        "quiet": (1, 8.0, 1, 8.0),
        "other": (0, 0.0, 0, 0.0),
        "cut": (1, 60.0, 1, 60.0),
    }
    before = by_patient(asked(tmp_path / "b", "blind-time", records, stop=at(1)), *told)
    after = by_patient(asked(tmp_path / "c", "blind-time", records, start=at(1)), *told)
    assert (before["cut"], after["cut"]) == ((1, 29.0, 1, 29.0), (1, 30.0, 1, 30.0))
    assert after["quiet"] == (1, 8.0, 1, 8.0)


def test_no2_counts_in_the_period_in_which_it_was_high(tmp_path: Path) -> None:
    """20 min from the second hour on: in the report of that hour, not in the one before."""
    records = with_no2("p", 1.0, 20)
    (first,) = asked(tmp_path / "a", "no2", records, stop=at(2))
    (second,) = asked(tmp_path / "b", "no2", records, start=at(2))
    assert (first["result"], first["max_ppm"]) == ("no", 0.1)
    assert (second["result"], second["medium_min"]) == ("yes", 20.0)


def test_a_response_is_in_the_report_of_each_period_that_its_hours_reach_into(
    tmp_path: Path,
) -> None:
    """After two days it is not over, on the third it is a no; the fourth day asks no more."""
    flat: dict[str, Any] = {"spo2_pct": 85.0, "fio2_pct": 80.0}
    records = [
        context("p", indication="perioperative-chd"),
        *samples("p", [(0, 20), (90, 0)], 100, every_s=120, **flat),
    ]
    days = {
        hour: [
            row["result"]
            for row in asked(
                tmp_path / str(hour), "response-72h", records, start=at(hour), stop=at(hour + 30)
            )
        ]
        for hour in (30, 60, 90)
    }
    assert days == {30: ["indeterminate"], 60: ["no"], 90: []}


def test_a_course_of_one_sample_has_no_coverage(tmp_path: Path) -> None:
    """There is no time that could have been seen."""
    (row,) = asked(tmp_path, "blind-time", samples("p", [(1, 20)], 1))
    assert (row["result"], row["start"], row["coverage_pct"]) == ("indeterminate", at(1), None)
