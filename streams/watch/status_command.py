"""``inowatch status``: one look, judged as the watchdog judges, for a person or a machine.

One look knows less than a watchdog that goes on looking: since when a role stands still, and for
how long no worker of it has run.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Literal

from msgspec import Struct

from deploy.kafka.cluster import ClusterError
from schemas.encode import encode
from streams.clock import wall_clock
from streams.settings import Settings
from streams.watch.health import Fault, judge, written
from streams.watch.look import Look
from streams.watch.observation import Observation, Receiver, Untold
from streams.watch.role import sinks, watcher

Form = Literal["table", "json"]


class RoleStatus(Struct, frozen=True):
    """How a role fares: ``lag_s`` is the age of the oldest record that it has not dealt with."""

    role: str
    running: int
    lag_records: int
    lag_s: float


class ClockStatus(Struct, frozen=True):
    """The age of the newest tick in a partition; ``None``: none was found."""

    topic: str
    partition: int
    age_s: float | None


class Status(Struct, frozen=True):
    """All of it; ``well`` is whether there are no ``faults``, each of them a sentence."""

    at: datetime
    well: bool
    faults: list[str]
    roles: list[RoleStatus]
    clock: list[ClockStatus]
    sinks: tuple[Receiver, ...]
    undelivered: tuple[Untold, ...]


def status(settings: Settings) -> Status:
    """Look once. A Kafka that does not answer is a fault, not an error.

    Raises ``ValueError`` for a receiver that cannot be sent to.
    """
    limits = settings.book.named(settings.profile).monitor_blind
    names = [sink.name for sink in sinks(settings)]
    with closing(Look(settings, names, watcher(settings))) as look:
        try:
            seen = look()
        except ClusterError as away:
            return Status(wall_clock(), False, [str(away)], [], [], (), ())
    faults: list[Fault] = judge(seen, seen.at, "", seen.at, limits) or []
    return Status(
        at=seen.at,
        well=not faults,
        faults=[fault.words for fault in faults],
        roles=list(_roles(seen)),
        clock=[ClockStatus(one.topic, one.partition, seen.age_s(one.newest)) for one in seen.ticks],
        sinks=seen.receivers,
        undelivered=seen.untold,
    )


def run_status(settings: Settings, form: Form) -> tuple[bool, str]:
    """Return whether it is well, and what to print."""
    # What Kafka's client has to say comes back as an error, and is said once.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    found = status(settings)
    text = encode(found).decode() if form == "json" else "\n".join(table(found))
    return found.well, text


def _roles(seen: Observation) -> Iterator[RoleStatus]:
    for workers in seen.workers:
        role = workers.role
        yield RoleStatus(role, workers.running, seen.waiting(role), seen.lag_s(role))


def table(found: Status) -> Iterator[str]:
    """Write it for people: what is wrong first, then how everything stands."""
    yield from (f"NOT WELL: {fault}" for fault in found.faults)
    if found.well:
        yield "well"
    roles = [(r.role, f"{r.running}", f"{r.lag_records}", _for(r.lag_s)) for r in found.roles]
    yield from _aligned(("role", "running", "waiting", "for"), roles)
    clock = [(f"{c.topic}/{c.partition}", _for(c.age_s)) for c in found.clock]
    yield from _aligned(("partition", "last tick"), clock)
    told = [(s.sink, _told(s, found.at), _trouble(s, found.at)) for s in found.sinks]
    yield from _aligned(("sink", "last told", "trouble"), told)
    owed = [
        (u.rule, u.phase, u.priority, written(found.at - u.since), u.alert)
        for u in found.undelivered
    ]
    yield from _aligned(("told to nobody", "phase", "priority", "for", "alert"), owed)


def _for(length_s: float | None) -> str:
    return "never" if length_s is None else f"{length_s:.1f} s"


def _told(sink: Receiver, at: datetime) -> str:
    return "-" if sink.told is None else f"{written(at - sink.told)} ago"


def _trouble(sink: Receiver, at: datetime) -> str:
    return "-" if sink.failing is None else f"for {written(at - sink.failing)}: {sink.reason}"


def _aligned(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A table after an empty line; nothing where there are no rows."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield ""
    for row in (head, *rows):
        yield "  ".join(map(str.ljust, row, widths)).rstrip()
