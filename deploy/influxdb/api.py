"""InfluxDB's HTTP interface, as far as its set-up needs it: JSON in and out, faults in words.

The client's own classes for this are generated and have no types; here a request is a path and a
dictionary. No message has a token in it. Knows no bucket and no task.
"""

from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import msgspec
import urllib3

TIMEOUT_S = 30.0
_NOT_FOUND = 404
_TAKEN = range(200, 300)
_MOST_WORDS = 300


class SetupFailed(RuntimeError):
    """InfluxDB is not there, or refuses; the message says what, and what to do about it.

    ``status`` is the HTTP status of its answer, if there was one.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class InfluxApi:
    """Requests to the server at ``url`` with one token; ``ca_file`` names a private authority."""

    def __init__(self, url: str, token: str = "", ca_file: Path | None = None) -> None:
        self.url = url
        self._ca_file = ca_file
        self._token = token
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=TIMEOUT_S,
            ca_certs=None if ca_file is None else str(ca_file),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def holding(self, token: str) -> "InfluxApi":
        """Return the same server, asked with another token."""
        return InfluxApi(self.url, token, self._ca_file)

    def get(self, path: str, **query: str) -> Any:
        """Read. Raises ``SetupFailed``."""
        return self._asked("GET", path, query, None)

    def find(self, kind: str, **query: str) -> list[dict[str, Any]]:
        """List what there is of ``kind`` (``buckets``, ``tasks``, ...). Raises ``SetupFailed``."""
        try:
            found: list[dict[str, Any]] = self.get(kind, **query)[kind]
        except SetupFailed as answer:
            # Of some kinds it says so when there is none of that name.
            if answer.status != _NOT_FOUND:
                raise
            return []
        return found

    def post(self, path: str, body: dict[str, Any], **query: str) -> Any:
        """Make. Raises ``SetupFailed``."""
        return self._asked("POST", path, query, msgspec.json.encode(body))

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """Change. Raises ``SetupFailed``."""
        return self._asked("PATCH", path, {}, msgspec.json.encode(body))

    def delete(self, path: str) -> None:
        """Remove. Raises ``SetupFailed``."""
        self._asked("DELETE", path, {}, None)

    def post_lines(self, body: bytes, **query: str) -> None:
        """Write line protocol. Raises ``SetupFailed``."""
        self._asked("POST", "write", query, body)

    def query(self, org: str, text: str) -> str:
        """Return the CSV of a Flux query's answer. Raises ``SetupFailed``."""
        body = msgspec.json.encode({"query": text, "type": "flux"})
        return self._answer("POST", "query", {"org": org}, body).decode()

    def _asked(self, method: str, path: str, query: dict[str, str], body: bytes | None) -> Any:
        answer = self._answer(method, path, query, body)
        try:
            return msgspec.json.decode(answer) if answer else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise SetupFailed(f"what answers at {self.url} is no InfluxDB") from None

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes | None) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Token {self._token}"
        address = f"{self.url}/api/v2/{path}"
        if query:
            address += f"?{urlencode(query)}"
        try:
            answer = self._pool.request(method, address, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as lost:
            raise SetupFailed(f"InfluxDB at {self.url} is out of reach: {lost}") from None
        if answer.status not in _TAKEN:
            raise SetupFailed(self._words(answer.status, answer.data), answer.status)
        return answer.data

    def _words(self, status: int, body: bytes) -> str:
        try:
            said = str(msgspec.json.decode(body)["message"])
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
            said = body.decode(errors="replace")
        said = " ".join(said.split())[:_MOST_WORDS]
        match status:
            case 401:
                return f"InfluxDB at {self.url} does not accept the token: {said}"
            case 403:
                return f"InfluxDB's token does not allow this: {said}"
        return f"InfluxDB at {self.url} answered {status}: {said}"
