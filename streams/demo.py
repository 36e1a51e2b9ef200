"""``inowatch demo``: the whole product on this machine, with nothing installed but Python.

A real Kafka, the workers as processes of their own, a simulated ward with weeks of history, the
board in a browser, each transition a line on the terminal. What it makes lies in one temporary
directory and is gone when it ends, also when it is killed. Only its recording is kept at an orderly
end, in place of the one before, so that ``inowatch audit`` has something to ask.
"""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
import uuid
import webbrowser
from contextlib import ExitStack
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import click

from deploy.kafka.broker import Broker
from schemas.topics import Topics
from streams.app import usual_roles
from streams.clock import FastClock, wall_clock
from streams.demo_recording import keep_recording
from streams.deploy_command import delete_topics, make_topics
from streams.settings import read_settings
from streams.simulate.produce import NotTaken, to_kafka
from streams.simulate.scenarios import SCENARIOS
from streams.simulate.ward import ward
from streams.stores.open import TOKEN_VARIABLE
from streams.supervise import Workers

SCENARIO, SEED = "ward", 1
RECORDING = "inowatch.sqlite"
PARTITIONS = 2
BOARD_WITHIN_S = 60.0
LONGEST = timedelta(days=400)
"""The ward's time to live: at 20 times, nearly three weeks of demo."""


def run_demo(  # noqa: PLR0913 - the options of the command, one parameter each
    beds: int,
    speed: float,
    for_s: float | None,
    port: int,
    *,
    store: str | None,
    browser: bool,
) -> int:
    """Run until Ctrl-C, or for ``for_s`` seconds of the board's being up. Returns the exit code.

    ``store`` is the address of a store to record into; without it the recording is kept as a file.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        kafka = os.environ.get("INOWATCH_KAFKA")
        if not kafka:
            _say("starting Kafka")
            kafka = stack.enter_context(Broker()).bootstrap
        demo = Demo(kafka, beds, speed, port, store)
        if os.environ.get("INOWATCH_KAFKA"):
            stack.callback(demo.delete_topics)
        stack.callback(demo.end)
        code = demo.run(stop, for_s, browser=browser)
    _say(f"stopped; {demo.left}")
    return code


class Demo:
    """One run: what it needs, and how it ends."""

    def __init__(self, kafka: str, beds: int, speed: float, port: int, store: str | None) -> None:
        self._now = wall_clock().replace(microsecond=0)
        self._beds, self._speed = beds, speed
        self._clock = FastClock(self._now, time.time(), speed)
        self._home: Path | None = None
        # Nothing of a real site: not its topics and groups, not its receivers, not its limits.
        self._env = {name: value for name, value in os.environ.items() if _is_no_setting(name)}
        if os.environ.get("INOWATCH_KAFKA"):
            self._env |= {n: v for n, v in os.environ.items() if n.startswith("INOWATCH_KAFKA_")}
        self._env |= {
            "INOWATCH_KAFKA": kafka,
            "INOWATCH_PREFIX": f"demo-{uuid.uuid4().hex[:8]}",
            "INOWATCH_PARTITIONS": str(PARTITIONS),
            "INOWATCH_BOARD_PORT": str(port),
            "INOWATCH_TERMINAL": "1",
        }
        self._store = store
        if store and TOKEN_VARIABLE in os.environ:
            self._env[TOKEN_VARIABLE] = os.environ[TOKEN_VARIABLE]
        self.left = "nothing is left behind"
        self._url = f"http://127.0.0.1:{port}/"
        self._workers: Workers | None = None
        self._stop_ward = Event()
        self._failed = Event()

    def run(self, stop: Event, for_s: float | None, *, browser: bool) -> int:
        """Fill the topics with history, start the clock and the workers, and let it run."""
        make_topics(read_settings(self._env))
        _say(f"a ward of {self._beds} beds with {self._history_h / 24:.0f} days of history")
        simulator = Thread(target=self._simulate, name="ward", daemon=True)
        simulator.start()
        deadline = time.monotonic() + BOARD_WITHIN_S
        while not stop.is_set() and not self._failed.is_set() and not self._board_is_up():
            if time.monotonic() > deadline and self._workers is not None:
                _say("the board did not come up")
                return 1
            stop.wait(0.2)
        if not stop.is_set() and not self._failed.is_set():
            self._welcome(browser=browser)
        ends = None if for_s is None else time.monotonic() + for_s
        while not stop.wait(0.2) and not self._failed.is_set():
            if ends is not None and time.monotonic() > ends:
                break
        return 1 if self._failed.is_set() else 0

    def end(self) -> None:
        """Stop the ward and the workers; remove what they wrote."""
        _say("stopping")
        self._stop_ward.set()
        if self._home is not None:
            # While it is there: the recorder takes it along when it is stopped.
            self._keep_recording(self._home / RECORDING)
        if self._workers is not None:
            self._workers.stop()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)

    def _keep_recording(self, recorded: Path) -> None:
        """Say how to ask what was recorded; put it where that finds it."""
        if self._store is not None:
            self.left = f"ask what it recorded: inowatch audit first-methb --store {self._store}"
        elif recorded.exists():
            try:
                keep_recording(recorded)
            except (OSError, sqlite3.Error) as trouble:
                _say(f"its recording cannot be kept: {trouble}")
            else:
                self.left = "only its recording is left; ask it: inowatch audit first-methb"

    def delete_topics(self) -> None:
        """Leave a Kafka that is not the demo's own as it was."""
        delete_topics(read_settings(self._env))

    @property
    def _history_h(self) -> float:
        return SCENARIOS[SCENARIO].history_h

    def _simulate(self) -> None:
        arrivals = ward(
            self._beds,
            SCENARIO,
            SEED,
            self._now - timedelta(hours=self._history_h),
            self._now,
            self._now + LONGEST,
            period_s=min(60.0, max(1.0, self._speed / 2)),
            speed=self._speed,
        )
        try:
            to_kafka(
                arrivals,
                read_settings(self._env).kafka,
                Topics(self._env["INOWATCH_PREFIX"]),
                self._ward_time,
                now=self._now,
                stop=self._stop_ward,
                on_live=self._go_live,
            )
        except NotTaken as trouble:
            _say(f"the simulated ward has ended: {trouble}")
            self._failed.set()

    def _ward_time(self) -> datetime:
        return self._clock()

    def _go_live(self) -> None:
        """History is in Kafka: from here on time runs, and the workers see it run."""
        self._clock = FastClock(self._now, time.time(), self._speed)
        self._env["INOWATCH_CLOCK"] = str(self._clock)
        # Made as late as this, so that from its first moment on a guardian removes it.
        self._home = Path(tempfile.mkdtemp(prefix="inowatch-demo-"))
        self._env["INOWATCH_STORE"] = self._store or f"sqlite:{self._home / RECORDING}"
        roles = usual_roles(read_settings(self._env))
        self._workers = Workers(roles, self._env, {"recorder": self._home})
        self._workers.start()
        Thread(target=self._watch, args=(self._workers,), name="workers", daemon=True).start()

    def _watch(self, workers: Workers) -> None:
        if workers.watch(self._stop_ward):
            self._failed.set()

    def _board_is_up(self) -> bool:
        try:
            with urlopen(f"{self._url}healthz", timeout=1) as answer:  # noqa: S310 - our own address
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def _welcome(self, *, browser: bool) -> None:
        _say(f"board: {self._url}")
        _say(f"time runs {self._speed:g} times as fast; Ctrl-C ends it")
        if browser:
            webbrowser.open(self._url)


def _is_no_setting(name: str) -> bool:
    return not name.startswith("INOWATCH_") or name == "INOWATCH_CACHE"


def _say(words: str) -> None:
    click.echo(f"inowatch: {words}", err=True)
