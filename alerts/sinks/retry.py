"""Try again: the one place where a message is repeated, the same for every sink.

Promise: every attempt is reported, and the report is awaited, before anything else happens; what
the receiver may still take is tried until it is taken, refused or, where a limit is set, given up;
no wait is shorter than 0.5 s, and none longer than 30 s unless the receiver asks for it.

Own lines in place of ``stamina``: its back-off adds a little jitter on top of the exponential
instead of spreading over it (messages that failed together would come back together), it does not
say the wait that follows an attempt, which that attempt's record wants, and it has a process-wide
switch that turns retries off, which has no business in the path of an alarm.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

from alerts.errors import Refused, Unavailable
from alerts.sinks.port import Message, Sink

ASKED_MAX_S = 300.0
"""The longest wait taken from a receiver's Retry-After: PagerDuty speaks of "a few minutes", and
an alarm that is told to come back tomorrow comes back in five minutes all the same."""


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt, counted from 1, and what came of it, in the words of ``schemas.page``.

    ``wait_s`` is how long to wait before the next one; ``None`` where the message is settled.
    """

    number: int
    outcome: Literal["delivered", "refused", "failed"]
    reason: str
    wait_s: float | None


class Backoff(Struct, frozen=True, kw_only=True):
    """Exponential with full jitter: from ``least_s`` to a ceiling that doubles up to ``most_s``.

    ``give_up_after_s`` is from the first attempt of a call on; ``None`` never gives up.
    """

    least_s: float = 0.5
    most_s: float = 30.0
    give_up_after_s: float | None = None

    def wait_s(self, number: int, asked_s: float | None, spread: float) -> float:
        """Seconds to wait after attempt ``number``; ``spread`` in 0..1 is where in the range.

        What the receiver asked for is a floor, up to ``ASKED_MAX_S``.
        """
        # 2.0**16 times the least is past any ceiling; 2.0**1024, half a day of outage, is no float.
        ceiling_s = min(self.most_s, self.least_s * 2.0 ** min(number, 16))
        own_s = self.least_s + spread * (ceiling_s - self.least_s)
        return max(own_s, min(asked_s or 0.0, ASKED_MAX_S))


PATIENT = Backoff()
"""The default: 0.5 to 30 s, for as long as it takes."""

Report = Callable[[Attempt], Awaitable[None]]


async def deliver(
    sink: Sink,
    page: Message,
    report: Report,
    *,
    backoff: Backoff = PATIENT,
    attempts_before: int = 0,
) -> Attempt:
    """Send ``page`` until it is settled; returns the last attempt, which was reported as well.

    With ``give_up_after_s`` no attempt starts after it, and the outcome is then ``failed``. That
    is the way to decide anew in between: wait the ``wait_s`` that came back, decide, and go on
    with ``attempts_before``. An error that is neither ``Refused`` nor ``Unavailable``, of the sink
    or of ``report``, is a fault and is not caught.
    """
    clock = asyncio.get_running_loop().time
    limit_s = backoff.give_up_after_s
    started_s = clock()
    number = attempts_before
    while True:
        number += 1
        attempt = await _attempt(sink, page, number, backoff)
        await report(attempt)
        wait_s = attempt.wait_s
        if wait_s is None or (limit_s is not None and clock() + wait_s > started_s + limit_s):
            return attempt
        await asyncio.sleep(wait_s)


async def _attempt(sink: Sink, page: Message, number: int, backoff: Backoff) -> Attempt:
    try:
        answer = await sink.send(page)
    except Refused as refused:
        return Attempt(number=number, outcome="refused", reason=refused.reason, wait_s=None)
    except Unavailable as away:
        spread = random.random()  # noqa: S311 # spreads load over time and guards nothing
        wait_s = backoff.wait_s(number, away.retry_after_s, spread)
        return Attempt(number=number, outcome="failed", reason=away.reason, wait_s=wait_s)
    return Attempt(number=number, outcome="delivered", reason=answer, wait_s=None)
