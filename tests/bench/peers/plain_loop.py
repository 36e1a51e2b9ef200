"""The plain loop: confluent-kafka's ``consume``, the core, ``flush``. No framework at all.

It does what a careful engineer would write first: batches, alerts delivered before the next batch
is read, states once a second, offsets committed after both.
"""

from collections import defaultdict

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from streams.batch import BATCH_RECORDS
from streams.partition import Record
from tests.bench.peers.jobs import Job, read_job
from tests.bench.peers.work import Work, arrived

WAIT_S = 0.01
"""``consume`` waits so long for a full batch: little, because an alert waits with it."""


def run(job: Job) -> None:
    """Read, judge and write until the process is ended."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.kafka,
            "group.id": job.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": job.kafka,
            "acks": "all",
            "linger.ms": 0,
            "partitioner": "murmur2_random",
        }
    )
    consumer.subscribe([job.samples])
    works: dict[int, Work] = {}
    uncommitted = False
    while True:
        messages = consumer.consume(BATCH_RECORDS, WAIT_S)
        for number, records in _by_partition(messages).items():
            if number not in works:
                works[number] = Work(job.samples, number, job.partitions)
            for key, value in works[number].judge(records):
                producer.produce(job.alerts, value, key, on_delivery=_delivered)
            uncommitted = True
        producer.flush()
        states = [state for work in works.values() for state in work.states()]
        for key, value in states:
            producer.produce(job.states, value, key, on_delivery=_delivered)
        if states and uncommitted:
            producer.flush()
            consumer.commit(asynchronous=False)
            uncommitted = False


def _by_partition(messages: list[Message]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = defaultdict(list)
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
        _, stamp_ms = message.timestamp()
        found[message.partition()].append(
            (message.offset(), message.key(), message.value(), arrived(stamp_ms))
        )
    return found


def _delivered(error: KafkaError | None, _message: Message) -> None:
    if error is not None:
        raise KafkaException(error)


if __name__ == "__main__":
    run(read_job())
