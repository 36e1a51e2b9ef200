"""What InfluxDB's refusals mean: bad lines, or a store that is not available, and until when.

A 400 or 422 in InfluxDB's own words is about the lines that were sent. The same from something
between us and it, say a proxy, is not: whole batches would be given up for a wrong setting.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from influxdb_client.rest import ApiException

from streams.stores.port import StoreUnavailable

_TOO_LARGE = 413
_ABOUT_THE_LINES = {400, 422}
_DROPPED = re.compile(
    r"failure writing points to database: partial write: "
    r"(?:dropped (\d+) points outside retention policy|.* dropped=(\d+)$)"
)
"""From its first word, since further on there may be words of a sender."""


class Refused(Exception):
    """Something in this very request will never be taken; smaller parts of it may.

    ``lines`` is how many lines InfluxDB says it has not written, if it does: at most as many as it
    has dropped, since it speaks of one cause and one shard.
    """

    def __init__(self, reason: str, lines: int | None = None) -> None:
        super().__init__(reason)
        self.lines = lines


class _Body(msgspec.Struct):
    message: str
    code: str


def meaning_of(answer: ApiException, bucket: str) -> Refused | StoreUnavailable:
    """Translate an answer that is not a success into what the caller can do about it."""
    body = _body_of(answer)
    said = body.message if body else str(answer.reason or "no reason given")
    if answer.status == _TOO_LARGE:
        return Refused(f"too large for InfluxDB: {said}")
    if answer.status in _ABOUT_THE_LINES and body is not None:
        return Refused(said, _dropped(said))
    return StoreUnavailable(_words(answer.status, said, bucket), _retry_after_s(answer))


def _words(status: int, said: str, bucket: str) -> str:
    match status:
        case 0:
            # The client's way to tell of a certificate that it does not accept.
            return f"InfluxDB is out of reach: {said}"
        case 401:
            return f"InfluxDB does not accept the token ({said}): give it one that is in force"
        case 403:
            return f"InfluxDB's token does not allow this in {bucket}: {said}"
        case 404:
            advice = "check its address, or run `inowatch deploy influxdb`"
            return f"InfluxDB has no such place as {bucket} ({said}): {advice}"
    return f"InfluxDB answered {status}: {said}"


def _dropped(said: str) -> int | None:
    found = _DROPPED.match(said)
    return int(found[1] or found[2]) if found else None


def _body_of(answer: ApiException) -> _Body | None:
    raw = answer.body.encode() if isinstance(answer.body, str) else answer.body
    try:
        return msgspec.json.decode(raw or b"", type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _retry_after_s(answer: ApiException) -> float | None:
    """Read ``Retry-After``, which is a number of seconds or a date (RFC 9110, 10.2.3)."""
    headers: Any = answer.headers or {}
    written = str(headers.get("Retry-After", "")).strip()
    if written.isdecimal():
        return float(written)
    try:
        until = parsedate_to_datetime(written)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
