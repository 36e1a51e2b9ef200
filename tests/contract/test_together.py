"""Records in one piece, in a real Kafka: all of a batch or none, in order, whatever their size."""

import asyncio
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import connected
from deploy.kafka.topic_spec import TopicSpec
from streams.together import Pair, send_together

BATCH_BYTES = 10_000


async def _sent(kafka: str, topic: str, records: list[Pair]) -> tuple[int, list[Pair]]:
    """Send; return how many batches that took, and what is in the topic."""
    place = TopicPartition(topic, 0)
    async with AIOKafkaProducer(
        bootstrap_servers=kafka, max_batch_size=BATCH_BYTES, max_request_size=10 * BATCH_BYTES
    ) as producer:
        futures = await send_together(producer, topic, 0, records)
        for future in futures:
            await future
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        found: list[Pair] = []
        while len(found) < len(records):
            for fetched in (await consumer.getmany(place, timeout_ms=1000)).values():
                found += [(record.key, record.value) for record in fetched]
    return len(futures), found


def _topic(kafka: str) -> str:
    """Make a topic of one partition, and return its name."""
    name = f"together-{uuid.uuid4().hex[:8]}"
    with connected(KafkaAccess(kafka)) as cluster:
        assert cluster.create({name: TopicSpec(1, "compact")}, 1) == [name]
    return name


def test_one_batch(kafka: str) -> None:
    """What fits into a batch goes in one, a removal too."""
    records: list[Pair] = [(b"%d" % number, b"x" * 100) for number in range(50)]
    records.append((b"gone", None))
    assert asyncio.run(_sent(kafka, _topic(kafka), records)) == (1, records)


def test_several_batches(kafka: str) -> None:
    """What does not fit goes in several, in order; one too large for any goes by itself."""
    records: list[Pair] = [(b"%d" % number, b"x" * 100) for number in range(200)]
    records.insert(100, (b"large", b"y" * 2 * BATCH_BYTES))
    batches, found = asyncio.run(_sent(kafka, _topic(kafka), records))
    assert batches > 3
    assert found == records


def test_nothing(kafka: str) -> None:
    """Nothing to send is no batch."""
    assert asyncio.run(_sent(kafka, _topic(kafka), [])) == (0, [])
