"""One view for many screens: pushed when it changed, paced, and never piled up.

Promise: every screen gets a frame at most once per second and at least every 2 s, and a slow one
gets only the newest. It does not know what a frame says.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

PACE_S = 1.0
"""A person reads no faster, and a storm of rows must not become a storm of pages."""

HEARTBEAT_S = 2.0
"""The page calls the connection lost after a few of these without a frame."""

MAX_SCREENS = 64
"""A slot holds one frame, about 2 kB a bed: 64 screens of 20 beds are under 3 MB at the worst."""

Slot = asyncio.Queue[bytes | None]
"""At most one frame; ``None`` says that the feed is over."""


class Full(Exception):
    """There are already ``MAX_SCREENS`` screens."""


class Feed:
    """Frames from ``frame`` to all who joined. Belongs to the event loop that runs it."""

    def __init__(self, frame: Callable[[], bytes]) -> None:
        self._frame = frame
        self._slots: set[Slot] = set()
        self._changed = asyncio.Event()
        self._over = False

    @property
    def screens(self) -> int:
        """How many have joined and not left."""
        return len(self._slots)

    def changed(self) -> None:
        """Say that there is something new; it goes out within ``PACE_S``."""
        self._changed.set()

    async def run(self) -> None:
        """Push until cancelled. A frame that cannot be made is logged, and its screens notice."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S - PACE_S):
                    await self._changed.wait()
            self._changed.clear()
            if self._slots:
                try:
                    self._push(self._frame())
                except Exception:
                    log.exception("no frame for the board")
            await asyncio.sleep(PACE_S)

    @contextlib.contextmanager
    def joined(self) -> Iterator[Slot]:
        """Lend a slot in which the newest frame lies. Raises ``Full``."""
        if len(self._slots) >= MAX_SCREENS:
            raise Full(f"{MAX_SCREENS} screens are connected, and no more are served")
        slot: Slot = asyncio.Queue(maxsize=1)
        self._slots.add(slot)
        if self._over:
            _replace(slot, None)
        self.changed()
        try:
            yield slot
        finally:
            self._slots.discard(slot)

    def close(self) -> None:
        """Let everybody go; who joins later is let go at once."""
        self._over = True
        self._push(None)

    def _push(self, frame: bytes | None) -> None:
        for slot in self._slots:
            _replace(slot, frame)


def _replace(slot: Slot, frame: bytes | None) -> None:
    """Put ``frame`` in the slot, in place of one that nobody took."""
    if slot.full():
        slot.get_nowait()
    slot.put_nowait(frame)
