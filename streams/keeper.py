"""Points into the store, however long it takes: the recorder's patience.

Promise: what was given is in the store when ``keep`` returns, or is named as refused for good; a
store that is away is asked again with growing pauses that are spread at random, and never sooner
than it asked for. Nothing is buffered: who waits here reads no further, so each partition has one
write under way. Writing twice changes nothing, so one whose answer got lost is simply repeated.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from alerts.sinks.retry import Backoff
from streams.stores.open import open_store
from streams.stores.port import Point, PointsRefused, Store, StoreUnavailable

log = logging.getLogger("inowatch")

BACKOFF = Backoff(least_s=0.5, most_s=30.0)
"""The same pauses as towards a receiver of pages: a store is back within half a minute of use."""


WRITES = 4
"""How many may be under way, each of another partition: while the store takes one in, the next is
made ready. A store that takes one at a time lets the others wait."""


class Keeper:
    """The store at ``address``, opened when it is first there.

    Raises ``ValueError`` (``WrongStore``) for an address that names no store of this product.
    """

    def __init__(self, address: str, backoff: Backoff = BACKOFF) -> None:
        self._address = address
        self._backoff = backoff
        self._store: Store | None = None
        self._threads = ThreadPoolExecutor(WRITES, thread_name_prefix="store")
        try:
            self._write([])
        except StoreUnavailable as away:
            log.warning("the store is not there yet: %s", away)

    async def keep(self, points: Sequence[Point]) -> list[tuple[Point, str]]:
        """Write until the store has them; return those that it will never take, and why."""
        if not points:
            return []
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            attempt += 1
            try:
                await loop.run_in_executor(self._threads, self._write, points)
            except PointsRefused as refused:
                # All others are written.
                return list(zip(refused.points, refused.reasons, strict=True))
            except StoreUnavailable as away:
                spread = random.random()  # noqa: S311 # spreads load over time and guards nothing
                wait_s = self._backoff.wait_s(attempt, away.retry_after_s, spread)
                log.warning(
                    "%d points are not written yet, again in %.1f s: %s", len(points), wait_s, away
                )
                await asyncio.sleep(wait_s)
            else:
                if attempt > 1:
                    log.warning("%d points are written, at attempt %d", len(points), attempt)
                return []

    def _write(self, points: Sequence[Point]) -> None:
        self._store = self._store or open_store(self._address)
        self._store.write(points)
