"""Bytewax: a Kafka source, a stateful step for each partition, a Kafka sink.

Batches go through as batches (``flat_map_batch``, ``stateful_batch``), which is its way to be fast,
and the sink flushes each. Where Kafka's own consumers commit offsets, Bytewax keeps them in its
recovery store, once an epoch of a second. The states leave as records of a compacted topic, as
everybody's do here; its store holds the offsets alone.
"""

from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from streams.batch import BATCH_RECORDS
from tests.bench.peers.jobs import Job, read_job
from tests.bench.peers.work import STATES_EVERY_S, Sent, Work, arrived


class _Judging(StatefulBatchLogic):
    """One partition's work; what it emits are records for the sink."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._work: Work | None = None

    def on_batch(self, values: list[KafkaSourceMessage]) -> tuple[list[KafkaSinkMessage], bool]:
        job = self._job
        if self._work is None:
            self._work = Work(job.samples, values[0].partition, job.partitions)
        told = self._work.judge(
            [(at.offset, at.key, at.value, arrived(at.timestamp[1])) for at in values]
        )
        items = _messages(told, job.alerts) + _messages(self._work.states(), job.states)
        return items, StatefulBatchLogic.RETAIN

    def snapshot(self) -> None:
        """Keep nothing in Bytewax's store: the states are in Kafka."""


def _messages(sent: list[Sent], topic: str) -> list[KafkaSinkMessage]:
    return [KafkaSinkMessage(key, value, topic=topic) for key, value in sent]


def _keyed(batch: list[KafkaSourceMessage]) -> list[tuple[str, KafkaSourceMessage]]:
    return [(str(message.partition), message) for message in batch]


def flow_of(job: Job) -> Dataflow:
    """Lay out the flow."""
    brokers = [job.kafka]
    flow = Dataflow("monitor")
    source = KafkaSource(brokers, [job.samples], batch_size=BATCH_RECORDS)
    samples = op.input("samples", flow, source)
    keyed = op.flat_map_batch("by_partition", samples, _keyed)
    judged = op.stateful_batch("judge", keyed, lambda _: _Judging(job))
    settings = {"acks": "all", "linger.ms": "0", "partitioner": "murmur2_random"}
    messages = op.map("to_sink", judged, lambda pair: pair[1])
    op.output("out", messages, KafkaSink(brokers, None, settings))
    return flow


def run(job: Job) -> None:
    """Read, judge and write until the process is ended."""
    store = Path(job.folder)
    init_db_dir(store, 1)
    cli_main(
        flow_of(job),
        epoch_interval=timedelta(seconds=STATES_EVERY_S),
        recovery_config=RecoveryConfig(store),
    )


if __name__ == "__main__":
    run(read_job())
