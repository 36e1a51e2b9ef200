"""Quix Streams: a ``StreamingDataFrame``, record by record, with its own checkpoint a second.

The states are kept in the process and leave as records of a compacted topic, as everybody's do
here. Quix's own ``State`` would read, decode, encode and write the state of a patient for every
sample; so what is measured is the kinder way, with Quix's loop, its producer and its checkpoint
(flush, then commit) and nothing of its store.
"""

from typing import Any

from quixstreams import Application, message_context
from quixstreams.models.serializers import SerializationContext, Serializer

from tests.bench.peers.jobs import Job, read_job
from tests.bench.peers.work import STATES_EVERY_S, Work, arrived

_Item = tuple[bool, bytes, bytes]
"""Whether it is a state and not an alert; key; value."""


class _ValueOfItem(Serializer):
    """Writes what an item holds."""

    def __call__(self, value: Any, ctx: SerializationContext) -> bytes:
        return value[2]


def run(job: Job) -> None:
    """Read, judge and write until the process is ended."""
    app = Application(
        job.kafka,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=STATES_EVERY_S,
        producer_extra_config={"acks": "all", "linger.ms": 0},
        state_dir=job.folder,
        loglevel="WARNING",
    )
    samples = app.topic(job.samples, value_deserializer="bytes")
    alerts = app.topic(job.alerts, value_serializer=_ValueOfItem())
    states = app.topic(job.states, value_serializer=_ValueOfItem())
    works: dict[int, Work] = {}

    def judge(value: bytes, key: bytes, timestamp: int, _headers: Any) -> list[_Item]:
        at = message_context()
        work = works.get(at.partition)
        if work is None:
            work = works[at.partition] = Work(job.samples, at.partition, job.partitions)
        told = work.judge([(at.offset, key, value, arrived(timestamp))])
        items = [(False, *alert) for alert in told]
        return items + [(True, *state) for state in work.states()]

    frame = app.dataframe(samples)
    frame = frame.apply(judge, expand=True, metadata=True)
    frame.to_topic(
        lambda item, _key, _timestamp, _headers: states if item[0] else alerts,
        key=lambda item: item[1],
    )
    app.run()


if __name__ == "__main__":
    run(read_job())
