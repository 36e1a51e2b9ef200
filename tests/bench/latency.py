"""How long from the append of a sample to the append of the alert that it causes.

Both times are Kafka's own, in whole ms. A sender keeps to its pace, thousands of samples a second
of patients who are well; every few ms one more patient's supply is low, which must be told at
once. Everybody is measured in rounds, taking turns; what counts is the round with the best p99.
Whoever leaves one out, or tells it twice, fails the run.
"""

from contextlib import ExitStack
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from deploy.kafka.broker import Broker
from tests.bench.contest import CONTESTANTS, MONITOR, Contestant, running, sent, site_on
from tests.bench.figures import percentile
from tests.bench.machine import beside_the_worker
from tests.bench.peers.jobs import Paced
from tests.bench.peers.work import home_of
from tests.e2e.product import Product

PARTITIONS = 4
PATIENTS = 1000
SAMPLES_PER_S = 5000
CAUSE_EVERY_S = 0.05
READY_S = 60.0
SETTLED_S = 120.0
RULE = "supply-low"
"""Judged in every sample, raised without a hold."""

Answers = dict[str, float]
"""Patient to the ms that the alert took."""


class Size(Struct, frozen=True):
    """Seconds of a stream before what is measured, and of what is; rounds."""

    warm_s: float
    s: float
    rounds: int


FULL = Size(5.0, 20.0, 2)
QUICK = Size(1.0, 3.0, 1)


def latency_figures(size: Size) -> dict[str, float]:
    """Measure everybody, taking turns."""
    best: dict[str, list[float]] = {}
    with ExitStack() as stack:
        stack.enter_context(beside_the_worker())
        kafka = stack.enter_context(Broker()).bootstrap
        for round_ in range(size.rounds):
            for name in CONTESTANTS:
                with (
                    site_on(kafka, {"INOWATCH_PARTITIONS": str(PARTITIONS)}) as site,
                    running(site, name, round_) as contestant,
                ):
                    found = _answers_ms(site, contestant, size)
                p99_ms = percentile(found, 0.99)
                print(f"latency, round {round_ + 1}: {name} p99 {p99_ms:g} ms")
                if name not in best or p99_ms < percentile(best[name], 0.99):
                    best[name] = found
    figures = {}
    for name, found in best.items():
        prefix = "" if name == MONITOR else f"{name}_"
        figures[f"{prefix}latency_p50_ms"] = percentile(found, 0.5)
        figures[f"{prefix}latency_p99_ms"] = percentile(found, 0.99)
        figures[f"{prefix}latency_max_ms"] = max(found)
    return figures


def _answers_ms(site: Product, contestant: Contestant, size: Size) -> list[float]:
    """Send the stream to a contestant that is ready, and tell how long each alert took."""
    ready = _first_patients()
    site.send([_low(name) for name in ready])
    contestant.wait("its first alerts", lambda: _low_ms(contestant).keys() >= set(ready), READY_S)
    job = Paced(
        site.settings.kafka.address,
        site.topics.telemetry,
        PARTITIONS,
        PATIENTS,
        SAMPLES_PER_S,
        size.warm_s,
        size.s,
        CAUSE_EVERY_S,
    )
    caused_ms = msgspec.json.decode(sent(site, job, READY_S + size.warm_s + size.s))
    if not caused_ms:
        raise RuntimeError("the sender caused nothing")
    contestant.wait(
        f"{len(caused_ms)} alerts",
        lambda: (
            contestant.alert_count() >= len(caused_ms) + len(ready)
            and _low_ms(contestant).keys() >= caused_ms.keys()
        ),
        SETTLED_S,
    )
    told_ms = _low_ms(contestant)
    if told_ms.keys() != caused_ms.keys() | set(ready):
        raise RuntimeError(f"{contestant.name} told of patients whose supply was not low")
    return [told_ms[patient] - at_ms for patient, at_ms in caused_ms.items()]


def _low_ms(contestant: Contestant) -> dict[str, int]:
    """When Kafka appended the alert of each patient whose supply is low."""
    told = [one for one in contestant.alerts() if one.alert.rule == RULE]
    found = {one.alert.patient: one.at_ms for one in told if one.alert.phase == "raised"}
    if len(found) != len(told):
        raise RuntimeError(f"{contestant.name} told {len(told)} times of {len(found)} alerts")
    return found


def _first_patients() -> list[str]:
    """Name a patient of each partition: who tells of all of them reads all partitions."""
    names: dict[int, str] = {}
    for number in range(1000):
        names.setdefault(home_of(f"ready-{number}", PARTITIONS), f"ready-{number}")
    return list(names.values())


def _low(patient: str) -> dict[str, object]:
    return {
        "type": "telemetry",
        "time": datetime.now(UTC).isoformat(),
        "device": f"device-{patient}",
        "patient": patient,
        "unit": "ready",
        "bed": patient,
        "mode": "delivering",
        "set_ppm": 20.0,
        "cylinder_bar": 30.0,
    }
