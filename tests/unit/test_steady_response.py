"""An improvement that does not last, on the short way of steady samples as on the long one."""

from datetime import UTC, datetime, timedelta

import pytest

import streams.ward
from schemas.telemetry import Telemetry
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)


def improved(*spo2_pct: tuple[int, float]) -> datetime | None:
    """When a course counts as improved: so many samples, one in 30 s, of each saturation."""
    ward, number = Ward(), 0
    for count, value in spo2_pct:
        for _ in range(count):
            time = T0 + timedelta(seconds=30 * number)
            ward.advance(time)
            ward.take(
                Telemetry(
                    time=time,
                    device="d",
                    patient="p",
                    unit="u",
                    bed="b" if number < 5 else "c",  # judged in full once all is known
                    mode="delivering",
                    set_ppm=20.0,
                    no_ppm=20.0 + number % 2 / 10,
                    spo2_pct=value,
                )
            )
            number += 1
    course = ward.patients["p"].course
    assert course is not None
    return course.improved


@pytest.mark.parametrize("short", [True, False])
def test_what_does_not_last_is_no_improvement(
    monkeypatch: pytest.MonkeyPatch, *, short: bool
) -> None:
    """Five better minutes, two as before, five better ones: nothing has improved for ten."""
    if not short:
        monkeypatch.setattr(streams.ward, "take_steady", lambda *_: False)
    assert improved((10, 85.0), (10, 95.0), (4, 85.0), (10, 95.0)) is None


@pytest.mark.parametrize("short", [True, False])
def test_what_lasts_is_one(monkeypatch: pytest.MonkeyPatch, *, short: bool) -> None:
    """Ten better minutes count from the sample that completes them."""
    if not short:
        monkeypatch.setattr(streams.ward, "take_steady", lambda *_: False)
    assert improved((10, 85.0), (40, 95.0)) == T0 + timedelta(seconds=30 * 30)
