"""How fast each contestant judges a backlog: the same records, core and outputs, one core each.

The clock is Kafka's own: from the append of the first alert, which the first record of a partition
raises, to the append of the last one, which the last record raises. So no start of a process and
no moment of a commit is in it, and everybody's clock is the same. Whoever told other alerts than
the core, or kept no state of a patient, fails the run.
"""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import NoReturn

from msgspec import Struct

from deploy.kafka.broker import Broker
from schemas.tick import Tick
from tests.bench.backlog import EDGE, Backlog, Key, keys, make_backlog
from tests.bench.contest import (
    CONTESTANTS,
    Contestant,
    running,
    send_ticks,
    sent,
    site_on,
)
from tests.bench.machine import beside_the_worker
from tests.bench.peers.jobs import Fill
from tests.e2e.product import Product, eventually

PARTITIONS = 4
LIMIT_S = 300.0
SETTLED_S = 15.0
"""What was under way when the last record was judged has come by then."""
SHOWN = 5


class Size(Struct, frozen=True):
    """Beds of correct care, beds of each hazard, hours of a sample a second, rounds."""

    beds: int
    hazard_beds: int
    hours: float
    rounds: int


FULL = Size(60, 2, 1.5, 5)
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
    sent(site, Fill(site.settings.kafka.address, telemetry, str(file)), LIMIT_S)
    file.unlink()
    others = [topic for topic in site.topics.inputs if topic != telemetry]
    send_ticks(site, others, Tick(time=end))
    return backlog


def _records_per_s(site: Product, contestant: Contestant, backlog: Backlog) -> float:
    """Wait until the last record is judged; compare what was told; tell the rate."""
    edges = len(backlog.edges)

    def framed() -> bool:
        return contestant.alert_count() >= edges and len(_edges_ms(contestant, backlog)) >= edges

    contestant.wait("its last record", framed, LIMIT_S)
    if not eventually(lambda: _told_as_expected(contestant, backlog), within_s=SETTLED_S):
        _say_what_differs(contestant, backlog)

    def all_kept() -> bool:
        # Some look at their clock only when a record comes.
        send_ticks(site, [site.topics.telemetry], Tick(time=backlog.end))
        return contestant.patients_kept() >= backlog.patients

    contestant.wait("a state of every patient", all_kept, SETTLED_S)
    edges_ms = _edges_ms(contestant, backlog)
    return backlog.count / (max(edges_ms) - min(edges_ms)) * 1000


def _edges_ms(contestant: Contestant, backlog: Backlog) -> list[int]:
    """When Kafka appended the alerts that frame the rest."""
    return [
        one.at_ms
        for one in contestant.alerts()
        if one.alert.patient in backlog.edges and (one.alert.rule, one.alert.phase) == EDGE
    ]


def _told(contestant: Contestant, backlog: Backlog) -> frozenset[Key]:
    try:
        return keys((one.alert for one in contestant.alerts()), backlog.end)
    except ValueError as doubled:
        raise RuntimeError(f"{contestant.name}: {doubled}") from doubled


def _told_as_expected(contestant: Contestant, backlog: Backlog) -> bool:
    return _told(contestant, backlog) == backlog.expected


def _say_what_differs(contestant: Contestant, backlog: Backlog) -> NoReturn:
    told = _told(contestant, backlog)
    raise RuntimeError(
        f"{contestant.name} did not tell what the core does of the same records:"
        f" missing {sorted(backlog.expected - told)[:SHOWN]},"
        f" not the core's {sorted(told - backlog.expected)[:SHOWN]}"
    )
