"""How fast a worker reads a backlog: records a second from Kafka until all is committed.

    python -m tests.bench.catch_up [ROLE ...]

It starts a Kafka of its own, fills the topic of samples with the hours of a ward, and starts one
worker after another over it. The clock runs from the first commit to the last, so that neither the
start of a process nor the moment of a commit matters.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.kafka.broker import Broker
from schemas.encode import encode
from streams.simulate.ward import ward
from tests.e2e.product import Product, product

LOOK_S = 0.1
BEDS = 24
HOURS = 4.0
ROUNDS = 3


def fill(site: Product, beds: int = BEDS, hours: float = HOURS, period_s: float = 1.0) -> int:
    """Send what a ward of correct care sent in the last hours; returns how many records."""
    end = datetime.now(UTC).replace(microsecond=0)
    start = end - timedelta(hours=hours)
    topic_of = {kind: name for name, kind in site.topics.inputs.items()}
    producer = KafkaProducer(
        bootstrap_servers=site.settings.kafka, acks="all", linger_ms=50, batch_size=262_144
    )
    count = 0
    for arrival in ward(beds, "correct-care", 1, start, start, end, period_s=period_s):
        record = arrival.record
        topic = topic_of[type(record).__name__.lower()]
        producer.send(topic, key=record.patient.encode(), value=encode(record))
        count += 1
    producer.flush()
    producer.close()
    return count


def records_per_s(site: Product, role: str) -> float:
    """Start ``role`` over what is in the input topics now, and time it until that is committed.

    The worker is killed afterwards. What it committed stays: start each role once a site.
    """
    ends = _ends(site)

    def committed() -> int:
        found = site.committed(role)
        return sum(min(found.get(place, 0), end) for place, end in ends.items())

    total = sum(ends.values())
    site.start(role)
    try:
        while (first := committed()) == 0:
            time.sleep(LOOK_S)
        begin = time.perf_counter()
        if first == total:
            sys.exit("it was caught up with the first commit: send more records")
        while committed() < total:
            time.sleep(LOOK_S)
        return (total - first) / (time.perf_counter() - begin)
    finally:
        site.kill(role)


def _ends(site: Product) -> dict[tuple[str, int], int]:
    numbers = range(site.settings.partitions)
    places = [TopicPartition(topic, n) for topic in site.topics.inputs for n in numbers]
    consumer = KafkaConsumer(bootstrap_servers=site.settings.kafka)
    ends = consumer.end_offsets(places)
    consumer.close()
    return {(place.topic, place.partition): end for place, end in ends.items()}


def main(roles: list[str]) -> None:
    """Measure each role some times, and print."""
    with Broker() as broker:
        for role in roles:
            figures = []
            for _ in range(ROUNDS):
                with (
                    tempfile.TemporaryDirectory() as home,
                    product(broker.bootstrap, Path(home), {"INOWATCH_PARTITIONS": "4"}) as site,
                ):
                    count = fill(site)
                    figures.append(records_per_s(site, role))
            print(f"{role:10} {median(figures):>10,.0f} records/s (of {count:,}, {ROUNDS} rounds)")


if __name__ == "__main__":
    main(sys.argv[1:] or ["monitor"])
