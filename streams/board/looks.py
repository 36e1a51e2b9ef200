"""Who looks at the board: what the server hears of it, at most one look a minute of each person.

The board knows no log-in. Who looks is what a proxy before it says in ``X-Forwarded-User``; without
one nobody knows. A name that a browser sends itself must be taken away by that proxy.
"""

import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADER = "X-Forwarded-User"
SHOWN = {"/": "board", "/api/board": "board", "/api/stream": "board"}
"""What shows patients, and the word for it. A page and what it loads are one look."""
APART_S = 60.0
_REMEMBERED = 10_000
"""People, at some 200 bytes each; who is forgotten is noted once more."""

Looked = Callable[[str, str], None]
"""Told who looked (empty where nobody said) and at what."""


class Seldom:
    """Passes on a look when the same person has not looked at the same for a minute."""

    def __init__(self, told: Looked, now_s: Callable[[], float] = time.monotonic) -> None:
        self._told, self._now_s = told, now_s
        self._last: dict[tuple[str, str], float] = {}

    def __call__(self, by: str, what: str) -> None:
        """Tell of a look, unless it was just told of."""
        now_s = self._now_s()
        last_s = self._last.get((by, what))
        if last_s is not None and now_s - last_s < APART_S:
            return
        self._last.pop((by, what), None)
        self._last[by, what] = now_s
        if len(self._last) > _REMEMBERED:
            del self._last[next(iter(self._last))]
        self._told(by, what)


def noting(told: Looked) -> Middleware:
    """Return what tells of each request for something that shows patients."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        what = SHOWN.get(request.path)
        if what is not None:
            told(request.headers.get(HEADER, ""), what)
        return await handler(request)

    return note
