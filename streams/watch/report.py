"""When the watchdog leaves word of how the site is, and what it says: one ``Health`` record.

Promise: a number that is not known is ``None``, never 0 and never that of an earlier look. It knows
no Kafka and no clock.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from schemas.health import EVERY_S, Health, RoleHealth, SinkHealth
from streams.watch.health import Fault
from streams.watch.observation import Observation

_EVERY = timedelta(seconds=EVERY_S)
_UNKNOWN_ROLE = RoleHealth(running=None, waiting=None, lag_s=None)
_UNKNOWN_SINK = SinkHealth(failing_s=None, reason="")


class Report:
    """Of one watchdog: its name, the ``roles`` and ``sinks`` that it watches, and ``ward_time``."""

    def __init__(
        self,
        watcher: str,
        roles: Iterable[str],
        sinks: Iterable[str],
        ward_time: Callable[[datetime], datetime],
    ) -> None:
        self._watcher = watcher
        self._roles = tuple(roles)
        self._sinks = tuple(sinks)
        self._ward_time = ward_time
        self._last: tuple[datetime, bool] | None = None

    def due(
        self, faults: list[Fault] | None, seen: Observation | None, now: datetime
    ) -> Health | None:
        """Return what is to be said now, if anything: every so often, and when well changes.

        ``faults`` is the judgement of ``seen``; while there is none, there is nothing to say.
        """
        if faults is None:
            return None
        well = not faults
        if self._last is not None:
            at, was_well = self._last
            # A clock that was put back must not keep it silent until its time is reached again.
            if was_well == well and timedelta() <= now - at < _EVERY:
                return None
        self._last = (now, well)
        # With a Kafka that does not answer, what was seen last is nothing that is known now.
        known = None if any(fault.reason == "kafka-away" for fault in faults) else seen
        return Health(
            time=self._ward_time(now),
            watcher=self._watcher,
            well=well,
            faults=tuple(fault.words for fault in faults),
            clock_s=_clock_s(known) if known else None,
            roles=dict.fromkeys(self._roles, _UNKNOWN_ROLE) | (_roles(known) if known else {}),
            sinks=dict.fromkeys(self._sinks, _UNKNOWN_SINK) | (_sinks(known) if known else {}),
            untold=len({owed.alert for owed in known.untold}) if known else None,
        )


def _clock_s(seen: Observation) -> float | None:
    """The worst of all partitions; one without any tick is worse than any number."""
    ages = [seen.age_s(tick.newest) for tick in seen.ticks]
    known = [age for age in ages if age is not None]
    return max(known, default=None) if len(known) == len(ages) else None


def _roles(seen: Observation) -> dict[str, RoleHealth]:
    return {
        workers.role: RoleHealth(
            running=workers.running,
            waiting=seen.waiting(workers.role),
            lag_s=seen.lag_s(workers.role),
        )
        for workers in seen.workers
    }


def _sinks(seen: Observation) -> dict[str, SinkHealth]:
    return {
        one.sink: SinkHealth(failing_s=seen.age_s(one.failing) or 0.0, reason=one.reason)
        for one in seen.receivers
    }
