"""Samples that come later and later: the short way of a steady one says what the rules say."""

from datetime import UTC, datetime, timedelta

import pytest

import streams.ward
from schemas.alert import Alert
from schemas.telemetry import Telemetry
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)


def told() -> list[tuple[str, str, datetime]]:
    """Judge a device whose samples are delayed by up to a minute while its readings stand still."""
    ward, alerts = Ward(), list[Alert]()
    for second in range(0, 900, 5):
        still = 120 <= second < 700
        time = T0 + timedelta(seconds=second)
        late = timedelta(seconds=min(60, max(0, second - 120) // 4))
        alerts += ward.advance(time + late)
        alerts += ward.take(
            Telemetry(
                time=time,
                device="d",
                patient="p",
                unit="u",
                bed="b" if second < 120 else "c",
                mode="delivering",
                set_ppm=20.0,
                no_ppm=20.0 if still else 20.0 + (second % 3) / 10 + (second == 700) * 0.3,
            )
        )
    return [(alert.rule, alert.phase, alert.at) for alert in alerts]


def test_a_growing_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """How late the newest sample came counts, whichever way it was judged."""
    quick = told()
    monkeypatch.setattr(streams.ward, "take_steady", lambda *_: False)
    assert quick == told()
