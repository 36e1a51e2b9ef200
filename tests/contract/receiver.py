"""Real receivers for tests: one that is told what to answer, one that a vendor's file describes.

``Receiver`` is a web server on this machine: it counts what is posted to it and answers what the
test asked for. ``validating_server`` starts Prism, which serves an OpenAPI description and refuses
every request that breaks it. Neither knows the product. Both are gone when their block ends.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, NoReturn, Self

import pytest
from aiohttp import web

from deploy.cache import cache_root

PRISM = "5.14.2"
"""The newest release for Node 20; later ones ask for Node 24."""

START_LIMIT_S = 60.0
INSTALL_LIMIT_S = 240.0


@dataclass(frozen=True)
class Post:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body, which must be a JSON object."""
        read = json.loads(self.body)
        assert isinstance(read, dict)
        return read


@dataclass(frozen=True)
class Answer:
    """What to answer; ``manner`` is how.

    ``hang``: count the post and never answer. ``hang-in-body``: answer the status, and hang before
    the body is whole. ``drop``: count the post and close the connection. ``{path}`` and ``{body}``
    in ``text`` stand for the request's own.
    """

    status: int = 202
    text: str = "noted"
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Literal["answer", "hang", "hang-in-body", "drop"] = "answer"


class Receiver:
    """``async with Receiver(Answer(503)) as receiver:`` answers 503 once and 202 from then on."""

    def __init__(self, *answers: Answer, port: int = 0) -> None:
        self.posts: list[Post] = []
        self.answers = deque(answers)
        self._port = port
        self._closing = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._runner.addresses[0][1])

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.posts.append(Post(request.path, dict(request.headers), body))
        answer = self.answers.popleft() if self.answers else Answer()
        if answer.manner == "hang":
            await self._closing.wait()
        if answer.manner == "hang-in-body":
            await self._half(request, answer)
        if answer.manner == "drop" and request.transport is not None:
            request.transport.close()
        text = answer.text.replace("{path}", request.path).replace("{body}", body.decode())
        return web.Response(status=answer.status, text=text, headers=answer.headers)

    async def _half(self, request: web.Request, answer: Answer) -> None:
        response = web.StreamResponse(status=answer.status, headers={"content-length": "1000"})
        await response.prepare(request)
        await response.write(answer.text.encode())
        await self._closing.wait()


def cannot(reason: str) -> NoReturn:
    """Skip with the reason on a developer's machine; fail with it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"cannot run in CI: {reason}")
    pytest.skip(reason)


def contract_file(name: str) -> Path:
    """Find a vendor's file in INOWATCH_CONTRACTS or beside the checkout; ``cannot`` if absent."""
    checkout = Path(__file__).resolve().parents[2]
    folder = os.environ.get("INOWATCH_CONTRACTS") or checkout.parent / "shared" / "contracts"
    path = Path(folder) / name
    if not path.is_file():
        cannot(f"{name} is not in {folder}; INOWATCH_CONTRACTS names another folder")
    return path


@contextlib.contextmanager
def validating_server(description: Path, work: Path) -> Iterator[str]:
    """Serve ``description`` (OpenAPI or Swagger, JSON) with Prism; gives ``http://127.0.0.1:PORT``.

    Prism leaves out the path of the description's server (``/v2``), so a copy in ``work`` has it
    moved in front of every path. A request that breaks the description is answered 4xx.
    """
    described = json.loads(description.read_text())
    servers = described.get("servers")
    prefix = "/" + servers[0]["url"].split("/", 3)[3] if servers else described["basePath"]
    described["paths"] = {prefix + path: what for path, what in described["paths"].items()}
    copy = work / description.name
    copy.write_text(json.dumps(described))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = work / "prism.log"
    command = [*_prism(), "mock", str(copy), "-h", "127.0.0.1", "-p", str(port), "--errors"]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until_s and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Prism did not start:\n{log.read_text()}")


def _prism() -> list[str]:
    """Prism's command line."""
    home = node_packages(f"prism-{PRISM}", [f"@stoplight/prism-cli@{PRISM}"])
    return ["node", str(home / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js")]


def node_packages(name: str, packages: Sequence[str]) -> Path:
    """Install packages of npm into the user's cache once; other test runs wait for it."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        cannot("node and npm are not on the PATH")
    cache = cache_root()
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / name
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "node_modules").is_dir():
            _install(npm, home, packages)
    return home


def _install(npm: str, home: Path, packages: Sequence[str]) -> None:
    """Install beside ``home`` and move it there whole, so that a broken install is never found."""
    with tempfile.TemporaryDirectory(dir=home.parent) as staging:
        target = Path(staging) / "whole"
        target.mkdir()
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        command = [npm, "install", "--prefix", str(target), *options]
        try:
            done = subprocess.run(
                [*command, *packages],
                capture_output=True,
                check=False,
                text=True,
                timeout=INSTALL_LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            cannot(f"{home.name} was not installed within {INSTALL_LIMIT_S:g} s")
        if done.returncode != 0:
            cannot(f"{home.name} cannot be installed: {done.stderr.strip()}")
        shutil.rmtree(home, ignore_errors=True)
        target.rename(home)
