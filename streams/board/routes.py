"""What the board's server answers, and to whom.

Promise: only GET, only what the board itself needs; every answer forbids the browser to load
anything from elsewhere, and none sets a cookie. It does not know rows, only what it is given.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streams.board.feed import Feed, Full
from streams.board.looks import Looked, noting
from streams.board.shown import BoardView

STATIC = Path(__file__).parent / "static"

WRITE_S = 20.0
"""A screen that takes nothing for so long is gone; it comes back by itself."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def application(
    current: Callable[[], BoardView],
    feed: Feed,
    hosts: frozenset[str] | None,
    looked: Looked,
) -> web.Application:
    """Return the routes over ``current`` and ``feed``; ``hosts`` are the names served, or all.

    ``looked`` is told who asks for what shows patients.
    """
    guards = [] if hosts is None else [_only(hosts)]
    app = web.Application(middlewares=[*guards, noting(looked)])
    app.on_response_prepare.append(_add_headers)
    app.router.add_get("/", _page)
    app.router.add_static("/static", STATIC)
    app.router.add_get("/api/board", _board(current))
    app.router.add_get("/api/stream", _stream(feed))
    app.router.add_get("/healthz", _health(current, feed))
    return app


def frame(current: BoardView) -> bytes:
    """Return a view as one server-sent event; JSON has its line breaks escaped."""
    return b"data: " + msgspec.json.encode(current) + b"\n\n"


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


def _board(current: Callable[[], BoardView]) -> Handler:
    async def board(_request: web.Request) -> web.StreamResponse:
        return _json(current())

    return board


def _health(current: Callable[[], BoardView], feed: Feed) -> Handler:
    async def health(_request: web.Request) -> web.StreamResponse:
        now = current()
        state = {
            "status": "ok",
            "as_of": now.as_of,
            "rows": len(now.rows),
            "not_judged": sum(row.judged.doubt != "" for row in now.rows),
            "screens": feed.screens,
        }
        return _json(state)

    return health


def _stream(feed: Feed) -> Handler:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        try:
            with feed.joined() as slot:
                await response.prepare(request)
                await response.write(b"retry: 2000\n\n")
                while (newest := await slot.get()) is not None:
                    async with asyncio.timeout(WRITE_S):
                        await response.write(newest)
        except Full as full:
            raise web.HTTPServiceUnavailable(text=f"{full}\n") from full
        except (ConnectionResetError, TimeoutError):
            # The screen left. Aborting drops what it did not take; there is nobody to answer.
            if request.transport is not None:
                request.transport.abort()
        return response

    return stream


def _only(hosts: frozenset[str]) -> Middleware:
    @web.middleware
    async def only(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a foreign name: a web site may have pointed its own name at this machine."""
        if request.url.host not in hosts:
            host = request.url.host
            raise web.HTTPMisdirectedRequest(text=f"this board is not served as {host!r}\n")
        return await handler(request)

    return only


def _json(answer: object) -> web.Response:
    body = msgspec.json.encode(answer)
    return web.Response(body=body, content_type="application/json", charset="utf-8")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
