"""How fast each contestant judges a backlog: the same records, core and outputs, one core each.

The clock is Kafka's own: from the append of the first alert, which the first record of a partition
raises, to the append of the last one, which the last record raises. So no start of a process and
no moment of a commit is in it, and everybody's clock is the same. Whoever told other alerts than
the core, or kept no state of a patient, fails the run.
"""

from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec import Struct

from deploy.kafka.broker import Broker
from schemas.tick import Tick
from tests.bench.backlog import Backlog, keys, make_backlog
from tests.bench.contest import (
    CONTESTANTS,
    Appended,
    Contestant,
    running,
    send_ticks,
    sent,
    site_on,
)
from tests.bench.machine import beside_the_worker
from tests.bench.peers.jobs import Fill
from tests.e2e.product import Product

PARTITIONS = 4
LIMIT_S = 300.0
KEPT_WITHIN_S = 15.0


class Size(Struct, frozen=True):
    """Beds of correct care, beds of each hazard, hours of a sample a second, rounds."""

    beds: int
    hazard_beds: int
    hours: float
    rounds: int


FULL = Size(40, 5, 1.5, 3)
QUICK = Size(10, 2, 0.2, 1)


def throughput_figures(size: Size) -> dict[str, float]:
    """Measure everybody, taking turns; the best of the rounds."""
    best = dict.fromkeys(CONTESTANTS, 0.0)
    with ExitStack() as stack:
        stack.enter_context(beside_the_worker())
        kafka = stack.enter_context(Broker()).bootstrap
        for round_ in range(size.rounds):
            with site_on(kafka, {"INOWATCH_PARTITIONS": str(PARTITIONS)}) as site:
                backlog = _filled(site, size)
                turn = round_ % len(CONTESTANTS)  # so that nobody is always the first
                for name in CONTESTANTS[turn:] + CONTESTANTS[:turn]:
                    with running(site, name, round_) as contestant:
                        found = _records_per_s(site, contestant, backlog)
                    print(f"throughput, round {round_ + 1}: {name} {found:,.0f} records/s")
                    best[name] = max(best[name], found)
    return {f"{name}_per_s": round(found) for name, found in best.items()}


def _filled(site: Product, size: Size) -> Backlog:
    """Send the backlog; to the other inputs the time of its end, so that its own ticks count."""
    end = datetime.now(UTC).replace(microsecond=0)
    telemetry = site.topics.telemetry
    backlog = make_backlog(
        telemetry,
        PARTITIONS,
        end,
        beds=size.beds,
        hazard_beds=size.hazard_beds,
        hours=size.hours,
    )
    file = site.home / "backlog"
    backlog.write(file)
    sent(site, Fill(site.settings.kafka, telemetry, str(file)), LIMIT_S)
    file.unlink()
    others = [topic for topic in site.topics.inputs if topic != telemetry]
    send_ticks(site, others, Tick(time=end))
    return backlog


def _records_per_s(site: Product, contestant: Contestant, backlog: Backlog) -> float:
    """Wait for every alert; compare; tell the rate."""
    told: list[Appended] = []

    def all_told() -> bool:
        if contestant.alert_count() < len(backlog.expected):
            return False
        told[:] = contestant.alerts()
        return keys((one.alert for one in told), backlog.end) >= backlog.expected

    contestant.wait(f"{len(backlog.expected)} transitions", all_told, LIMIT_S)
    found = keys((one.alert for one in told), backlog.end)
    if found != backlog.expected:
        more = sorted(found - backlog.expected)[:5]
        raise RuntimeError(f"{contestant.name} told what the core did not: {more}")

    def all_kept() -> bool:
        # Some look at their clock only when a record comes.
        send_ticks(site, [site.topics.telemetry], Tick(time=backlog.end))
        return contestant.patients_kept() >= backlog.patients

    contestant.wait("a state of every patient", all_kept, KEPT_WITHIN_S)
    edges = [one.at_ms for one in told if one.alert.patient in backlog.edges]
    return backlog.count / (max(edges) - min(edges)) * 1000
