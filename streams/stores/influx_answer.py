"""What InfluxDB's refusals mean: bad lines, or a store that is not available, and until when.

A 400 or 422 in InfluxDB's own words is about the lines that were sent. The same from something
between us and it, say a proxy, is not: whole batches would be given up for a wrong setting.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from influxdb_client.rest import ApiException

from streams.stores.port import StoreUnavailable


class Refused(Exception):
    """Something in this very request will never be taken; smaller parts of it may."""


class _Body(msgspec.Struct):
    message: str
    code: str


def meaning_of(answer: ApiException, bucket: str) -> Refused | StoreUnavailable:
    """Translate an answer that is not a success into what the caller can do about it."""
    body = _body_of(answer)
    said = body.message if body else str(answer.reason or "no reason given")
    match answer.status:
        case 413:
            return Refused(f"too large for InfluxDB: {said}")
        case 400 | 422 if body is not None:
            return Refused(said)
        case 401:
            advice = f"InfluxDB does not accept the token ({said}): give it one that is in force"
            return StoreUnavailable(advice)
        case 403:
            return StoreUnavailable(f"InfluxDB's token does not allow this in {bucket}: {said}")
        case 404:
            advice = "check its address, or run `inowatch deploy influxdb`"
            return StoreUnavailable(f"InfluxDB has no such place as {bucket} ({said}): {advice}")
    return StoreUnavailable(f"InfluxDB answered {answer.status}: {said}", _retry_after_s(answer))


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
