"""Looking without end, in a thread of its own: the newest sight of the site, for who judges.

A Kafka that hangs keeps the thread waiting, and nobody else. After each look, what the watchdog has
done meanwhile goes on record: then Kafka was there a moment ago.
"""

import logging
import threading
from datetime import datetime
from typing import NamedTuple

from deploy.kafka.cluster import ClusterError
from streams.ending import give_up
from streams.watch.ledger import LeftOpen
from streams.watch.look import Look
from streams.watch.observation import Observation
from streams.watch.records import Records

log = logging.getLogger("inowatch")

LOOK_S = 1.0


class Sight(NamedTuple):
    """What was seen last, if anything; ``answered`` is when Kafka did, or when looking began.

    ``trouble`` says why the newest look failed. ``left_open`` is what the first look found.
    """

    seen: Observation | None
    answered: datetime
    trouble: str = "no look has succeeded yet"
    left_open: tuple[LeftOpen, ...] = ()


class Eye:
    """Looks from ``start`` on until the process ends."""

    def __init__(self, look: Look, records: Records, began: datetime) -> None:
        self._look = look
        self._records = records
        self.sight = Sight(None, began)

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._keep_looking, name="look", daemon=True).start()

    def _keep_looking(self) -> None:
        pause = threading.Event()
        while True:
            try:
                self._look_once()
            except ClusterError as away:
                self.sight = self.sight._replace(trouble=str(away))
            except Exception:
                log.exception("the watchdog cannot look")
                give_up("the watchdog cannot look")
            pause.wait(LOOK_S)

    def _look_once(self) -> None:
        seen = self._look()
        left_open = self.sight.left_open
        if self.sight.seen is None:
            left_open = tuple(self._look.ledger.left_open())
        self.sight = Sight(seen, seen.at, "", left_open)
        self._records.send(seen.missing)
