"""PagerDuty, Events API v2: one event for one message.

Promise: the dedup key is the alert id; nothing that points to a person leaves the house beyond
pseudonym, bed and unit (no device serial, no date of birth or of the course); the routing key
stands in the request and nowhere else. It does not know whether a person was told: 202 says that
the event was taken, and only PagerDuty knows whom it called.
"""

import re
from typing import Literal

import aiohttp
import msgspec

from alerts.errors import Refused
from alerts.notify import trimmed
from alerts.sinks.port import Message
from alerts.sinks.post import TIMEOUT_S, Poster, safe_url
from schemas.alert import Alert, Priority

BASE = "https://events.pagerduty.com"

# Vendor's limits: PagerDuty/developer-docs, docs/events-API-v2/02-Trigger-Events.md (fields) and
# 01-Overview.md (size). Its rate limit (05-Rate-Limits.md: about 120 events a minute and key,
# adapted by the vendor at will) is met by honouring 429, not by a number here.
ROUTING_KEY_CHARS = 32
SUMMARY_MAX_CHARS = 1024
DEDUP_KEY_MAX_CHARS = 255
EVENT_MAX_BYTES = 512 * 1024

Severity = Literal["critical", "error", "warning", "info"]

SEVERITY: dict[Priority, Severity] = {
    "high": "critical",
    "medium": "error",
    "low": "warning",
    "info": "info",
}
"""Priorities one to one onto the vendor's four words, strongest to strongest."""

_ROUTING_KEY = re.compile(rf"[A-Za-z0-9]{{{ROUTING_KEY_CHARS}}}")


class PagerDuty:
    """The sink. ``base`` is overridden for the vendor's other regions (EU) and for tests.

    Raises ``ValueError``, which does not show the key, for a key that is not 32 letters and
    digits and for a base that is not safe to post to.
    """

    name = "pagerduty"

    def __init__(
        self,
        routing_key: str,
        *,
        base: str = BASE,
        session: aiohttp.ClientSession | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not _ROUTING_KEY.fullmatch(routing_key):
            raise ValueError(f"a routing key is {ROUTING_KEY_CHARS} letters and digits")
        self._routing_key = routing_key
        self._url = safe_url(base) / "v2" / "enqueue"
        self._poster = Poster(session=session, timeout_s=timeout_s, secrets=(routing_key,))

    async def send(self, page: Message) -> str:
        """Post one event; see ``alerts.sinks.port``."""
        if len(page.dedup_key) > DEDUP_KEY_MAX_CHARS:
            # A cut key could meet another alert's.
            raise Refused(f"the alert id is longer than {DEDUP_KEY_MAX_CHARS} characters")
        return await self._poster.post(self._url, event(page, self._routing_key), {})

    async def close(self) -> None:
        """Close the session where this sink opened it."""
        await self._poster.close()


def event(page: Message, routing_key: str) -> bytes:
    """Write the JSON of one event; a resolve carries its key only, as PagerDuty reads no more."""
    head = {
        "routing_key": routing_key,
        "event_action": page.kind,
        "dedup_key": page.dedup_key,
    }
    if page.kind == "resolve":
        return msgspec.json.encode(head)
    payload = _payload(page)
    written = msgspec.json.encode({**head, "client": "inowatch", "payload": payload})
    if len(written) <= EVENT_MAX_BYTES:
        return written
    # The page matters more than its details: send it without them, and say so.
    payload["custom_details"] = {"left_out": f"more than {EVENT_MAX_BYTES} bytes"}
    return msgspec.json.encode({**head, "client": "inowatch", "payload": payload})


def _payload(page: Message) -> dict[str, object]:
    alert = page.alert
    return {
        "summary": trimmed(page.text, SUMMARY_MAX_CHARS),
        "source": f"{alert.unit}/{alert.bed}",
        "severity": SEVERITY[alert.priority],
        "timestamp": alert.at,
        "component": "inhaled nitric oxide",
        "group": alert.unit,
        "class": alert.rule,
        "custom_details": _details(alert),
    }


def _details(alert: Alert) -> dict[str, object]:
    """Name every field that goes out, so that a new field of Alert stays in until it is chosen."""
    return {
        "alert": alert.id,
        "phase": alert.phase,
        "priority": alert.priority,
        "patient": alert.patient,
        "unit": alert.unit,
        "bed": alert.bed,
        "onset": alert.onset,
        "value": alert.value,
        "limit": alert.limit,
        "unit_of_measure": alert.unit_of_measure,
        "reason": alert.reason,
        "limit_from": alert.source,
        "profile": alert.profile,
        "rules_version": alert.rules_version,
        "note": "secondary notification: the delivery device's own alarms come first",
    }
