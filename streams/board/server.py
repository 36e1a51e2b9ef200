"""The board as an object: rows and pages go in, a page that is alive comes out.

Promise: it holds one row per patient and a bounded number of pages, it answers on loopback only
to loopback's names, and it reads no clock but the one that it is given. It does not know where
rows come from.
"""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import ip_address

from aiohttp import web

from schemas.board_row import BoardRow
from schemas.page import Page
from streams.board.feed import Feed
from streams.board.looks import Looked
from streams.board.routes import application, frame
from streams.board.shown import BoardView, Limits
from streams.board.told import supersedes
from streams.board.view import view

MAX_PAGES = 10_000
"""The newest pages kept, about 500 bytes each: 5 MB, some weeks of a busy ward."""

CLOSING_S = 1.0
"""How long answers under way may take when the server stops."""

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class PortTaken(OSError):
    """Another process holds the port."""


class BoardServer:
    """The board's state and its server; all methods are called in one event loop.

    ``clock`` gives the ward's time with an offset. It must be a clock of its own, never the time
    of the newest row: a board whose clock stops with its data cannot notice that they stopped.
    ``speed`` is ward seconds per wall second (other than 1 in a demonstration only). ``hosts``
    are further names by which a reverse proxy may ask for a server on loopback. ``looked`` is told
    who asks for what shows patients, and at what.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        speed: float = 1.0,
        course_limit_h: float = 336.0,
        hosts: frozenset[str] = frozenset(),
        looked: Looked = lambda _by, _what: None,
    ) -> None:
        self._clock = clock
        self._limits = Limits.at_speed(speed, course_limit_h)
        self._hosts = hosts
        self._looked = looked
        self._rows: dict[str, BoardRow] = {}
        self._pages: dict[str, Page] = {}
        self._feed = Feed(lambda: frame(self.view()))
        self._runner: web.AppRunner | None = None
        self._pushing: asyncio.Task[None] | None = None

    def update_row(self, row: BoardRow) -> None:
        """Show ``row`` in place of the patient's last one. Raises ``ValueError`` on a bare time."""
        times = {name: getattr(row, name) for name in row.__struct_fields__}
        for alert in row.alerts:
            times |= {f"{alert.rule}: onset": alert.onset, f"{alert.rule}: at": alert.at}
        _with_offsets(f"row of bed {row.bed}", times)
        self._rows[row.patient] = row
        self._feed.changed()

    def drop_row(self, patient: str) -> None:
        """Take a patient off the board (a tombstone on the topic)."""
        if self._rows.pop(patient, None) is not None:
            self._feed.changed()

    def update_page(self, page: Page) -> None:
        """Keep what came of telling somebody, where it says more than what is known.

        Raises ``ValueError`` on a bare time.
        """
        _with_offsets(f"page about {page.alert}", {"time": page.time, "at": page.at})
        if not supersedes(page, self._pages.get(page.alert)):
            return
        # Put last, so that the first in the dictionary is the one nobody spoke of for longest.
        self._pages.pop(page.alert, None)
        self._pages[page.alert] = page
        if len(self._pages) > MAX_PAGES:
            del self._pages[next(iter(self._pages))]
        self._feed.changed()

    def view(self) -> BoardView:
        """Return what the board shows now."""
        return view(self._rows, self._pages, self._clock(), self._limits)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Serve on ``host``; port 0 takes a free one. Returns the bound port.

        Raises ``PortTaken`` when another process holds the port, ``RuntimeError`` when this
        server was started before: one that was stopped is not started again.
        """
        if self._runner is not None:
            raise RuntimeError("this board was started before; make a new one")
        # Whoever opens the board to a network has put its own guard of names before it.
        names = _LOOPBACK_NAMES | self._hosts if _is_loopback(host) else None
        app = application(self.view, self._feed, names, self._looked)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as refused:
            await self._runner.cleanup()
            if refused.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(
                refused.errno,
                f"port {port} on {host} is in use by another process: stop that, or choose "
                "another port for the board (0 takes any free one)",
            ) from refused
        self._pushing = asyncio.create_task(self._feed.run())
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Let every screen go and free the port. A second call does nothing."""
        self._feed.close()
        if self._pushing is not None:
            self._pushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pushing
            self._pushing = None
        if self._runner is not None:
            await self._runner.cleanup()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _with_offsets(what: str, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if isinstance(value, datetime) and value.utcoffset() is None:
            raise ValueError(f"{what}: {name} has no offset from UTC")
