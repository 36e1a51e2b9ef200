"""``python -m tests.faults.armed ROLE``: a worker of the product with faults set by environment.

The product has no hooks; they are put on from outside, before it starts.

    INOWATCH_FAULT_KILL     POINT:N    kill -9 of itself when it reaches the point the N-th time
    INOWATCH_FAULT_WITHOUT  NAME,...   what keeps a promise is switched off (``points.MUTATIONS``)
    INOWATCH_FAULT_LOSE     TOPIC:N    the N-th record for the topic does not reach Kafka
    INOWATCH_FAULT_FULL     N:S        from the N-th write on the disk is full for S seconds
    INOWATCH_FAULT_TORN     N          kill -9 of itself amid the N-th write of the journal
    INOWATCH_FAULT_SHIFTED  1          its clock follows the shift of the grants
    INOWATCH_FAULT_JUDGED   FILE       what was judged is noted there
"""

import asyncio
import inspect
import os
import signal
import sys
import time
from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

from kafka.errors import KafkaError

from streams.app import run_role
from streams.settings import read_settings
from tests.faults import points
from tests.faults.granted import PREFIX, GrantedClock

UNLIMITED_PAGES = 2**30


def arm(env: Mapping[str, str]) -> None:
    """Set what the environment names. Raises ``NoSuchPoint``."""
    _follow_grants(shifted="INOWATCH_FAULT_SHIFTED" in env)
    if kill := env.get("INOWATCH_FAULT_KILL"):
        name, _, times = kill.partition(":")
        _kill_at(points.POINTS[name], int(times or 1))
    for name in filter(None, env.get("INOWATCH_FAULT_WITHOUT", "").split(",")):
        points.wrap(*points.MUTATIONS[name])
    if lose := env.get("INOWATCH_FAULT_LOSE"):
        topic, _, number = lose.rpartition(":")
        _lose(topic, int(number))
    if full := env.get("INOWATCH_FAULT_FULL"):
        first, _, seconds = full.partition(":")
        _fill_disk(int(first), float(seconds))
    if torn := env.get("INOWATCH_FAULT_TORN"):
        _tear(int(torn))
    if judged := env.get("INOWATCH_FAULT_JUDGED"):
        _note_judged(Path(judged))


def _follow_grants(*, shifted: bool) -> None:
    def make(parse: Any) -> Any:
        made: dict[str, GrantedClock] = {}

        def parse_clock(text: str) -> Any:
            if not text.startswith(PREFIX):
                return parse(text)
            if text not in made:
                made[text] = GrantedClock(Path(text.removeprefix(PREFIX)), shifted=shifted)
            return made[text]

        return parse_clock

    points.wrap(points.CLOCK, make)


class _Countdown:
    """Counts the times that a point is reached; the last one is the end."""

    def __init__(self, point: points.Point, times: int) -> None:
        self._point, self._left = point, times

    def look(self, when: points.When, args: tuple[Any, ...], result: Any = None) -> None:
        if self._point.when == when and self._point.counts(args, result):
            self._left -= 1
            if self._left == 0:
                _die()


def _kill_at(point: points.Point, times: int) -> None:
    """Let the process kill itself, as suddenly as power fails."""
    count = _Countdown(point, times)

    def make(call: Any) -> Any:
        @wraps(call)
        async def later(*args: Any, **named: Any) -> Any:
            count.look("before", args)
            result = await call(*args, **named)
            count.look("after", args, result)
            return result

        @wraps(call)
        def now(*args: Any, **named: Any) -> Any:
            count.look("before", args)
            result = call(*args, **named)
            count.look("after", args, result)
            return result

        return later if inspect.iscoroutinefunction(call) else now

    points.wrap(point.place, make)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


def _lose(topic: str, number: int) -> None:
    """Let the broker refuse one record: it is not there, and its sender is told so."""
    left = number

    def make(send: Any) -> Any:
        @wraps(send)
        async def losing(producer: Any, to: str, *args: Any, **named: Any) -> Any:
            nonlocal left
            if to == topic:
                left -= 1
                if left == 0:
                    lost = asyncio.get_running_loop().create_future()
                    lost.set_exception(KafkaError("the test has lost it"))
                    lost.exception()  # looked at: a worker that never awaits it is not told twice
                    return lost
            return await send(producer, to, *args, **named)

        return losing

    points.wrap(points.SEND, make)


def _fill_disk(first: int, seconds: float) -> None:
    """Let SQLite find no room for a while: ``SQLITE_FULL``, as on a full disk."""
    begins: float | None = None
    writes = 0

    def make(write: Any) -> Any:
        @wraps(write)
        def limited(store: Any, what: Any) -> None:
            nonlocal begins, writes
            writes += 1
            if writes == first:
                begins = time.monotonic()
            full = begins is not None and time.monotonic() < begins + seconds
            most = 1 if full else UNLIMITED_PAGES  # never below what is there: it cannot grow
            connection = getattr(store, points.STORE_CONNECTION)
            connection.execute(f"PRAGMA max_page_count = {most}")
            write(store, what)

        return limited

    points.wrap(points.STORE_WRITE, make)


def _tear(number: int) -> None:
    """Let the process die when half of a write is in the journal's file."""
    left = number

    def make(append: Any) -> Any:
        @wraps(append)
        def tearing(chain: Any, lines: list[bytes]) -> None:
            nonlocal left
            left -= bool(lines)
            if lines and left == 0:
                text = b"".join(line + b"\n" for line in lines)
                os.write(getattr(chain, points.CHAIN_FILE), text[: len(text) // 2])
                _die()
            append(chain, lines)

        return tearing

    points.wrap(points.CHAIN_WRITE, make)


def _note_judged(path: Path) -> None:
    """Note which offsets were judged: one line a batch."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def make(judge: Any) -> Any:
        @wraps(judge)
        def noting(partition: Any, topic: str, records: Any) -> Any:
            outcome = judge(partition, topic, records)
            line = f"{topic} {partition.number} {records[0][0]} {records[-1][0]}\n"
            os.write(file, line.encode())
            return outcome

        return noting

    points.wrap(points.JUDGE, make)


if __name__ == "__main__":
    arm(os.environ)
    run_role(sys.argv[1], read_settings(os.environ))
