"""The watchdog's process: looks, judges, tells its receivers, keeps the heartbeat, reports.

It looks in a thread of its own, so that a Kafka that hangs stops neither the judging nor the
telling; that no look succeeds for too long is itself a fault. It runs until it is told to stop, and
nothing that it watches can keep it from starting.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime

from alerts.monitor_blind import NAME
from alerts.sinks.port import Sink
from alerts.sinks.terminal import Terminal
from schemas.alert import Alert
from schemas.page import Outcome, Page
from streams.clock import wall_clock
from streams.receivers import receivers
from streams.settings import Settings
from streams.watch.blindness import Blindness
from streams.watch.eye import Eye
from streams.watch.health import Fault, judge
from streams.watch.heartbeat import Heartbeat
from streams.watch.ledger import LeftOpen
from streams.watch.look import Look
from streams.watch.records import Records
from streams.watch.report import Report
from streams.watch.teller import Teller

log = logging.getLogger("inowatch")

JUDGE_S = 0.5
_LOGGED = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"


def watcher(settings: Settings) -> str:
    """Name this watchdog; it is the device in its alerts."""
    return f"watchdog-{settings.instance}"


def sinks(settings: Settings) -> Iterator[Sink]:
    """Make the pager's receivers once more, for the watchdog's own use."""
    yield from receivers(settings)
    if settings.terminal:
        yield Terminal(sys.stdout)


class Watchdog:
    """One site's watchdog. Raises ``ValueError`` for settings that cannot be worked with."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = settings.clock
        limits = settings.book.named(settings.profile)
        self._limits = limits.monitor_blind
        self._tellers = [Teller(sink, self._clock, self._note) for sink in sinks(settings)]
        names = [teller.name for teller in self._tellers]
        self._records = Records(settings.kafka)
        began = wall_clock()
        self._eye = Eye(Look(settings, names, watcher(settings)), self._records, began)
        self._heartbeat = None
        if settings.heartbeat_url is not None:
            self._heartbeat = Heartbeat(settings.heartbeat_url, self._limits.heartbeat)
        self._blindness = Blindness(
            limits, settings.prefix, watcher(settings), began, self._ward_time
        )
        self._report = Report(watcher(settings), settings.watched, names, self._ward_time)
        self._adopted = False
        self._faults: list[Fault] | None = None
        self._said: set[str] = set()

    def _ward_time(self, time: datetime) -> datetime:
        return self._clock.at(time.timestamp())

    def run(self) -> None:
        """Watch until SIGTERM or SIGINT."""
        logging.basicConfig(level=logging.WARNING, format=_LOGGED)
        # What it has to say comes back as an error, and is said once.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        if not self._tellers:
            log.error("no receiver is set: nobody will be told when the monitor is blind")
        self._eye.start()
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        work = [asyncio.create_task(teller.serve()) for teller in self._tellers]
        work.append(asyncio.create_task(self._keep_judging()))
        if self._heartbeat is not None:
            work.append(asyncio.create_task(self._heartbeat.beat_while(lambda: self._faults == [])))
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopped, *work], return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, *work):
            task.cancel()
        await asyncio.gather(stopped, *work, return_exceptions=True)
        for teller in self._tellers:
            await teller.close()
        for task in done - {stopped}:
            task.result()  # none of them ends but by a fault of ours: it ends the process

    async def _keep_judging(self) -> None:
        while True:
            sight, now = self._eye.sight, wall_clock()
            if sight.seen is not None and not self._adopted:
                self._adopt(sight.left_open, now)
            self._faults = judge(sight.seen, sight.answered, sight.trouble, now, self._limits)
            if not self._blindness.is_starting(now):
                self._say(self._faults or [])
            transition = self._blindness.step(self._faults, now)
            if transition is not None:
                self._tell(transition)
            health = self._report.due(self._faults, sight.seen, now)
            if health is not None:
                self._records.add_newest(self._settings.topics.health, health.watcher, health)
            await asyncio.sleep(JUDGE_S)

    def _adopt(self, left_open: Iterable[LeftOpen], now: datetime) -> None:
        """Go on with what an earlier run has left open; of several, and of older ones, with one."""
        self._adopted = True
        mine = self._blindness.open
        newest_first = sorted(left_open, key=lambda left: left[0].at, reverse=True)
        for number, (alert, told) in enumerate(newest_first):
            for teller in self._tellers:
                if teller.name in told:
                    teller.recall(alert.id, told[teller.name])
            if number == 0 and mine is None:
                self._blindness.adopt(alert)
                self._tell(alert, again=True)
            else:
                self._tell(self._blindness.taken_over(alert, now))

    def _say(self, faults: list[Fault]) -> None:
        """Log what is newly wrong, and when nothing is any more."""
        reasons = {fault.reason for fault in faults}
        for fault in faults:
            if fault.reason not in self._said:
                log.warning("%s", fault.words)
        if self._said and not reasons:
            log.warning("all is well again")
        self._said = set(reasons)

    def _tell(self, transition: Alert, *, again: bool = False) -> None:
        if not again:
            topic = self._settings.topics.alerts
            self._records.add(topic, transition.patient, transition)
        for teller in self._tellers:
            teller.tell(transition)

    def _note(self, sink: str, alert: Alert, outcome: Outcome, reason: str, attempt: int) -> None:
        page = Page(
            time=self._clock(),
            alert=alert.id,
            rule=NAME,
            phase=alert.phase,
            priority=alert.priority,
            at=alert.at,
            patient=alert.patient,
            sink=sink,
            attempt=attempt,
            outcome=outcome,
            reason=reason,
        )
        self._records.add(self._settings.topics.pages, alert.id, page)
