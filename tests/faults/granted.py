"""The ward's time under test: in steps, each granted when all before it is in Kafka.

A clock that runs by itself would make a late feeder look like silent devices. Here a fault may last
as long as it likes: the ward's time never passes a record that was not written yet. The grants
stand in a file, so that all processes share them, and each says from which moment of the wall clock
on it holds, so that what the broker stamped is told alike by everyone.
"""

import os
import time
from bisect import bisect_right
from datetime import datetime, timedelta
from pathlib import Path

PREFIX = "granted:"
SHIFT = ".shift"
"""The file beside the grants that holds by how many seconds the clocks of some workers are off."""


class GrantedClock:
    """A ``streams.clock.Clock`` that reads the grants in ``path``.

    ``shifted``: this process's clock is off by what the file beside it says. What the broker has
    stamped (``at``) is not: it comes from another machine.
    """

    speed = 60.0

    def __init__(self, path: Path, *, shifted: bool = False) -> None:
        self._path = path
        self._shift = path.with_name(path.name + SHIFT) if shifted else None
        self._size = 0
        self._since_s: list[float] = []
        self._ward: list[datetime] = []

    def __call__(self) -> datetime:
        """Tell what was granted last."""
        self._read()
        return self._ward[-1] + self._off()

    def at(self, wall_s: float) -> datetime:
        """Tell what the ward's time was at this Unix time."""
        self._read()
        return self._ward[max(0, bisect_right(self._since_s, wall_s) - 1)]

    def _off(self) -> timedelta:
        if self._shift is None or not self._shift.exists():
            return timedelta()
        return timedelta(seconds=float(self._shift.read_text() or 0))

    def _read(self) -> None:
        size = self._path.stat().st_size
        if size == self._size:
            return
        with self._path.open("rb") as file:
            file.seek(self._size)
            new = file.read(size - self._size)
        whole = new[: new.rfind(b"\n") + 1]
        self._size += len(whole)
        for line in whole.decode().splitlines():
            since_s, _, ward = line.partition(" ")
            self._since_s.append(float(since_s))
            self._ward.append(datetime.fromisoformat(ward))


class Grants:
    """The hand on that clock."""

    def __init__(self, path: Path, ward: datetime) -> None:
        self.path = path
        self.now = ward
        path.write_text(f"0 {ward.isoformat()}\n")

    @property
    def setting(self) -> str:
        """What stands in INOWATCH_CLOCK."""
        return f"{PREFIX}{self.path}"

    def grant(self, ward: datetime) -> None:
        """Let the ward's time come to ``ward``; everything before it is in Kafka."""
        # The broker stamps whole milliseconds: what it took before now is in an earlier one.
        time.sleep(0.002)
        since_s = int(time.time() * 1000) / 1000
        with self.path.open("ab", buffering=0) as file:
            os.write(file.fileno(), f"{since_s!r} {ward.isoformat()}\n".encode())
        self.now = ward

    def shift(self, seconds: float) -> None:
        """Put the clocks of the workers that are shifted off by so much."""
        self.path.with_name(self.path.name + SHIFT).write_text(repr(seconds))
