"""Several workers on one machine: each role a process of its own, started again when it dies.

A process that is gone had nothing acknowledged that was not done, so starting it again is all that
recovery takes. All of them end with this process, also when it is killed.
"""

import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import MappingProxyType

from deploy.guarded import Guarded
from streams.ending import EXIT_CANNOT_START

log = logging.getLogger("inowatch")

BACKOFF_S = (0.2, 1.0, 5.0)
STEADY_S = 30.0
"""A worker that ran this long died of something new, not of its start."""
PROVED_S = 10.0
"""A role that ran this long once could start; what keeps it from it later may pass."""


class Workers:
    """Worker processes, one a role, with ``env`` as their whole environment.

    ``removes`` names a temporary directory that goes with a role's worker when this process is
    killed and cannot remove it itself.
    """

    def __init__(
        self,
        roles: Iterable[str],
        env: Mapping[str, str],
        removes: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._env, self._removes = env, removes
        self._roles = tuple(dict.fromkeys(roles))
        self._running: dict[str, Guarded] = {}
        self._started: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._proved: set[str] = set()

    def start(self) -> None:
        """Start every role."""
        for role in self._roles:
            self._start(role)

    def watch(self, stop: Event) -> int:
        """Start again what dies, until ``stop``; none waits for another.

        A role that cannot start at all ends it all: that is a fault in the settings. Returns the
        exit code for this process.
        """
        while not stop.wait(0.1):
            for role in self._roles:
                if role in self._due:
                    if time.monotonic() >= self._due[role]:
                        del self._due[role]
                        self._start(role)
                elif (code := self._running[role].poll()) is not None:
                    if code == EXIT_CANNOT_START and role not in self._proved:
                        return 1
                    self._plan_restart(role, code)
                elif time.monotonic() - self._started[role] > PROVED_S:
                    self._proved.add(role)
        return 0

    def stop(self) -> None:
        """End every worker, all at once."""
        with ThreadPoolExecutor(len(self._roles)) as pool:
            list(pool.map(Guarded.stop, self._running.values()))
        self._running.clear()

    def _plan_restart(self, role: str, code: int) -> None:
        ran_s = time.monotonic() - self._started[role]
        if ran_s > STEADY_S:
            self._failures[role] = 0
        wait_s = BACKOFF_S[min(self._failures[role], len(BACKOFF_S) - 1)]
        self._failures[role] += 1
        self._due[role] = time.monotonic() + wait_s
        log.warning("%s ended with code %d; starting it again in %g s", role, code, wait_s)

    def _start(self, role: str) -> None:
        self._started[role] = time.monotonic()
        command = [sys.executable, "-m", "streams.cli", "run", role]
        self._running[role] = Guarded(command, env=self._env, remove=self._removes.get(role))


def run_roles(roles: Iterable[str]) -> int:
    """Run several roles until this process is told to stop; returns its exit code."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    workers = Workers(roles, os.environ)
    workers.start()
    try:
        return workers.watch(stop)
    finally:
        workers.stop()
