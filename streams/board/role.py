"""The board's worker: rows and page attempts from their topics to the page.

The newest row of each patient is kept in a table, so that a restarted board shows the whole ward at
once. The page is served from this process, on loopback unless the site says otherwise.
"""

import asyncio
import logging
import os
from typing import Any

import faust
import msgspec

from schemas.board_row import BoardRow
from schemas.encode import encode
from schemas.page import Page
from schemas.view import View
from streams.batch import Batch
from streams.board.looks import Seldom
from streams.board.server import BoardServer
from streams.ending import give_up
from streams.journal.looked import SEND_S, looked
from streams.settings import Settings
from streams.worker import each_batch, new_app, new_table, published

log = logging.getLogger("inowatch")

REFRESH_S = 0.5

_ROW = msgspec.json.Decoder(BoardRow)
_PAGE = msgspec.json.Decoder(Page)


class Board:
    """One board of the whole ward: run one instance, it needs every partition."""

    def __init__(self, settings: Settings) -> None:
        clock = settings.clock
        self._settings = settings
        self._server = BoardServer(clock, speed=clock.speed, looked=Seldom(self._looked))
        self._noting: set[asyncio.Task[None]] = set()
        self._shown: dict[bytes, bytes] = {}
        self._started = False
        self.app = app = new_app("board", settings)
        names = settings.topics
        rows = app.topic(names.board, key_type=bytes, value_type=bytes)
        pages = app.topic(names.pages, key_type=bytes, value_type=bytes)
        self._views = app.topic(names.views)
        self._rows: Any = new_table(app, "rows", settings)
        self._pages: Any = new_table(app, "pages", settings)
        self._told: dict[bytes, bytes] = {}
        app.agent(rows, name="rows", concurrency=1)(self._take_rows)
        app.agent(pages, name="pages", concurrency=1)(self._take_pages)
        app.timer(REFRESH_S, name="refresh")(self._refresh)

    async def _take_rows(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch(stream, self._keep_rows)

    async def _keep_rows(self, batch: Batch) -> None:
        newest = {row.key: (row.partition, row.value) for row in batch if row.key}
        await _keep(self._rows, newest)

    async def _take_pages(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch(stream, self._keep_pages)

    async def _keep_pages(self, batch: Batch) -> None:
        """Keep the newest attempt of each sink for each alert, until the alert's clearing."""
        newest: dict[bytes, tuple[int, bytes | None]] = {}
        for record in batch:
            try:
                page = _PAGE.decode(record.value or b"")
                self._server.update_page(page)
            except (msgspec.DecodeError, ValueError) as wrong:
                log.warning("offset %d is no page: %s", record.offset, wrong)
                continue
            over = page.phase == "cleared" and page.outcome != "failed"
            key = f"{page.alert}|{page.sink}".encode()
            newest[key] = (record.partition, None if over else record.value)
        await _keep(self._pages, newest)

    async def _refresh(self) -> None:
        """Bring the page up to the table; the table also changes when it is recovered."""
        if not self._started:
            self._started = True
            await self._open()
        self._recall()
        kept = dict(self._rows.data.items())
        for key in self._shown.keys() - kept.keys():
            self._server.drop_row(key.decode())
            del self._shown[key]
        for key, value in kept.items():
            if self._shown.get(key) != value:
                self._shown[key] = value
                try:
                    self._server.update_row(_ROW.decode(value))
                except (msgspec.DecodeError, ValueError) as wrong:
                    log.warning("row of %r cannot be shown: %s", key, wrong)

    def _recall(self) -> None:
        """After a restart, tell the page who was told before."""
        kept = dict(self._pages.data.items())
        new = [_PAGE.decode(value) for key, value in kept.items() if self._told.get(key) != value]
        for page in sorted(new, key=lambda page: page.time):
            self._server.update_page(page)
        self._told = kept

    def _looked(self, by: str, what: str) -> None:
        """Somebody opened the board; the page does not wait until that is noted."""
        task = asyncio.create_task(self._note(looked(by, what, os.environ)))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, view: View) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                sent = await self._views.send(key=view.by.encode(), value=encode(view))
                await published([sent])
        except Exception as wrong:  # noqa: BLE001 - whatever it is, the ward keeps its board
            log.error(  # noqa: TRY400 - the words are enough
                "a look at the board by %s could not be noted: %r", view.by, wrong
            )

    async def _open(self) -> None:
        settings = self._settings
        try:
            port = await self._server.start(settings.board_host, settings.board_port)
        except OSError as taken:
            give_up(f"the board cannot be served: {taken}")
        log.warning("board at http://%s:%d/", settings.board_host, port)


async def _keep(table: Any, values: dict[bytes, tuple[int, bytes | None]]) -> None:
    """Write values (partition, value; ``None`` removes) to a table and wait for its changelog."""
    await published(
        [table.send_changelog(number, key, value) for key, (number, value) in values.items()]
    )
    for key, (_, value) in values.items():
        if value is None:
            table.data.pop(key, None)
        else:
            table.data[key] = value
