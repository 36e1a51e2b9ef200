"""Is it well? What is seen from outside, held against the limits: every fault with its words.

Promise: a fault is one that lasts longer than its limit; what cannot be known yet is ``None`` and
neither well nor ill. It knows no Kafka and no clock, and remembers nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from alerts.limits import MonitorBlindLimits
from alerts.reasons import OutsideReason
from streams.watch.observation import Lag, Observation, Receiver, Ticks, Workers

Limit = Literal["age", "sink", "page"]

_NAMED = 2
"""Partitions that are named in a sentence; the rest are counted."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, since when (``None``: not known), and by which limit."""

    reason: OutsideReason
    since: datetime | None
    limit: Limit | None
    words: str


def judge(
    seen: Observation | None,
    answered: datetime,
    trouble: str,
    now: datetime,
    limits: MonitorBlindLimits,
) -> list[Fault] | None:
    """List what is wrong, causes before what follows; ``None`` while nothing has been seen.

    ``answered`` is when Kafka was last heard, or when listening began; ``trouble`` is what it was
    that kept it from answering since. What was ``seen`` is judged as of its own time.
    """
    if now - answered > limits.age:
        lasting = written(now - answered)
        words = f"Kafka has not answered for {lasting} ({_limit(limits.age)}): {trouble}"
        return [Fault(reason="kafka-away", since=answered, limit="age", words=words)]
    return None if seen is None else list(_faults(seen, limits))


def _faults(seen: Observation, limits: MonitorBlindLimits) -> Iterator[Fault]:
    if seen.missing:
        words = f"topics are missing: {', '.join(seen.missing)}"
        yield Fault(reason="topics-missing", since=None, limit=None, words=words)
    yield from _clock(seen, limits.age)
    for workers in seen.workers:
        yield from _gone(workers, seen.at, limits.age)
    # What waits for a receiver that fails is judged by the receiver's limit, not the pager's.
    excused = {"pager"} if any(one.failing for one in seen.receivers) else set()
    for role in dict.fromkeys(lag.role for lag in seen.lags):
        if role not in excused:
            yield from _behind(role, seen, limits.age)
    if not seen.receivers:
        words = "no receiver is set: nobody is told of any alert"
        yield Fault(reason="no-receiver", since=None, limit=None, words=words)
    for receiver in seen.receivers:
        yield from _failing(receiver, seen.at, limits.sink)
    yield from _untold(seen, limits.page)


def _clock(seen: Observation, limit: timedelta) -> Iterator[Fault]:
    unseen = [tick for tick in seen.ticks if tick.newest is None]
    if unseen:
        words = f"no tick was ever seen in {_places(unseen)}"
        yield Fault(reason="clock-stopped", since=None, limit="age", words=words)
    known = [(tick.newest, tick) for tick in seen.ticks if tick.newest is not None]
    old = [(newest, tick) for newest, tick in known if seen.at - newest > limit]
    if old:
        since = min(newest for newest, _ in old)
        where = _places([tick for _, tick in old])
        words = f"no tick for {written(seen.at - since)} in {where} ({_limit(limit)})"
        yield Fault(reason="clock-stopped", since=since, limit="age", words=words)
    ahead = max((newest - seen.at for newest, _ in known), default=timedelta())
    if ahead > limit:
        # With such a clock a tick that stops would be found that much too late.
        words = f"Kafka's clock is {written(ahead)} ahead of the watchdog's ({_limit(limit)})"
        yield Fault(reason="clocks-apart", since=None, limit="age", words=words)


def _gone(workers: Workers, at: datetime, limit: timedelta) -> Iterator[Fault]:
    if workers.running:
        return
    if workers.gone is None:
        words = f"no worker of the role {workers.role} is running"
    elif at - workers.gone > limit:
        lasting = written(at - workers.gone)
        words = f"no worker of the role {workers.role} has run for {lasting} ({_limit(limit)})"
    else:
        return
    yield Fault(reason="gone", since=workers.gone, limit="age", words=words)


def _behind(role: str, seen: Observation, limit: timedelta) -> Iterator[Fault]:
    late = [
        (lag.oldest, lag)
        for lag in seen.lags
        if lag.role == role and lag.oldest is not None and seen.at - lag.oldest > limit
    ]
    if not late:
        return
    since = min(oldest for oldest, _ in late)
    lags = [lag for _, lag in late]
    still = [lag for lag in lags if seen.at - lag.still > limit]
    records = sum(lag.records for lag in still or lags)
    how = "stands still" if still else "is behind"
    wait = "1 record waits" if records == 1 else f"{records} records wait"
    where = _places(still or lags)
    lasting = written(seen.at - since)
    words = f"{role} {how}: {wait} for up to {lasting} in {where} ({_limit(limit)})"
    yield Fault(reason="stalled" if still else "lagging", since=since, limit="age", words=words)


def _failing(receiver: Receiver, at: datetime, limit: timedelta) -> Iterator[Fault]:
    since = receiver.failing
    if since is None or at - since <= limit:
        return
    reason: OutsideReason = "sink-refuses" if receiver.refuses else "sink-failing"
    does = "has refused every page" if receiver.refuses else "has taken nothing"
    words = f"{receiver.sink} {does} for {written(at - since)} ({_limit(limit)}): {receiver.reason}"
    yield Fault(reason=reason, since=since, limit="sink", words=words)


def _untold(seen: Observation, limit: timedelta) -> Iterator[Fault]:
    late = [one for one in seen.untold if seen.at - one.since > limit]
    if not late:
        return
    first = min(late, key=lambda one: one.since)
    count = "1 alert has" if len(late) == 1 else f"{len(late)} alerts have"
    lasting = written(seen.at - first.since)
    words = f"{count} reached nobody for up to {lasting} ({_limit(limit)}): {first.rule}"
    words += f" {first.priority}" + (" and others" if len(late) > 1 else "")
    yield Fault(reason="undelivered", since=first.since, limit="page", words=words)


def written(length: timedelta) -> str:
    """Write a length of time as people say it: ``42 s``, ``12 min``, ``8 h 3 min``."""
    seconds = int(length.total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes, from which on nobody counts seconds
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _limit(limit: timedelta) -> str:
    return f"limit {written(limit)}"


def _places(found: Sequence[Ticks | Lag]) -> str:
    return _listed(f"{one.topic}/{one.partition}" for one in found)


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more} more" if more > 0 else "")
