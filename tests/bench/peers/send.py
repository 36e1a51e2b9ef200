"""The sender: samples into Kafka, a whole file as fast as it is taken, or a ward at its own pace.

It runs in the peers' environment, because confluent-kafka sends at a rate that leaves the machine
to those who are measured. Every record must be acknowledged; one that is not ends the run.

A paced run is thousands of samples a second of patients who are well, and every few milliseconds
the first low supply pressure of one more patient: a sample that must raise an alert at once. What
it prints at the end, one JSON object, says when Kafka appended each of these.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from random import Random

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.encode import encode
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from tests.bench.peers.jobs import Fill, Paced

SLOT_S = 0.005
"""Samples leave in groups, as gateways send them."""
BEHIND_S = 1.0
"""A sender that falls so far behind its schedule would measure itself."""
FULL_BAR, LOW_BAR = 120.0, 30.0
_QUEUED = 1_000_000


class _Outbox:
    """The producer, and the first thing that went wrong with it."""

    def __init__(self, kafka: str, linger_ms: int) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": kafka,
                "acks": "all",
                "linger.ms": linger_ms,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": _QUEUED,
            }
        )

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes,
        *,
        partition: int = -1,
        told: Callable[[Message], None] | None = None,
    ) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise KafkaException(error)
            if told is not None:
                told(message)

        while True:
            try:
                self._producer.produce(topic, value, key, partition, on_delivery=delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def look(self) -> None:
        """Take in acknowledgements."""
        self._producer.poll(0)

    def settle(self) -> None:
        """Wait for every acknowledgement."""
        if left := self._producer.flush(60.0):
            raise TimeoutError(f"{left} records were not acknowledged within 60 s")


def fill(job: Fill) -> None:
    """Send the file."""
    outbox = _Outbox(job.kafka, linger_ms=20)
    with Path(job.file).open("rb") as lines:
        for number, line in enumerate(lines):
            partition, key, value = line.rstrip(b"\n").split(b"\t", 2)
            outbox.send(job.topic, key or None, value, partition=int(partition))
            if number % 1000 == 0:
                outbox.look()
    outbox.settle()


def paced(job: Paced) -> dict[str, int]:
    """Send at the pace; returns the append time of each cause, in ms since 1970, by patient."""
    outbox = _Outbox(job.kafka, linger_ms=0)
    appended: dict[str, int] = {}
    well = cycle(f"well-{number}" for number in range(job.patients))
    causes = [f"low-{number}" for number in range(int(job.s / job.cause_every_s))]
    rng = Random(1)
    begin = time.time()
    for patient in causes:  # admitted before, so that only the low pressure is news
        outbox.send(job.topic, patient.encode(), _sample(patient, begin, FULL_BAR, rng))
    sent, caused, ticked = 0, 0, 0
    while (passed_s := time.time() - begin) < job.warm_s + job.s or caused < len(causes):
        while ticked <= passed_s:
            tick = encode(Tick(time=datetime.fromtimestamp(begin + ticked, UTC)))
            for number in range(job.partitions):
                outbox.send(job.topic, None, tick, partition=number)
            ticked += 1
        while sent < passed_s * job.per_s:
            patient, at = next(well), begin + sent / job.per_s
            outbox.send(job.topic, patient.encode(), _sample(patient, at, FULL_BAR, rng))
            sent += 1
        while caused < len(causes) and job.warm_s + caused * job.cause_every_s <= passed_s:
            patient = causes[caused]
            value = _sample(patient, time.time(), LOW_BAR, rng)

            def note(message: Message, patient: str = patient) -> None:
                appended[patient] = message.timestamp()[1]

            outbox.send(job.topic, patient.encode(), value, told=note)
            caused += 1
        outbox.look()
        behind_s = time.time() - begin - passed_s
        if behind_s > BEHIND_S:
            sys.exit(f"the sender was {behind_s:.1f} s behind: {job.per_s} samples/s are too many")
        time.sleep(max(0.0, SLOT_S - behind_s))
    outbox.settle()
    return appended


def _sample(patient: str, at_s: float, bar: float, rng: Random) -> bytes:
    return encode(
        Telemetry(
            time=datetime.fromtimestamp(at_s, UTC),
            device=f"device-{patient}",
            patient=patient,
            unit="nicu-1",
            bed=patient,
            mode="delivering",
            set_ppm=20.0,
            no_ppm=round(20.0 + rng.random(), 1),
            no2_ppm=round(0.1 + rng.random() / 10, 2),
            fio2_pct=60.0,
            spo2_pct=93.0,
            cylinder_bar=bar,
        )
    )


def main() -> None:
    """Do what the command line says."""
    job = msgspec.json.decode(sys.argv[1], type=Fill | Paced)
    if isinstance(job, Fill):
        fill(job)
    else:
        sys.stdout.write(msgspec.json.encode(paced(job)).decode())


if __name__ == "__main__":
    main()
