"""A whole ward, as the monitor would meet it: every record of every bed in order of arrival.

Promise: pure and lazy; the same arguments give the same bytes, and another bed, another end or
another period changes no bed's story. Knows no clock: *now* only parts cheap history from live.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random

from msgspec import Struct

from streams.simulate.arrival import Arrival
from streams.simulate.device import HISTORY_PERIOD_MS, Sampling, telemetry
from streams.simulate.roles import ROLES
from streams.simulate.scenarios import CUES, LATER_ROLES, SCENARIOS, Scenario
from streams.simulate.stay import (
    LEAD_H,
    Place,
    Stay,
    admit,
    main_spans,
    paperwork,
    transport_spans,
)

__all__ = ["Arrival", "stays", "ward"]

BEDS_PER_UNIT = 12
MAX_BEDS = 1000
_SHORTEST_PERIOD_S = 0.1
_MOST_HOURS_IN = 60.0
_by_arrival = attrgetter("at")


def ward(  # noqa: PLR0913, PLR0917 - a ward is all of these and nothing to group them by
    beds: int,
    scenario: str,
    seed: int,
    start: datetime,
    now: datetime,
    end: datetime,
    *,
    period_s: float = 1.0,
    speed: float = 1.0,
) -> Iterator[Arrival]:
    """Arrivals from ``start`` up to, not including, ``end``.

    Before ``now`` a device sends once a minute, from then on every ``period_s`` seconds of ward
    time (0.1 to 60). ``speed``, ward seconds in a wall second, places the first events of a
    staged scenario. ValueError says which argument cannot be used.
    """
    setting = _checked(beds, scenario, seed, (start, now, end), period_s, speed)
    return heapq.merge(*(setting.bed(index) for index in range(beds)), key=_by_arrival)


def stays(  # noqa: PLR0913, PLR0917 - the arguments of ``ward``, which it looks behind
    beds: int,
    scenario: str,
    seed: int,
    start: datetime,
    now: datetime,
    end: datetime,
    *,
    speed: float = 1.0,
) -> Iterator[Stay]:
    """Who lies in the ``ward`` of these arguments and what is done, bed by bed, without samples."""
    setting = _checked(beds, scenario, seed, (start, now, end), 1.0, speed)
    return (stay for index in range(beds) for stay, _ in setting.stays(index))


def _checked(  # noqa: PLR0913, PLR0917 - see ``ward``
    beds: int,
    scenario: str,
    seed: int,
    times: tuple[datetime, datetime, datetime],
    period_s: float,
    speed: float,
) -> "_Setting":
    """Say which argument cannot be used."""
    start, now, end = times
    plot = SCENARIOS.get(scenario)
    if plot is None:
        raise ValueError(f"no scenario {scenario!r}: there are {', '.join(SCENARIOS)}")
    if not 1 <= beds <= MAX_BEDS:
        raise ValueError(f"{beds} beds: from 1 to {MAX_BEDS} can be simulated")
    if not _SHORTEST_PERIOD_S <= period_s <= HISTORY_PERIOD_MS / 1000:
        raise ValueError(f"a period of {period_s} s: from {_SHORTEST_PERIOD_S} to 60 s")
    if not speed > 0:
        raise ValueError(f"speed {speed}: time must run forward")
    if None in (start.tzinfo, now.tzinfo, end.tzinfo) or start > now:
        raise ValueError("start, now and end need an offset, and start is not after now")
    if start > now - timedelta(hours=plot.history_h):
        raise ValueError(f"{scenario} needs {plot.history_h:.0f} h of history before now")
    return _Setting(plot, seed, start, now, end, round(period_s * 1000), speed)


def _stream(*parts: object) -> Random:
    """Open a stream of random numbers of its own for each bed, patient and device."""
    name = "/".join(map(str, parts))
    return Random(name)  # noqa: S311 - it has to be repeatable, and keeps no secret


class _Setting(Struct, frozen=True):
    """The arguments of a ward, checked."""

    plot: Scenario
    seed: int
    start: datetime
    now: datetime
    end: datetime
    period_ms: int
    speed: float

    def bed(self, index: int) -> Iterator[Arrival]:
        """Everything that arrives from one bed before the end."""
        for stay, parts in self.stays(index):
            for arrival in self._arrivals(stay, parts):
                if arrival.at >= self.end:
                    return
                yield arrival

    def stays(self, index: int) -> Iterator[tuple[Stay, tuple[object, ...]]]:
        """One patient after another, with some empty hours between, each with a name for chance."""
        place = _place(index)
        role = self.plot.role(index)
        rng = _stream(self.seed, self.plot.name, index)
        later = LATER_ROLES if self.plot.staged and role in CUES else (role,)
        begin, event_h = self._first(role, rng)
        number = 0
        while begin - timedelta(hours=LEAD_H) < self.end:
            parts = (self.seed, self.plot.name, index, number)
            plan = _stream(*parts, "plan")
            stay = admit(plan, place, begin, ROLES[role](plan, event_h))
            yield stay, parts
            empty_h = rng.uniform(2.5, 8.0)
            begin = stay.at(stay.regimen.closed_h + empty_h + LEAD_H)
            number += 1
            event_h = None
            role = rng.choice(later)

    def _first(self, role: str, rng: Random) -> tuple[datetime, float | None]:
        """When the first patient's course begins, and the hour of its first event."""
        if not self.plot.staged:
            return self.start + timedelta(hours=LEAD_H + rng.random()), None
        cue = CUES.get(role)
        if cue is None:
            return self.now - timedelta(hours=rng.uniform(1.0, _MOST_HOURS_IN)), None
        event = self.now + timedelta(seconds=cue.wall_s * self.speed - cue.hold_s)
        return event - timedelta(hours=cue.course_h), cue.course_h

    def _arrivals(self, stay: Stay, parts: tuple[object, ...]) -> Iterator[Arrival]:
        now_ms = int((self.now - stay.begin) / timedelta(milliseconds=1))
        sampling = Sampling(now_ms, self.period_ms)
        devices = (
            (stay.place.device, main_spans(stay.regimen)),
            (stay.place.transport_device, transport_spans(stay.regimen)),
        )
        sources = [
            telemetry(stay, device, spans, sampling, _stream(*parts, device))
            for device, spans in devices
        ]
        return heapq.merge(paperwork(stay, _stream(*parts, "paper")), *sources, key=_by_arrival)


def _place(index: int) -> Place:
    unit, number = divmod(index, BEDS_PER_UNIT)
    bed = f"{unit + 1}-{number + 1:02d}"
    return Place(
        unit=f"nicu-{unit + 1}",
        bed=bed,
        device=f"ino-{bed}",
        transport_device=f"ino-{bed}-transport",
        has_cylinder=index % 5 != 4,  # noqa: PLR2004 - one bed in five makes NO from air
    )
