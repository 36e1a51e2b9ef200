"""Faults over time to one occurrence of ``monitor-blind``: raised at the first, cleared when well.

All faults of a time are one occurrence. It is open from the first fault until all has been well for
the clearing time; one fault in between starts that time anew. A site that has never been well is
given time to start. Knows no Kafka and no clock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from alerts.limits import Limits
from alerts.monitor_blind import NAME, PRIORITY
from alerts.occurrence import alert_id
from schemas.alert import Alert
from schemas.stand_in import EVERY
from streams.watch.health import Fault, written

_TITLE = "The monitor is blind"
_NAMED = 3
"""Faults that are named in the page; one cause has several, and the first say the most."""


class Blindness:
    """The occurrence of one watchdog.

    ``site`` is the prefix of its topics and ``watcher`` its own name, so that two sites, or two
    watchdogs of one, never share an id. ``began`` is when it began to watch. Times go in as those
    of the wall; ``ward_time`` turns one into the time that alerts bear.
    """

    def __init__(
        self,
        limits: Limits,
        site: str,
        watcher: str,
        began: datetime,
        ward_time: Callable[[datetime], datetime],
    ) -> None:
        self._limits = limits
        self._site = site
        self._watcher = watcher
        self._began = began
        self._ward_time = ward_time
        self._settled = False
        self._open: Alert | None = None
        self._well_since: datetime | None = None
        self._cleared: datetime | None = None

    @property
    def open(self) -> Alert | None:
        """The transition that raised the open occurrence."""
        return self._open

    def is_starting(self, now: datetime) -> bool:
        """Whether it has never been well, and has not had the time for it."""
        return not self._settled and now - self._began < self._limits.monitor_blind.start

    def adopt(self, raised: Alert) -> None:
        """Go on with an occurrence that an earlier run of this watchdog has left open."""
        self._settled = True
        self._open = raised

    def step(self, faults: list[Fault] | None, now: datetime) -> Alert | None:
        """Take in what is wrong now; return the transition that follows, if any."""
        if faults is None:
            return None
        if faults:
            self._well_since = None
            if self._open is not None or self.is_starting(now):
                return None
            self._open = self._raised(faults, now)
            return self._open
        self._settled = True
        self._well_since = self._well_since or now
        due = self._well_since + self._limits.monitor_blind.clear
        if self._open is None or now < due:
            return None
        over = self._over(self._open, self._ward_time(due))
        self._cleared, self._open = over.at, None
        return over

    def taken_over(self, raised: Alert, now: datetime) -> Alert:
        """Close an older occurrence that was left open while another is."""
        words = f"{_TITLE}: another alert says the same"
        at = self._ward_time(now)
        return replace(raised, phase="cleared", at=at, reason="taken-over", summary=words)

    def _raised(self, faults: list[Fault], now: datetime) -> Alert:
        first, limits = faults[0], self._limits
        since = [fault.since for fault in faults if fault.since is not None]
        onset = self._ward_time(min(since, default=now))
        if self._cleared is not None and onset <= self._cleared:
            # Never the onset of the one before, which is no later than its own end.
            onset = self._cleared + timedelta(microseconds=1)
        due = [self._due(fault) or now for fault in faults]
        held = None if first.limit is None else getattr(limits.monitor_blind, first.limit)
        named = "; ".join(fault.words for fault in faults[:_NAMED])
        more = len(faults) - _NAMED
        return Alert(
            id=alert_id(NAME, f"{self._site}|{self._watcher}", None, onset),
            rule=NAME,
            phase="raised",
            priority=PRIORITY,
            onset=onset,
            at=max(onset, self._ward_time(min(*due, now))),
            patient=EVERY,
            unit=EVERY,
            bed=EVERY,
            device=self._watcher,
            course=None,
            summary=f"{_TITLE}: {named}" + (f"; and {more} more" if more > 0 else ""),
            value=None if first.since is None else (now - first.since).total_seconds(),
            limit=None if held is None else held.total_seconds(),
            unit_of_measure=None if held is None else "s",
            reason=first.reason,
            profile=limits.name,
            rules_version=limits.rules_version,
            source=limits.sources[f"monitor_blind.{first.limit or 'age'}"],
        )

    def _due(self, fault: Fault) -> datetime | None:
        """When the fault came to last longer than its limit; ``None`` when that is not known."""
        if fault.since is None or fault.limit is None:
            return None
        limit: timedelta = getattr(self._limits.monitor_blind, fault.limit)
        return fault.since + limit

    def _over(self, raised: Alert, at: datetime) -> Alert:
        lasting = written(self._limits.monitor_blind.clear)
        words = f"{_TITLE}: over, all has been well for {lasting}"
        at = max(at, raised.at)
        return replace(raised, phase="cleared", at=at, reason="well", summary=words, value=None)
