"""Several workers on one machine: each role a process of its own, started again when it dies.

A process that is gone had nothing acknowledged that was not done, so starting it again is all that
recovery takes. All of them end with this process, also when it is killed.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import MappingProxyType

from deploy.guarded import Guarded
from streams.worker import EXIT_CANNOT_START

log = logging.getLogger("inowatch")

BACKOFF_S = (0.2, 1.0, 5.0)
STEADY_S = 30.0
"""A worker that ran this long died of something new, not of its start."""


class Workers:
    """Worker processes, one a role. ``env`` is added to this process's environment.

    ``removes`` names a temporary directory that goes with a role's worker when this process is
    killed and cannot remove it itself.
    """

    def __init__(
        self,
        roles: Sequence[str],
        env: Mapping[str, str],
        removes: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._removes = removes
        self._env = {**os.environ, **env}
        self._roles = roles
        self._running: dict[str, Guarded] = {}
        self._started: dict[str, float] = {}
        self._failures: dict[str, int] = dict.fromkeys(roles, 0)

    def start(self) -> None:
        """Start every role."""
        for role in self._roles:
            self._start(role)

    def pid_of(self, role: str) -> int:
        """Process id of a role's worker."""
        return self._running[role].pid_of_child

    def watch(self, stop: Event) -> int:
        """Start again what dies, until ``stop``; a role that cannot start at all ends it all.

        Returns the exit code for this process.
        """
        while not stop.wait(0.1):
            for role in self._roles:
                code = self._running[role].poll()
                if code is None:
                    continue
                if code == EXIT_CANNOT_START:
                    return 1
                self._restart(role, code, stop)
        return 0

    def stop(self) -> None:
        """End every worker, all at once."""
        with ThreadPoolExecutor(len(self._roles)) as pool:
            list(pool.map(Guarded.stop, self._running.values()))
        self._running.clear()

    def _restart(self, role: str, code: int, stop: Event) -> None:
        ran_s = time.monotonic() - self._started[role]
        failures = 0 if ran_s > STEADY_S else self._failures[role]
        wait_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
        log.warning("%s ended with code %d; starting it again in %g s", role, code, wait_s)
        if not stop.wait(wait_s):
            self._failures[role] = failures + 1
            self._start(role)

    def _start(self, role: str) -> None:
        self._started[role] = time.monotonic()
        command = [sys.executable, "-m", "streams.cli", "run", role]
        self._running[role] = Guarded(command, env=self._env, remove=self._removes.get(role))


def run_roles(roles: Sequence[str], env: Mapping[str, str]) -> int:
    """Run several roles until this process is told to stop; returns its exit code."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    workers = Workers(roles, env)
    workers.start()
    try:
        return workers.watch(stop)
    finally:
        workers.stop()
