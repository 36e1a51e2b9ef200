"""Records that reach a partition in one piece: all of them or none.

Kafka appends a record batch as a whole. What does not fit into one goes in several, in order.
"""

from asyncio import Future
from collections.abc import Sequence
from typing import Any

Pair = tuple[bytes, bytes | None]
"""A key and its value; ``None`` takes the key out of a compacted topic."""


async def send_together(
    producer: Any, topic: str, partition: int, records: Sequence[Pair]
) -> list[Future[Any]]:
    """Hand records to an ``AIOKafkaProducer``; returns what is done when the broker has them.

    A batch has at most the producer's ``max_batch_size`` bytes; a record that is larger alone is
    sent by itself, as far as the topic takes it.
    """
    sent: list[Future[Any]] = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is not None:
            continue
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        batch = producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send(topic, value, key=key, partition=partition))
    if batch.record_count():
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
