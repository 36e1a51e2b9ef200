"""The port, by grafana-api: its connection and its raw verbs, and nothing else of it.

The package is archived and its own methods have faults (queries that are not encoded, arguments
that raise, no data source by uid, numeric ids), so none of them is called. Here are the address,
the time limit and the meaning of an answer. It is tried once: a deploy is safe to repeat.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaAPI, GrafanaException

from deploy.grafana.port import GrafanaError, Json

TIMEOUT_S = 20.0
_NOT_FOUND = 404
_MEANING = {
    401: "it does not know the token",
    403: "the token may not do that: it takes a service account with the role Admin",
    412: "somebody else has saved it meanwhile: look, and repeat",
}


class GrafanaClient:
    """A Grafana at ``url`` (a path in it is kept), with a service account's ``token``."""

    def __init__(self, url: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        path = parts.path.strip("/")
        self._url = f"{parts.scheme}://{parts.netloc}"
        self._api = GrafanaAPI(
            token,
            host=parts.netloc,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=timeout_s,
        )
        # A redirect would take the token to somewhere else.
        self._api.s.max_redirects = 0

    def read(self, path: str) -> Json | None:
        """GET."""
        return self._answer("GET", path, lambda: self._api.GET(path))

    def make(self, path: str, body: Json) -> None:
        """POST."""
        self._required("POST", path, lambda: self._api.POST(path, json=body))

    def change(self, path: str, body: Json) -> None:
        """PUT."""
        self._required("PUT", path, lambda: self._api.PUT(path, json=body))

    def _required(self, verb: str, path: str, ask: Callable[[], Any]) -> None:
        if self._answer(verb, path, ask) is None:
            raise GrafanaError(f"Grafana at {self._url}: {verb} {path}: there is no such thing")

    def _answer(self, verb: str, path: str, ask: Callable[[], Any]) -> Json | None:
        where = f"Grafana at {self._url}: {verb} {path}"
        try:
            answer = ask()
        except GrafanaException as refused:
            if refused.status_code == _NOT_FOUND:
                return None
            meaning = _MEANING.get(refused.status_code, refused.message)
            raise GrafanaError(f"{where}: {refused.status_code}: {meaning}") from None
        except requests.exceptions.TooManyRedirects:
            raise GrafanaError(f"{where}: it leads elsewhere; name the address itself") from None
        except requests.exceptions.JSONDecodeError:
            raise GrafanaError(f"{where}: the answer is no JSON; is it a Grafana?") from None
        except requests.exceptions.RequestException as lost:
            raise GrafanaError(f"{where}: out of reach: {lost}") from None
        if not isinstance(answer, dict):
            raise GrafanaError(f"{where}: the answer is no object; is it a Grafana?")
        return answer
