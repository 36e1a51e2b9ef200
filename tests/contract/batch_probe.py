"""A worker to look at the batch consumer with: it writes down what it is given, and can be held.

    python -m tests.contract.batch_probe ROLE DIRECTORY

It reads the topics of samples and results as the worker of that role would. ``LOG`` gets a line
when a batch begins and one when it is done, when a rebalance begins or ends, and when it holds so
much that it should fetch no more. ``GATE``, while it exists, names how many batches this process
may finish; the next one is held. Where it finds ``REJOIN`` it asks for a rebalance. With
PROBE_TABLE it keeps each record's value under its key in the role's table.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from streams.batch import IN_FLIGHT_BYTES, IN_FLIGHT_RECORDS, Batch
from streams.settings import read_settings
from streams.worker import each_batch, new_app, new_table, published, run_worker

LOG, GATE, REJOIN = "probe.jsonl", "gate", "rejoin"
TABLES = {"monitor": "states", "pager": "told"}


class Line(msgspec.Struct):
    """What the probe writes down, as one line.

    ``records``: offset, key, and value without the blanks that made it long. ``most``: records and
    bytes that were in flight at the most. ``table``: how many entries the table has.
    """

    what: str
    worker: str
    topic: str = ""
    partition: int = 0
    records: list[tuple[int, bytes | None, bytes | None]] = []
    most: tuple[int, int] = (0, 0)
    table: int = 0

    @property
    def place(self) -> tuple[str, int]:
        """Topic and partition."""
        return self.topic, self.partition

    @property
    def first(self) -> int:
        """Offset of the first record."""
        return self.records[0][0]

    @property
    def last(self) -> int:
        """Offset of the last record."""
        return self.records[-1][0]


class Probe:
    """One worker with one agent."""

    def __init__(self, role: str, directory: Path) -> None:
        settings = read_settings(os.environ)
        self._name = f"{settings.instance}-{os.getpid()}"
        self._log = os.open(directory / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._gate, self._wish = directory / GATE, directory / REJOIN
        self._done = 0
        self.settings = settings
        self.app: Any = new_app(role, settings)
        names = settings.topics
        source = self.app.topic(names.telemetry, names.labs, key_type=bytes, value_type=bytes)
        table = TABLES.get(role)
        self._table: Any = None if table is None else new_table(self.app, table, settings)
        self.app.agent(source, name="probe", concurrency=1)(self._probe)
        self.app.timer(0.005, name="sample")(self._sample)
        self._most = (0, 0)
        self._was_full = self._was_rebalancing = False
        self._rebalances = 0

    async def _probe(self, stream: Any) -> None:
        await each_batch(stream, self._handle)

    async def _handle(self, batch: Batch) -> None:
        records = [(r.offset, r.key, r.value and r.value.rstrip()) for r in batch]
        topic, partition = batch[0].topic, batch[0].partition
        self._write("begin", topic, partition, records)
        if self._table is not None and "PROBE_TABLE" in os.environ:
            sends = []
            for _, key, value in records:
                sends.append(self._table.send_changelog(partition, key, value))
                self._table.data[key] = value
            await published(sends)
        while self._held():  # noqa: ASYNC110 # what ends it comes from another process
            await asyncio.sleep(0.01)
        self._done += 1
        self._write("done", topic, partition, records)

    def _held(self) -> bool:
        try:
            return self._done >= int(self._gate.read_text())
        except (FileNotFoundError, ValueError):
            return False

    async def _sample(self) -> None:
        full, rebalancing = self._look(), self.app.rebalancing
        if full and not self._was_full:
            self._write("full")
        if rebalancing and not self._was_rebalancing:
            self._write("rebalancing")
        if not rebalancing and self.app.rebalancing_count != self._rebalances:
            self._rebalances = self.app.rebalancing_count
            self._write("ready")
        self._was_full, self._was_rebalancing = full, rebalancing
        if self._wish.exists() and not rebalancing:
            self._wish.unlink()
            self._rejoin()

    def _rejoin(self) -> None:
        """Do what the client does when Kafka says that the group is rebalancing."""
        thread = self.app.consumer._thread  # noqa: SLF001 # nobody else can ask for it
        client = thread._ensure_consumer()  # noqa: SLF001 # as above
        rejoin = client._coordinator.request_rejoin  # noqa: SLF001 # as above
        thread.thread_loop.call_soon_threadsafe(rejoin)

    def _look(self) -> bool:
        records, size = self.app.consumer.in_flight
        self._most = max(self._most[0], records), max(self._most[1], size)
        return bool(records >= IN_FLIGHT_RECORDS or size >= IN_FLIGHT_BYTES)

    def _write(self, what: str, *place: Any) -> None:
        self._look()
        table = 0 if self._table is None else len(self._table.data)
        line = Line(what, self._name, *place, most=self._most, table=table)
        # A kill may tear a line; the next one begins afresh.
        os.write(self._log, b"\n" + msgspec.json.encode(line) + b"\n")


if __name__ == "__main__":
    probe = Probe(sys.argv[1], Path(sys.argv[2]))
    run_worker(probe.app, sys.argv[1], probe.settings)
