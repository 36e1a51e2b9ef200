"""Alertmanager, API v2: one alert for one priority of one occurrence, at one place.

An alert there *is* its label set, so an escalation is another alert, and so is a baby who has moved
to another bed. Hence a message is told first, and then whatever else fires under its alert id is
ended; a resolve ends all of it. What does not fire is never ended: an end that lies ahead of
Alertmanager's clock would raise it. Twice the same message is one alert.

Promise: no alert ends by silence. Without an end Alertmanager takes one that is not sent again
within its ``resolve_timeout`` (5 min) for over; here the end lies a hundred years ahead, and the
watchdog, not a missing word, tells that the monitor is blind. Of a person it says bed and unit
and no pseudonym: who may see Alertmanager's page is not for us to say.

What it does not do: send again. Alertmanager keeps no alerts on its disk, so one that is restarted
has forgotten what fires until the next transition. Have PagerDuty or the webhook beside it. Nor
does it know whom Alertmanager told: 200 says that it took the alert.
"""

import json
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from alerts.errors import Refused, Unavailable
from alerts.sinks.port import Message
from alerts.sinks.post import TIMEOUT_S, Poster, safe_url
from schemas.alert import Alert

OPEN_FOR = timedelta(days=36_525)
"""How far ahead the end of what is open lies: past any occurrence, and within Go's times (2262)."""

FIRING_MAX_BYTES = 256 * 1024
"""Read of what fires under one alert id: a few alerts of about 1 KB each."""

NOTHING_FIRES = "nothing of it fires there"

_NOTE = "secondary notification: the delivery device's own alarms come first"


class Firing(Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert as Alertmanager lists it; only what it takes to end it."""

    labels: dict[str, str]
    starts_at: datetime


class Alertmanager:
    """The sink. ``url`` is Alertmanager's own, without ``/api/v2``; ``token`` goes as bearer.

    ``ca_file`` names an authority of the house, believed in place of the system's. Raises
    ``ValueError`` for a URL that is neither https nor this machine, a token that no header can
    carry (without showing it), and a file that has no certificate.
    """

    name = "alertmanager"

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        ca_file: Path | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
            raise ValueError("an Alertmanager token is one line of ASCII")
        base = safe_url(url)
        self._url = base / "api" / "v2" / "alerts"
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}
        # As with a webhook, a password may stand in the path, and a 404 page repeats the path.
        hidden = tuple(word for word in (token, base.raw_path) if word not in (None, "/"))
        self._poster = Poster(
            session=session, timeout_s=timeout_s, secrets=hidden, tls=_tls(ca_file)
        )

    async def send(self, page: Message) -> str:
        """Tell one message and end what it takes the place of; see ``alerts.sinks.port``."""
        if page.kind == "resolve":
            return await self._end(await self._firing(page.alert.id), page.alert) or NOTHING_FIRES
        # The page first: whatever becomes of the rest, it is out.
        answer = await self._post([opened(page)])
        own = labels(page.alert)
        try:
            others = [one for one in await self._firing(page.alert.id) if one.labels != own]
            await self._end(others, page.alert)
        except Refused as refused:
            # It would be refused again, and the next pages must not wait behind this one.
            return f"{answer}; what it takes the place of stays: {refused.reason}"
        return answer

    async def close(self) -> None:
        """Close the session where this sink opened it."""
        await self._poster.close()

    async def _end(self, firing: list[Firing], alert: Alert) -> str:
        """End what fires; empty where nothing does."""
        return await self._post([ended(one, alert.at) for one in firing]) if firing else ""

    async def _firing(self, alert_id: str) -> list[Firing]:
        """Ask what fires under this alert id, silenced or not."""
        url = self._url.with_query(filter=f"alert={json.dumps(alert_id)}")
        said = await self._poster.ask(url, self._headers, FIRING_MAX_BYTES)
        try:
            return msgspec.json.decode(said, type=list[Firing])
        except msgspec.DecodeError as wrong:
            raise Unavailable(f"it does not say what fires: {wrong}") from None

    async def _post(self, alerts: list[dict[str, object]]) -> str:
        return await self._poster.post(self._url, msgspec.json.encode(alerts), self._headers)


def labels(alert: Alert) -> dict[str, str]:
    """What this alert is at Alertmanager: for routes, silences and inhibitions.

    Empty ones are left out, as Alertmanager itself would.
    """
    said = {
        "alertname": alert.rule,
        "severity": alert.priority,
        "alert": alert.id,
        "unit": alert.unit,
        "bed": alert.bed,
    }
    return {name: value for name, value in said.items() if value}


def opened(page: Message) -> dict[str, object]:
    """Write the alert of a trigger, open until it is ended."""
    alert = page.alert
    said = {"summary": page.text, "source": alert.source, "note": _NOTE}
    return _written(labels(alert), alert.onset, alert.at + OPEN_FOR) | {"annotations": said}


def ended(firing: Firing, at: datetime) -> dict[str, object]:
    """Write the end of what fires; never before its start, which would be refused."""
    return _written(firing.labels, firing.starts_at, max(at, firing.starts_at))


def _written(named: Mapping[str, str], start: datetime, end: datetime) -> dict[str, object]:
    return {"labels": named, "startsAt": start, "endsAt": end}


def _tls(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as wrong:
        raise ValueError(f"{ca_file} is no certificate of an authority: {wrong}") from None
