"""Records that a chain lacks, read once more from Kafka: no group, nothing committed.

Promise: every record of one partition between two offsets that Kafka still has, in order, a few at
a time. What it has let go is not there; whoever asks sees that from the offsets.
"""

import time
from collections.abc import Iterator
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.kafka.access import KafkaAccess
from deploy.kafka.edges import edges
from deploy.kafka.refused import ClusterError
from streams.batch import Batch

PATIENCE_S = 30.0
"""A broker that sends nothing for so long, though there is something, is taken for away."""
_POLL_MS = 500


def missed(kafka: KafkaAccess, topic: str, partition: int, first: int, end: int) -> Iterator[Batch]:
    """Yield what is left of the offsets ``first`` to before ``end``. Raises ``ClusterError``."""
    place = TopicPartition(topic, partition)
    try:
        consumer = KafkaConsumer(
            **kafka.client(),
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            auto_offset_reset="earliest",
        )
        with closing(consumer):
            at = max(first, edges(consumer.beginning_offsets, [place])[place])
            consumer.assign([place])
            consumer.seek(place, at)
            patience = time.monotonic() + PATIENCE_S
            while at < end:
                found = consumer.poll(_POLL_MS).get(place, ())
                batch = tuple(record for record in found if record.offset < end)
                if batch:
                    yield batch
                position = consumer.position(place)
                if position > at:
                    at, patience = position, time.monotonic() + PATIENCE_S
                elif time.monotonic() > patience:
                    raise ClusterError(f"Kafka sent nothing of {topic} for {PATIENCE_S:.0f} s")
    except KafkaError as error:
        raise ClusterError(f"Kafka at {kafka.address}: {error!r}") from error
