"""What the contestants judge: the samples of a simulated ward, and what the core says of them.

Correct care with hazards among it. Samples and ticks alone, because between topics no order is
promised, and everybody shall be held to the same alerts. In each partition the first and the last
patient run low on supply at once: two alerts whose append times say when the judging began and
ended, for everybody alike.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from alerts.profile_book import packaged
from schemas.alert import Alert
from schemas.encode import encode
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from streams.partition import Partition
from streams.simulate.arrival import Arrival
from streams.simulate.ward import ward
from streams.ward import Ward
from tests.bench.peers.work import home_of

SEED = 1
BEFORE = timedelta(hours=10)
"""What was sent before the backlog begins is left out; by then the hazards begin to come."""
SECOND = timedelta(seconds=1)
HAZARDS = (
    "dose-high",
    "over-delivery",
    "under-delivery",
    "supply-leak",
    "no2-high",
    "fast-wean",
    "device-alarm",
)
"""None of them falls silent: a silent unit is told of by what its partitions tell one another."""
FIRST, LAST = "first", "last"
EDGE = ("supply-low", "raised")
"""Rule and phase of the alerts that frame the rest: judged in every sample, without a hold."""
LOW_BAR = 30.0

Key = tuple[str, str]
"""Id and phase of a transition."""


Line = tuple[str, bytes]
"""Key and value of a record; a tick has an empty key."""


class Backlog(Struct, frozen=True):
    """The records of each partition in their order; ``end`` is when the ward's time ends.

    ``expected`` is what is said of them, ``patients`` of whom. ``edges`` are the patients whose
    first alerts frame the rest.
    """

    partitions: list[list[Line]]
    end: datetime
    expected: frozenset[Key]
    patients: frozenset[str]
    edges: frozenset[str]

    @property
    def count(self) -> int:
        """How many records."""
        return sum(map(len, self.partitions))

    def write(self, path: Path) -> None:
        """Write the lines for the sender."""
        with path.open("wb") as file:
            for number, lines in enumerate(self.partitions):
                file.writelines(b"%d\t%s\t%s\n" % (number, k.encode(), v) for k, v in lines)


def make_backlog(  # noqa: PLR0913 - a topic and a ward, and nothing to group them by
    topic: str, partitions: int, end: datetime, *, beds: int, hazard_beds: int, hours: float
) -> Backlog:
    """Simulate ``beds`` of correct care and ``hazard_beds`` of each hazard up to ``end``.

    A sample a second and bed, for ``hours``. ``topic`` is the one of the samples.
    """
    now = end - timedelta(hours=hours)
    start = now - BEFORE
    numbers = range(partitions)
    names = {
        edge: [_name(edge, number, partitions) for number in numbers] for edge in (FIRST, LAST)
    }
    lines: list[list[Line]] = [_edge(names[FIRST][number], now) for number in numbers]
    tick = now
    for arrival in _arrivals(beds, hazard_beds, (start, now, end)):
        while tick <= arrival.at:
            for number in numbers:
                lines[number].append(("", encode(Tick(time=tick))))
            tick += SECOND
        patient = arrival.record.patient
        lines[home_of(patient, partitions)].append((patient, encode(arrival.record)))
    for number in numbers:
        lines[number] += _edge(names[LAST][number], end - 10 * SECOND)
        lines[number].append(("", encode(Tick(time=end))))
    told = [
        alert
        for number in numbers
        for alert in _judged(topic, number, partitions, lines[number], end)
    ]
    expected = keys(told, end)
    patients = frozenset(key for part in lines for key, _ in part if key)
    return Backlog(lines, end, expected, patients, frozenset(names[FIRST] + names[LAST]))


def keys(alerts: Iterable[Alert], end: datetime) -> frozenset[Key]:
    """Id and phase of what fell before the end: what comes later depends on when it is looked at.

    Raises ``ValueError`` where something is said twice: nobody was killed.
    """
    found = [(alert.id, alert.phase, alert.at) for alert in alerts if alert.at < end]
    if len(set(found)) != len(found):
        raise ValueError(f"{len(found) - len(set(found))} transitions were told twice")
    return frozenset((id_, phase) for id_, phase, _ in found)


def _arrivals(
    beds: int, hazard_beds: int, times: tuple[datetime, datetime, datetime]
) -> Iterator[Arrival]:
    """Yield the samples of all wards in the order of their arrival."""
    start, now, end = times
    wards = [ward(beds, "correct-care", SEED, start, now, end)]
    wards += [_apart(name, ward(hazard_beds, name, SEED, start, now, end)) for name in HAZARDS]
    for arrival in heapq.merge(*wards, key=attrgetter("at")):
        if isinstance(arrival.record, Telemetry) and arrival.at >= now:
            yield arrival


def _apart(name: str, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
    """Give a ward units and devices of its own: each ward begins with the same bed."""
    for arrival in arrivals:
        record = arrival.record
        if isinstance(record, Telemetry):
            device, unit = f"{record.device}-{name}", f"{record.unit}-{name}"
            yield Arrival(arrival.at, replace(record, device=device, unit=unit))


def _name(edge: str, number: int, partitions: int) -> str:
    """Find a patient's name whose records belong in a partition."""
    names = (f"{edge}-{count}" for count in range(1000 * partitions))
    return next(name for name in names if home_of(name, partitions) == number)


def _edge(name: str, at: datetime) -> list[Line]:
    """One sample that raises an alert at once, and one that ends the delivery."""
    low = Telemetry(
        time=at,
        device=f"device-{name}",
        patient=name,
        unit="edge",
        bed=name,
        mode="delivering",
        set_ppm=20.0,
        cylinder_bar=LOW_BAR,
    )
    off = replace(low, time=at + SECOND, mode="off", set_ppm=0.0)
    return [(name, encode(low)), (name, encode(off))]


def _judged(
    topic: str, number: int, partitions: int, lines: list[Line], end: datetime
) -> list[Alert]:
    """Ask the core, in one piece and without Kafka, what follows from one partition's lines."""
    partition = Partition(
        Ward("default", number, packaged(), partitions),
        {topic: "telemetry"},
        lambda patient: home_of(patient, partitions),
    )
    records = [(offset, None, value, end) for offset, (_, value) in enumerate(lines)]
    outcome = partition.judge(topic, records)
    if outcome.dead_letters:
        raise ValueError(f"the benchmark's own sample is refused: {outcome.dead_letters[0]}")
    return outcome.alerts
