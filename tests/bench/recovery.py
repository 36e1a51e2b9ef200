"""How long until a monitor that was killed decides again, with many courses open.

From the moment at which the new process is started, as in production, to the append of the first
alert caused by a sample that was sent while nobody listened. In between lie the start of Python,
the group's membership and every state read from the changelog. The worst of the rounds counts: it
is a promise.
"""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from time import time

from msgspec import Struct

from deploy.kafka.broker import Broker
from schemas.encode import encode
from schemas.telemetry import Telemetry
from tests.bench.contest import MONITOR, Contestant, running, sent, site_on
from tests.bench.machine import beside_the_worker
from tests.bench.peers.jobs import Fill
from tests.bench.peers.work import home_of
from tests.e2e.product import Product

PARTITIONS = 4
SAMPLES = 6
EVERY = timedelta(seconds=10)
"""Their last sample is of now: nobody is silent before all rounds are over."""
FULL_BAR, LOW_BAR = 120.0, 30.0
LIMIT_S = 120.0


class Size(Struct, frozen=True):
    """Open courses; how often the monitor is killed."""

    courses: int
    rounds: int


FULL = Size(10_000, 3)
QUICK = Size(500, 1)


def recovery_figures(size: Size) -> dict[str, float]:
    """Open the courses, then kill the monitor and bring it back."""
    worst_s = 0.0
    with ExitStack() as stack:
        stack.enter_context(beside_the_worker())
        kafka = stack.enter_context(Broker()).bootstrap
        extra = {"INOWATCH_PARTITIONS": str(PARTITIONS)}
        site = stack.enter_context(site_on(kafka, extra))
        ends = _open_courses(site, size.courses)
        with running(site, MONITOR, 0) as monitor:
            monitor.wait("a commit of all", lambda: _has_committed(site, ends), LIMIT_S)
        for round_ in range(size.rounds):
            # It is dead: the block above has killed it.
            patient = _name(round_)
            _send(site, [_sample(patient, datetime.now(UTC), LOW_BAR)], patient)
            begin_s = time()
            with running(site, MONITOR, round_) as monitor:
                monitor.wait("an alert", lambda who=patient, it=monitor: who in _told(it), LIMIT_S)
                took_s = _told(monitor)[patient] / 1000 - begin_s
            print(f"recovery, round {round_ + 1}: {took_s:.2f} s")
            worst_s = max(worst_s, took_s)
    return {"recovery_s": round(worst_s, 3)}


def _open_courses(site: Product, courses: int) -> dict[tuple[str, int], int]:
    """Send some samples of each; returns where each partition ends with them."""
    now = datetime.now(UTC)
    lines = [
        (_name(course), _sample(_name(course), now - EVERY * back, FULL_BAR))
        for back in reversed(range(SAMPLES))
        for course in range(courses)
    ]
    _send_lines(site, lines)
    ends = dict.fromkeys(((site.topics.telemetry, n) for n in range(PARTITIONS)), 0)
    for name, _ in lines:
        ends[site.topics.telemetry, home_of(name, PARTITIONS)] += 1
    return ends


def _send(site: Product, values: list[bytes], patient: str) -> None:
    _send_lines(site, [(patient, value) for value in values])


def _send_lines(site: Product, lines: list[tuple[str, bytes]]) -> None:
    file = site.home / "samples"
    with file.open("wb") as out:
        for name, value in lines:
            out.write(b"%d\t%s\t%s\n" % (home_of(name, PARTITIONS), name.encode(), value))
    sent(site, Fill(site.settings.kafka.address, site.topics.telemetry, str(file)), LIMIT_S)


def _has_committed(site: Product, ends: dict[tuple[str, int], int]) -> bool:
    found = site.committed(MONITOR)
    return all(found.get(place, 0) >= end for place, end in ends.items())


def _told(monitor: Contestant) -> dict[str, int]:
    """When Kafka appended each patient's alert of the supply, in ms since 1970."""
    return {
        one.alert.patient: one.at_ms for one in monitor.alerts() if one.alert.rule == "supply-low"
    }


def _name(course: int) -> str:
    return f"open-{course}"


def _sample(patient: str, at: datetime, bar: float) -> bytes:
    return encode(
        Telemetry(
            time=at,
            device=f"device-{patient}",
            patient=patient,
            unit="nicu",
            bed=patient,
            mode="delivering",
            set_ppm=20.0,
            no_ppm=20.1,
            no2_ppm=0.1,
            fio2_pct=60.0,
            spo2_pct=93.0,
            cylinder_bar=bar,
        )
    )
