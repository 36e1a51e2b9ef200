"""A real InfluxDB of one's own, for tests and demonstrations: started, onboarded, stopped.

Promises that it answers when it is handed over, that its data outlive a stop or a kill of the
process, and that nothing of it is left when the context ends, or this process does, however. It
listens on this machine only.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.onboarding_request import OnboardingRequest
from influxdb_client.service.setup_service import SetupService

from deploy.free_port import free_port
from deploy.guarded import Guarded
from deploy.influxdb.build import influxd_path

READY_S = 60.0
STOP_S = 30.0
"""An orderly stop takes a second; what is stuck is killed after this."""
PICKS = 5
"""Between the pick of a port and its use another may take it: then so many picks in all."""
_HOST = "127.0.0.1"
_LOG = "influxd.log"
_LOG_CHARACTERS = 2000
_POLL_S = 0.05
_OK = 200
_PORT_TAKEN = "address already in use"


class InfluxServerError(RuntimeError):
    """The server did not come up; the message ends with its last words."""


class InfluxServer:
    """An influxd with organization ``org``, bucket ``bucket`` and an all-access ``token``.

    Data lie in ``directory``, which is kept; without one, in a temporary one that goes at the end.
    ``program`` is the influxd to run; without it one is found or built (may raise ``CannotBuild``).
    Not ``onboarded`` it has none of them, as a server that was just installed.
    """

    org = "ward"
    bucket = "inowatch"

    def __init__(
        self,
        directory: Path | None = None,
        program: Path | None = None,
        *,
        onboarded: bool = True,
    ) -> None:
        self._onboarded = onboarded
        self._program = program
        self._is_temporary = directory is None
        self._directory = directory
        self._process: Guarded | None = None
        self._port = 0
        self.token = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """Where it answers; the same after a restart."""
        return f"http://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        self._program = self._program or influxd_path()
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="inowatch-influxd-"))
        try:
            self._start_on_a_free_port()
            if self._onboarded:
                self._onboard()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def start(self) -> None:
        """Start it on its port and return when it is ready; else ``InfluxServerError``."""
        if self._directory is None or self._program is None:
            raise InfluxServerError("an InfluxServer starts with its context")
        with (self._directory / _LOG).open("ab") as log:
            self._process = Guarded(
                [
                    str(self._program),
                    *("--http-bind-address", f"{_HOST}:{self._port}"),
                    *("--bolt-path", str(self._directory / "influxd.bolt")),
                    *("--sqlite-path", str(self._directory / "influxd.sqlite")),
                    *("--engine-path", str(self._directory / "engine")),
                    *("--log-level", "error"),
                    "--reporting-disabled",
                ],
                cwd=self._directory,
                output=log,
                remove=self._directory if self._is_temporary else None,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """End it orderly and keep its data for the next ``start``. Twice does no harm."""
        if self._process is not None and self._process.poll() is None:
            # Not by the guardian's own stop: that would remove temporary data.
            os.kill(self._process.pid_of_child, signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash does; what it had confirmed is still there after it."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port with the same data."""
        self.stop()
        self.start()

    def _leave(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_S)
            self._process = None
        if self._is_temporary and self._directory is not None:
            # The guardian has done it, unless influxd had ended before.
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start_on_a_free_port(self) -> None:
        for picks_left in reversed(range(PICKS)):
            self._port = free_port()
            try:
                self.start()
            except InfluxServerError as failed:
                if not picks_left or _PORT_TAKEN not in str(failed):
                    raise
            else:
                return

    def _wait_until_ready(self, process: Guarded) -> None:
        deadline = time.monotonic() + READY_S
        with urllib3.PoolManager(retries=False, timeout=1.0) as pool:
            while time.monotonic() < deadline:
                code = process.poll()
                if code is not None:
                    self._process = None
                    raise InfluxServerError(f"influxd ended with {code}: {self._last_words()}")
                try:
                    if pool.request("GET", f"{self.url}/health").status == _OK:
                        return
                except urllib3.exceptions.HTTPError:
                    pass  # not there yet
                time.sleep(_POLL_S)
        self.kill()
        raise InfluxServerError(f"influxd was not ready in {READY_S:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        if self._directory is None:
            return ""
        log = (self._directory / _LOG).read_text(encoding="utf-8", errors="replace")
        return log[-_LOG_CHARACTERS:]

    def _onboard(self) -> None:
        request: Any = OnboardingRequest
        with InfluxDBClient(self.url, "") as client:
            setup: Any = SetupService
            setup(client.api_client).post_setup(
                request(
                    username="inowatch",
                    password=secrets.token_urlsafe(16),
                    org=self.org,
                    bucket=self.bucket,
                    token=self.token,
                )
            )
