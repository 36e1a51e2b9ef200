"""A signed webhook, in the manner of Standard Webhooks, and the check for its receiver.

    webhook-id         the same for every attempt at one (alert, phase, priority)
    webhook-timestamp  Unix seconds of this attempt
    webhook-signature  v1,<base64 of HMAC-SHA256(secret, id.timestamp.body)>

The body is JSON: ``kind`` (trigger or resolve), ``text`` (the sentence) and ``alert`` (the
transition as the contract has it). Promise: what arrives under a good signature was said by a
holder of the secret within 5 minutes, and not changed. It does not hide the body: https does.

A receiver takes the raw bytes of the body and calls ``verify``; it keeps the ids of the last
5 minutes at least, and answers 2xx to one that it has seen.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import aiohttp
import msgspec
from msgspec import Struct

from alerts.notify import Kind
from alerts.sinks.port import Message
from alerts.sinks.post import TIMEOUT_S, Poster, safe_url
from schemas.alert import Alert

WINDOW = timedelta(minutes=5)
"""How far a timestamp may lie from the receiver's clock, either way."""

SECRET_BYTES = range(24, 65)
"""The length that Standard Webhooks asks of a secret: 192 to 512 bits."""

_PREFIX = "whsec_"
_SECONDS = re.compile(r"[0-9]{1,12}")


class Unverified(Exception):
    """A request that its receiver must not believe; the text says why."""


class Body(Struct, frozen=True, kw_only=True):
    """What travels: the message, and the transition behind it."""

    kind: Kind
    text: str
    alert: Alert


class Webhook:
    """The sink. ``secret`` is base64 of 24 to 64 random bytes, with or without ``whsec_``.

    ``clock`` gives Unix seconds; the receiver's window is held against real time, so it is the
    machine's even where the ward's time is simulated. Raises ``ValueError`` for a bad secret
    (without showing it) or a URL that is neither https nor this machine.
    """

    name = "webhook"

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = safe_url(url)
        self._key = _key(secret)
        self._clock = clock
        # Some receivers put the password into the path, and a 404 page repeats the path.
        paths = (self._url.raw_path_qs, self._url.raw_path)
        hidden = tuple(path for path in paths if path != "/")
        self._poster = Poster(session=session, timeout_s=timeout_s, secrets=hidden)

    async def send(self, page: Message) -> str:
        """Sign and post one message; see ``alerts.sinks.port``."""
        body = msgspec.json.encode(Body(kind=page.kind, text=page.text, alert=page.alert))
        signed = _signed(self._key, webhook_id(page.alert), str(int(self._clock())), body)
        return await self._poster.post(self._url, body, signed)

    async def close(self) -> None:
        """Close the session where this sink opened it."""
        await self._poster.close()


def webhook_id(alert: Alert) -> str:
    """Name this (alert id, phase, priority); letters and digits whatever the alert id holds.

    A full stop in it would blur where the id ends in what is signed.
    """
    said = f"{alert.id}\n{alert.phase}\n{alert.priority}"
    return "msg_" + hashlib.sha256(said.encode()).hexdigest()[:32]


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return the id of a request that may be believed; raise ``Unverified`` for any other.

    ``headers`` in any case of letters, ``body`` as raw bytes, ``now`` with its offset. Several
    signatures, as they stand there while a secret is changed, are each tried, in constant time.
    Raises ``ValueError`` for a secret that is none.
    """
    key = _key(secret)
    found = {name.lower(): value for name, value in headers.items()}
    try:
        said_id = found["webhook-id"]
        written, signatures = found["webhook-timestamp"], found["webhook-signature"]
    except KeyError as missing:
        raise Unverified(f"no {missing.args[0]} header") from None
    if not _SECONDS.fullmatch(written):
        raise Unverified("webhook-timestamp is not in whole seconds")
    away_s = abs(now.timestamp() - int(written))
    if away_s > WINDOW.total_seconds():
        raise Unverified("webhook-timestamp is more than 5 min away from this clock")
    if not (said_id.isascii() and signatures.isascii()):
        raise Unverified("headers hold more than ASCII")
    expected = _signed(key, said_id, written, body)["webhook-signature"]
    # All are compared, so that the time taken does not tell which one fits.
    fits = [hmac.compare_digest(signature, expected) for signature in signatures.split(" ")]
    if not any(fits):
        raise Unverified("no signature fits")
    return said_id


def _signed(key: bytes, message_id: str, timestamp: str, body: bytes) -> dict[str, str]:
    """Make the three headers."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook secret is base64: openssl rand -base64 32") from None
    if len(key) not in SECRET_BYTES:
        least, most = SECRET_BYTES[0], SECRET_BYTES[-1]
        raise ValueError(f"a webhook secret has {least} to {most} bytes; this one has {len(key)}")
    return key
