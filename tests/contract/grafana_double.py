"""A Grafana that keeps what is saved, behind which Grafana's own description judges every call.

Each request goes to Prism first, which serves Grafana's OpenAPI description and refuses what breaks
it; ``refused`` keeps what it said. What passes is kept and given back in Grafana's shapes, with
what a real one adds: ids, versions, an organization, its own keys in a rule's queries.
"""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

Json = dict[str, Any]
_RULES = "/v1/provisioning/alert-rules"
_OK, _CREATED, _UNAUTHORIZED, _NOT_FOUND = 200, 201, 401, 404


class Call(NamedTuple):
    """One request as it came, with its path behind ``/api``."""

    verb: str
    path: str
    body: Json
    token: str


class GrafanaDouble:
    """``with GrafanaDouble(prism_url, token) as grafana:`` answers at ``grafana.url``."""

    def __init__(self, prism: str, token: str) -> None:
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.kept: dict[str, Json] = {}
        self.sends_to = ""
        """Where every request is redirected to, if anywhere."""
        self._prism = prism
        self._token = token
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def do_PUT(self) -> None:
                self._answer()

            def log_message(self, *_: object) -> None:
                """Keep still."""

            def _answer(self) -> None:
                if double.sends_to:
                    self.send_response(302)
                    self.send_header("location", double.sends_to)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                raw = self.rfile.read(int(self.headers.get("content-length") or 0))
                token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
                path = self.path.removeprefix("/api")
                call = Call(self.command, path, json.loads(raw or b"{}"), token)
                status, body = double.answer(call, raw)
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    @property
    def writes(self) -> list[Call]:
        """The calls that change something."""
        return [call for call in self.calls if call.verb != "GET"]

    def answer(self, call: Call, raw: bytes) -> tuple[int, Json]:
        """Judge, keep, answer."""
        self.calls.append(call)
        fault = self._fault(call, raw)
        if fault:
            self.refused.append(f"{call.verb} {call.path}: {fault}")
            return 422, {"message": fault}
        if call.token != self._token:
            return _UNAUTHORIZED, {"message": "Invalid API key"}
        if call.verb == "GET":
            found = self.kept.get(call.path)
            return (_OK, found) if found is not None else (_NOT_FOUND, {"message": "not found"})
        return self._keep(call)

    def _fault(self, call: Call, raw: bytes) -> str:
        """Return what Prism has against a request; its mock answers are of no interest."""
        request = urllib.request.Request(f"{self._prism}/api{call.path}", method=call.verb)
        request.add_header("authorization", f"Bearer {call.token}")
        if raw:
            request.data = raw
            request.add_header("content-type", "application/json")
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            said = json.loads(answer.read() or b"null")
            found = json.loads(answer.headers.get("sl-violations") or "[]")
        if isinstance(said, dict) and "stoplight.io/prism" in said.get("type", ""):
            if "validation" not in said:
                return str(said["title"])
            found += said["validation"]
        # What Prism finds wrong with the answer that it has made up itself is its own affair.
        found = [one for one in found if one["location"][0] == "request"]
        return json.dumps(found) if found else ""

    def _keep(self, call: Call) -> tuple[int, Json]:
        body = {key: value for key, value in call.body.items() if key != "secureJsonData"}
        if call.path == "/dashboards/db":
            return self._keep_board(body)
        place = call.path
        if call.verb == "POST":
            folder = "/datasources/uid" if call.path == "/datasources" else call.path
            place = f"{folder}/{body['uid']}"
        elif call.path not in self.kept:
            return _NOT_FOUND, {"message": "not found"}
        if call.path.startswith("/datasources"):
            body |= {"id": 3, "readOnly": False, "secureJsonFields": {"token": True}}
        elif call.path.startswith(_RULES):
            body |= {"orgID": 7, "provenance": "api"}
            for query in body["data"]:
                query["model"] |= {"intervalMs": 1000, "maxDataPoints": 43200}
        self.kept[place] = body
        return (_CREATED if call.verb == "POST" else _OK), body

    def _keep_board(self, body: Json) -> tuple[int, Json]:
        board = body["dashboard"]
        place = f"/dashboards/uid/{board['uid']}"
        there = self.kept.get(place)
        version = there["dashboard"]["version"] + 1 if there else 1
        self.kept[place] = {
            "dashboard": board | {"id": 11, "version": version},
            "meta": {"provisioned": False, "folderUid": body["folderUid"], "version": version},
        }
        said = {"status": "success", "uid": board["uid"], "version": version}
        return _OK, said
