"""What has to come out: the pure core over the whole log, in one piece and without any fault.

One ward a partition, as live, because records of nobody known are counted by partition. It knows
neither Kafka nor the workers.
"""

from datetime import datetime

from msgspec import Struct, field

from alerts.notify import History, Tell, decide, remember
from schemas.alert import Alert
from schemas.claimed import claimed
from schemas.encode import encode
from schemas.rejected import Rejected
from schemas.state import PatientState
from schemas.tick import Tick
from schemas.unit import UnitRecord
from streams.door import admit
from streams.monitor import home_of
from streams.ward import Ward
from tests.faults.timeline import STEP, Entry, Timeline

Page = tuple[str, str, str]
"""Alert id, phase and priority: what one message to a receiver is about."""


class Expected(Struct):
    """What a run without fault leaves behind."""

    alerts: list[Alert] = field(default_factory=list)
    states: dict[str, PatientState] = field(default_factory=dict)
    pages: set[Page] = field(default_factory=set)
    kept: set[bytes] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)

    def due(self, patient: str, now: datetime) -> list[Alert]:
        """List what is told of a patient up to a moment."""
        return [a for a in self.alerts if a.patient == patient and a.at <= now]


class _Site:
    """The wards of all partitions under one clock, and what they decide."""

    def __init__(self, log: Timeline) -> None:
        self.wards = [Ward("default", number) for number in range(log.partitions)]
        self.now = log.zero
        self.found = Expected()

    def take(self, entry: Entry) -> None:
        """Judge a record; what arrives within a step finds the clock at the end of the last."""
        ward, found = self.wards[home_of(entry.key.decode(), len(self.wards))], self.found
        event = admit(entry.raw, entry.kind, self.now, ward.book)
        if isinstance(event, Rejected):
            found.refused.add(entry.raw)
            found.alerts += ward.refuse(claimed(entry.raw, entry.key), event.reason, self.now)
        elif not isinstance(event, Tick | UnitRecord):
            found.kept.add(encode(event))
            found.alerts += ward.take(event)

    def advance(self, now: datetime) -> None:
        """Move the clock."""
        self.now = now
        for ward in self.wards:
            self.found.alerts += ward.advance(now)


def expected(log: Timeline) -> Expected:
    """Judge the log, the history without a clock, and then step by step."""
    site = _Site(log)
    for entry in log.history:
        site.take(entry)
    site.advance(log.zero)
    for entry in log.live:
        while site.now < log.zero + entry.at - STEP:
            site.advance(site.now + STEP)
        site.take(entry)
    while site.now < log.end:
        site.advance(site.now + STEP)
    for ward in site.wards:
        site.found.states |= ward.patients
    site.found.pages = _pages(site.found.alerts)
    return site.found


def _pages(alerts: list[Alert]) -> set[Page]:
    """What a receiver that takes everything at once is told."""
    pages: set[Page] = set()
    histories: dict[str, History] = {}
    for alert in alerts:
        history = histories.get(alert.id, History())
        if isinstance(decide(alert, history, alert.at), Tell):
            pages.add((alert.id, alert.phase, alert.priority))
            histories[alert.id] = remember(history, alert, "delivered")
    return pages
