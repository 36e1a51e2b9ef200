"""The heartbeat: a ping to somebody outside, who raises the alarm when it stops.

It is what speaks when the watchdog itself is dead, or the whole machine. So it pings only while all
is well, and a ping that fails is not repeated: that nobody hears it is the message. The address is
never logged; whoever knows it can keep the alarm quiet.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import aiohttp

from alerts.sinks.post import safe_url

log = logging.getLogger("inowatch")

TIMEOUT_S = 10.0
_LOOK_S = 0.5
_TAKEN = range(200, 300)


class Heartbeat:
    """Pings ``url``, at most once in ``every``. Raises ``ValueError`` for an unsafe URL."""

    def __init__(self, url: str, every: timedelta) -> None:
        self._url = safe_url(url)
        self._every_s = every.total_seconds()
        self._heard = True

    async def beat_while(self, well: Callable[[], bool]) -> None:
        """Ping for as long as ``well`` says so, and again from the moment that it does again."""
        clock = asyncio.get_running_loop().time
        due_s = clock()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            while True:
                if well() and clock() >= due_s:
                    due_s = clock() + self._every_s
                    await self._ping(session)
                await asyncio.sleep(_LOOK_S)

    async def _ping(self, session: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with session.get(self._url, allow_redirects=False, timeout=timeout) as answer:
                trouble = "" if answer.status in _TAKEN else f"it answered {answer.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            # The fault's own words may repeat the address.
            trouble = type(fault).__name__
        if trouble and self._heard:
            log.warning("the heartbeat is not heard: %s", trouble)
        self._heard = not trouble
