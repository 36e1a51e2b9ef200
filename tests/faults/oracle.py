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


def expected(log: Timeline) -> Expected:
    """Judge the log. What arrives within a step finds the clock at the end of the last one."""
    found = Expected()
    wards = [Ward("default", number) for number in range(log.partitions)]

    def take(entry: Entry) -> None:
        ward = wards[home_of(entry.key.decode(), log.partitions)]
        now = ward.clock or log.zero
        event = admit(entry.raw, entry.kind, now, ward.book)
        if isinstance(event, Rejected):
            found.refused.add(entry.raw)
            found.alerts += ward.refuse(claimed(entry.raw, entry.key), event.reason, now)
        elif not isinstance(event, Tick | UnitRecord):
            found.kept.add(encode(event))
            found.alerts += ward.take(event)

    for entry in log.history:
        take(entry)
    now = log.zero
    for ward in wards:
        found.alerts += ward.advance(now)
    for entry in log.live:
        while now < log.zero + entry.at - STEP:
            now += STEP
            for ward in wards:
                found.alerts += ward.advance(now)
        take(entry)
    while now < log.end:
        now += STEP
        for ward in wards:
            found.alerts += ward.advance(now)
    for ward in wards:
        found.states |= ward.patients
    found.pages = _pages(found.alerts)
    return found


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
