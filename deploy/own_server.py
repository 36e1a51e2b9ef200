"""A server program of one's own, in a process that answers by HTTP: started, restarted, stopped.

Promises that it answers when it is handed over, that its data outlive a stop or a kill of the
process, and that nothing of it is left when the context ends, or this process does, however. It
listens on this machine only.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import urllib3

from deploy.free_port import free_port
from deploy.guarded import Guarded

READY_S = 60.0
STOP_S = 30.0
"""An orderly stop takes a second; what is stuck is killed after this."""
PICKS = 5
"""Between the pick of a port and its use another may take it: then so many picks in all."""
HOST = "127.0.0.1"
_LOG_CHARACTERS = 2000
_POLL_S = 0.05
_OK = 200
_PORT_TAKEN = "address already in use"


class ServerError(RuntimeError):
    """The server did not come up; the message ends with its last words."""


class OwnServer(ABC):
    """A context in which the server runs.

    Data lie in ``directory``, which is kept; without one, in a temporary one that goes at the end.
    ``name`` is the program's, ``ready`` the path at which it says that it is. With ``ca_file`` it
    answers by https, under a certificate of that authority.
    """

    name: ClassVar[str]
    ready: ClassVar[str]

    def __init__(self, directory: Path | None = None, ca_file: Path | None = None) -> None:
        self._is_temporary = directory is None
        self._directory = directory
        self._ca_file = None if ca_file is None else str(ca_file)
        self._process: Guarded | None = None
        self._port = 0

    @abstractmethod
    def _find(self) -> None:
        """Find the program; called once, before anything else. May raise ``CannotBuild``."""

    @abstractmethod
    def _command(self, directory: Path) -> list[str]:
        """Say how it is started, with its data in ``directory``."""

    def _begin(self) -> None:
        """Do what is done once, when it answers for the first time; most need nothing."""
        return

    @property
    def _address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def url(self) -> str:
        """Where it answers; the same after a restart."""
        return f"{'https' if self._ca_file else 'http'}://{self._address}"

    def __enter__(self) -> Self:
        self._find()
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"inowatch-{self.name}-"))
        try:
            self._start_on_a_free_port()
            self._begin()
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
        """Start it on its port and return when it is ready; else ``ServerError``."""
        if self._directory is None:
            raise ServerError(f"{self.name} starts with its context")
        with self._log(self._directory).open("ab") as log:
            self._process = Guarded(
                self._command(self._directory),
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
            # The guardian has done it, unless the server had ended before.
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start_on_a_free_port(self) -> None:
        for picks_left in reversed(range(PICKS)):
            self._port = free_port()
            try:
                self.start()
            except ServerError as failed:
                if not picks_left or _PORT_TAKEN not in str(failed):
                    raise
            else:
                return

    def _wait_until_ready(self, process: Guarded) -> None:
        deadline = time.monotonic() + READY_S
        with urllib3.PoolManager(retries=False, timeout=1.0, ca_certs=self._ca_file) as pool:
            while time.monotonic() < deadline:
                code = process.poll()
                if code is not None:
                    self._process = None
                    raise ServerError(f"{self.name} ended with {code}: {self._last_words()}")
                try:
                    if pool.request("GET", f"{self.url}{self.ready}").status == _OK:
                        return
                except urllib3.exceptions.HTTPError:
                    pass  # not there yet
                time.sleep(_POLL_S)
        self.kill()
        raise ServerError(f"{self.name} was not ready in {READY_S:.0f} s: {self._last_words()}")

    def _log(self, directory: Path) -> Path:
        return directory / f"{self.name}.log"

    def _last_words(self) -> str:
        if self._directory is None:
            return ""
        log = self._log(self._directory).read_text(encoding="utf-8", errors="replace")
        return log[-_LOG_CHARACTERS:]
