"""Who was treated long ago costs nothing: a ward does not look through all it ever knew."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.simulate.ward import ward
from streams.ward import Ward

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


class Untouchable:
    """A state that nobody may look at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} of a patient was looked at of whom nothing was due")


def test_who_is_not_due_is_not_looked_at() -> None:
    """Samples are judged and checks fall due with no look at a patient who is not concerned."""
    judged = Ward()
    judged.patients["p-long-ago"] = cast("Any", Untouchable())
    end = BEGIN + timedelta(hours=14)
    arrivals = ward(2, "methb-missed", 3, BEGIN, BEGIN, end, period_s=60.0)
    inputs = [arrival.record for arrival in arrivals]
    alerts = list(replay(map(encode, inputs), judged, lambda *_: None))
    assert sum(isinstance(record, Telemetry) for record in inputs) > 900
    assert {alert.rule for alert in alerts} >= {"methb-first-due", "methb-first-overdue"}
