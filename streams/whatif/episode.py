"""Transitions folded into episodes: one alert from its raising to its end, whoever told it.

The same for what a ward tells now and for what was recorded then. Judges nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from schemas.alert import Alert, Priority, rank
from schemas.stand_in import NOT_KNOWN, is_unknown
from streams.whatif.spans import Span


class Episode(Struct, frozen=True):
    """The transitions of one alert, at least one, in the order of time."""

    transitions: tuple[Alert, ...]

    @property
    def first(self) -> Alert:
        """How it was raised."""
        return self.transitions[0]

    @property
    def about(self) -> tuple[str, str]:
        """Rule and patient. What belongs to nobody known is one, in whichever partition it came."""
        patient = self.first.patient
        return self.first.rule, NOT_KNOWN if is_unknown(patient) else patient

    @property
    def end(self) -> datetime | None:
        """When it was over; ``None``: it was still open."""
        last = self.transitions[-1]
        return last.at if last.phase == "cleared" else None

    @property
    def priority(self) -> Priority:
        """The highest that it had."""
        return max((alert.priority for alert in self.transitions), key=rank)

    def held(self, horizon: datetime) -> Span:
        """From when its condition was true until it was over, as far as is known."""
        return self.first.onset, self.end or max(horizon, self.first.onset)

    def told(self, horizon: datetime) -> Span:
        """From when it was told until it was over, as far as is known."""
        return self.first.at, self.end or max(horizon, self.first.at)


class Episodes:
    """Collects transitions, each once, in whatever order a store gives those of one moment."""

    def __init__(self) -> None:
        self._by_id: dict[str, list[Alert]] = {}

    def note(self, told: Iterable[Alert]) -> None:
        """Take in transitions."""
        for alert in told:
            self._by_id.setdefault(alert.id, []).append(alert)

    def all(self, unit: str | None = None) -> list[Episode]:
        """Return every episode, of one unit where it is named, in the order of onsets."""
        found = [
            Episode(tuple(sorted(alerts, key=_in_order)))
            for alerts in self._by_id.values()
            if unit in (None, alerts[0].unit)
        ]
        return sorted(found, key=lambda one: (one.first.onset, *one.about, one.first.id))


def _in_order(alert: Alert) -> tuple[datetime, bool, bool]:
    """Sort by time; at one moment raising comes first and clearing last."""
    return alert.at, alert.phase == "cleared", alert.phase != "raised"
