"""A real Alertmanager of one's own, for tests: started, restarted, stopped.

Promises that it answers when it is handed over, and that nothing of it is left when the context
ends, or this process does, however. It is alone (no cluster) and listens on this machine only.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3

from deploy.alertmanager.build import alertmanager_path
from deploy.free_port import free_port
from deploy.guarded import Guarded

READY_S = 60.0
STOP_S = 30.0
"""An orderly stop takes a second; what is stuck is killed after this."""
PICKS = 5
"""Between the pick of a port and its use another may take it: then so many picks in all."""
_HOST = "127.0.0.1"
_LOG_CHARACTERS = 2000
_POLL_S = 0.05
_OK = 200
_PORT_TAKEN = "address already in use"


class AlertmanagerError(RuntimeError):
    """The server did not come up; the message ends with its last words."""


class AlertmanagerServer:
    """An Alertmanager with the configuration ``config``, a file.

    ``program`` is the one to run; without it one is found or built (may raise ``CannotBuild``).
    With ``web_config``, its file for TLS, it answers by https under a certificate of ``ca_file``.
    """

    def __init__(
        self,
        config: Path,
        program: Path | None = None,
        *,
        web_config: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._config = config
        self._program = program
        self._web_config = web_config
        self._ca_file = None if ca_file is None else str(ca_file)
        self._process: Guarded | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers; the same after a restart."""
        scheme = "http" if self._web_config is None else "https"
        return f"{scheme}://{_HOST}:{self._port}"

    def __enter__(self) -> Self:
        self._program = self._program or alertmanager_path()
        self._folder = Path(tempfile.mkdtemp(prefix="inowatch-alertmanager-"))
        try:
            for picks_left in reversed(range(PICKS)):
                self._port = free_port()
                try:
                    self.start()
                except AlertmanagerError as failed:
                    if not picks_left or _PORT_TAKEN not in str(failed):
                        raise
                else:
                    break
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
        """Start it on its port and return when it is ready; else ``AlertmanagerError``."""
        web = [] if self._web_config is None else [f"--web.config.file={self._web_config}"]
        with (self._folder / "log").open("ab") as log:
            self._process = Guarded(
                [
                    str(self._program),
                    f"--config.file={self._config}",
                    f"--storage.path={self._folder / 'data'}",
                    f"--web.listen-address={_HOST}:{self._port}",
                    "--cluster.listen-address=",
                    *web,
                ],
                cwd=self._folder,
                output=log,
                remove=self._folder,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """End it orderly; its data stay for the next ``start``. Twice does no harm."""
        if self._process is not None and self._process.poll() is None:
            # Not by the guardian's own stop: that would remove the data.
            os.kill(self._process.pid_of_child, signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process = None

    def _leave(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_S)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_ready(self, process: Guarded) -> None:
        deadline = time.monotonic() + READY_S
        with urllib3.PoolManager(retries=False, timeout=1.0, ca_certs=self._ca_file) as pool:
            while time.monotonic() < deadline:
                code = process.poll()
                if code is not None:
                    self._process = None
                    words = self._last_words()
                    raise AlertmanagerError(f"Alertmanager ended with {code}: {words}")
                try:
                    if pool.request("GET", f"{self.url}/-/ready").status == _OK:
                        return
                except urllib3.exceptions.HTTPError:
                    pass  # not there yet
                time.sleep(_POLL_S)
        self.stop()
        raise AlertmanagerError(f"it was not ready in {READY_S:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        return log[-_LOG_CHARACTERS:]
