"""One HTTP request, and what its answer means: the same table for every sink that speaks HTTP.

    2xx                   taken
    408, 429, 5xx         Unavailable, with the receiver's Retry-After
    no answer, no way     Unavailable (it may have been taken: receivers drop doubles by key)
    any other answer      Refused, redirects too: a page goes where the site said, nowhere else

Promise: one request per call, bounded in time and in what is read back; reasons are one line and
carry none of the secrets given at the start. It does not know what is in the body.
"""

import ipaddress
import ssl
from asyncio import IncompleteReadError
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from alerts.errors import Refused, Unavailable

TIMEOUT_S = 10.0
"""One attempt. Receivers answer within a second; a hung one must not hold the queue."""

ANSWER_MAX_BYTES = 2048
"""Read of the body of an answer; only a line of it is kept."""

ANSWER_MAX_CHARS = 200

_TAKEN = range(200, 300)
_LATER = frozenset({408, 429, *range(500, 600)})


class Poster:
    """Posts over one session, which is the caller's or is opened at the first post.

    ``secrets`` are blotted out of every answer and reason. ``tls`` says whose certificates are
    believed; without it those that the system believes.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout_s: float = TIMEOUT_S,
        secrets: tuple[str, ...] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._session = session
        self._own: aiohttp.ClientSession | None = None
        self._timeout_s = timeout_s
        self._secrets = secrets
        self._tls = tls or True

    async def post(self, url: URL, body: bytes, headers: dict[str, str]) -> str:
        """Post ``body`` once; returns the answer as one short line.

        Raises ``Refused`` or ``Unavailable`` by the table above.
        """
        status, said = await self._settled("POST", url, body, headers, ANSWER_MAX_BYTES)
        return self._line(status, said)

    async def ask(self, url: URL, headers: dict[str, str], most_bytes: int) -> bytes:
        """Get ``url`` once; returns the body as it came, at most so much of it. Raises as a post.

        What is longer, or was lost on the way, is cut: the caller sees that it cannot be read.
        """
        _, said = await self._settled("GET", url, None, headers, most_bytes)
        return said

    async def close(self) -> None:
        """Close the session where it was opened here; the caller's stays open."""
        if self._own is not None:
            await self._own.close()
            self._own = None

    async def _settled(
        self, method: str, url: URL, body: bytes | None, headers: dict[str, str], most_bytes: int
    ) -> tuple[int, bytes]:
        """Status and body of a request that was taken; raises for any other."""
        try:
            status, said, wait_s = await self._exchange(method, url, body, headers, most_bytes)
        except TimeoutError:
            raise Unavailable(f"no answer within {self._timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as fault:
            # From None: the original may carry the request, and the request carries the secret.
            words = self._blotted(str(fault))
            raise Unavailable(f"{type(fault).__name__}: {words}") from None
        if status in _TAKEN:
            return status, said
        if status in _LATER:
            raise Unavailable(self._line(status, said), wait_s)
        raise Refused(self._line(status, said))

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: dict[str, str], most_bytes: int
    ) -> tuple[int, bytes, float | None]:
        """Status, beginning of the answer, and the wait asked for in seconds."""
        async with self._opened().request(
            method,
            url,
            data=body,
            headers={"content-type": "application/json", **headers},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            ssl=self._tls,
        ) as response:
            said = await _beginning(response, most_bytes)
            return response.status, said, retry_after_s(response.headers)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is not None:
            return self._session
        if self._own is None:
            self._own = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._own

    def _line(self, status: int, said: bytes) -> str:
        """One line of an answer, from the beginning of its body."""
        return self._blotted(f"{status} {said[:ANSWER_MAX_BYTES].decode(errors='replace')}")

    def _blotted(self, said: str) -> str:
        """One printable line without secrets: it is written to logs and shown on screens."""
        for secret in self._secrets:
            said = said.replace(secret, "[secret]")
        words = " ".join(said.split())
        return "".join(c if c.isprintable() else "?" for c in words)[:ANSWER_MAX_CHARS]


async def _beginning(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read the first bytes of the body; empty where it is lost on the way.

    The status has come by then and it alone decides: a page that was taken is not sent again
    because the rest of the answer hangs.
    """
    try:
        return await response.content.readexactly(most_bytes)
    except IncompleteReadError as whole:
        return whole.partial
    except (aiohttp.ClientError, OSError):
        return b""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds asked for by ``Retry-After``, as seconds or as a date; ``None`` where unreadable.

    ``headers`` finds names in any case. A date is measured against the answer's own ``Date``: two
    times of one clock compare, our clock and the receiver's may not.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    then, now = _http_date(asked), _http_date(headers.get("Date", ""))
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


def safe_url(url: str) -> URL:
    """Read a URL where pages may be posted: https, or http to this machine itself.

    Raises ``ValueError`` with the reason. The URL is the site's own setting, never input from
    outside, so addresses inside the hospital's network are taken.
    """
    try:
        read = URL(url)
    except ValueError:
        raise ValueError("not a URL") from None
    if read.host is None or read.scheme not in ("http", "https"):
        raise ValueError("a sink's URL is https://host/path")
    if read.user is not None or read.password is not None:
        raise ValueError("a sink's URL carries no user and password: URLs end up in logs")
    if read.scheme == "http" and not _is_loopback(read.host):
        raise ValueError(f"plain http to {read.host}: pages leave this machine by https only")
    return read


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _http_date(written: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(written)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
