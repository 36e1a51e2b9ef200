"""A real proxy in front of a real InfluxDB, which does to writes what networks and proxies do.

``FaultyProxy`` is a web server of its own that passes every request on, except that writes meet the
faults that the test has put into ``faults``, one each, in that order. It counts what came. It knows
InfluxDB's address and nothing of the product. It is gone, with its threads, when its block ends.
"""

import gzip
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

WRITES = "/api/v2/write"
_PATIENCE_S = 60.0
_NOT_PASSED_ON = {"connection", "host", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Fault:
    """What is done to one write.

    ``answer``: it is not passed on, and answered with ``status``, ``headers`` and ``body``.
    ``silent``: it is not passed on, and never answered. The others are passed on, and InfluxDB's
    answer never comes (``late``), is lost with the connection (``lost``) or breaks off (``half``).
    """

    manner: Literal["answer", "silent", "late", "lost", "half"] = "answer"
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Write:
    """A write as it arrived, at ``at_s`` of the monotonic clock."""

    lines: int
    encoding: str
    at_s: float


class FaultyProxy(ThreadingHTTPServer):
    """``with FaultyProxy(influxdb.url, Fault(status=503)) as proxy:`` breaks the first write.

    ``most_at_once`` is the largest number of writes that were under way at one moment.
    """

    daemon_threads = False

    def __init__(self, url: str, *faults: Fault) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.faults = deque(faults)
        self.behind = urlsplit(url).netloc
        self.writes: list[Write] = []
        self.most_at_once = 0
        self.at_once = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()  # waits for the threads of requests

    def next_fault(self) -> Fault | None:
        """Take the fault of the write that arrives now."""
        with self.lock:
            return self.faults.popleft() if self.faults else None


class _Passing(BaseHTTPRequestHandler):
    server: FaultyProxy
    timeout = 1  # an idle connection is closed, so that its thread ends

    def do_GET(self) -> None:
        """Pass it on."""
        self._answer(self._ask(b""))

    def do_POST(self) -> None:
        """Pass it on; a write meets its fault."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.startswith(WRITES):
            self._answer(self._ask(body))
            return
        proxy, fault = self.server, self.server.next_fault()
        encoding = self.headers.get("Content-Encoding", "identity")
        lines = (gzip.decompress(body) if encoding == "gzip" else body).count(b"\n") + 1
        with proxy.lock:
            proxy.writes.append(Write(lines, encoding, time.monotonic()))
            proxy.at_once += 1
            proxy.most_at_once = max(proxy.most_at_once, proxy.at_once)
        try:
            self._break(fault, body) if fault else self._answer(self._ask(body))
        finally:
            with proxy.lock:
                proxy.at_once -= 1

    def _break(self, fault: Fault, body: bytes) -> None:
        self.close_connection = True
        if fault.manner == "answer":
            self.send_response(fault.status)
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(fault.body)))
            self.end_headers()
            self.wfile.write(fault.body)
            return
        if fault.manner != "silent":
            self._ask(body)
        if fault.manner in {"silent", "late"}:
            self.server.closing.wait(_PATIENCE_S)
        if fault.manner == "half":
            self.wfile.write(b"HTTP/1.1 20")

    def _ask(self, body: bytes) -> tuple[HTTPResponse, bytes] | None:
        """Ask InfluxDB; ``None`` when it is not there."""
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_PASSED_ON}
        behind = HTTPConnection(self.server.behind, timeout=_PATIENCE_S)
        try:
            behind.request(self.command, self.path, body, headers)
            response = behind.getresponse()
            return response, response.read()
        except OSError:
            return None
        finally:
            behind.close()

    def _answer(self, answer: tuple[HTTPResponse, bytes] | None) -> None:
        if answer is None:
            self.send_error(502)
            return
        response, body = answer
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""
