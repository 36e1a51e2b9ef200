"""The journal: what happened and who looked, in chains on a disk, in a Faust worker.

A batch is acknowledged when the disk has it. A disk that is full, or away, is tried again; until
then the records wait in Kafka, and nothing else waits for the journal. What a chain lacks, because
its file was cut, lost or brought back from a copy, is read once more from Kafka. A site runs one.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faust

from alerts.sinks.retry import Backoff
from deploy.kafka.cluster import ClusterError
from streams.batch import Batch
from streams.ending import CannotStart, give_up
from streams.journal.anchoring import FILE, Anchors
from streams.journal.entries import chain_of, entry_of, kinds
from streams.journal.keys import read_keys
from streams.journal.missed import missed
from streams.journal.shelf import Shelf, ShelfTaken
from streams.settings import Settings
from streams.worker import arrival, each_batch, new_app, published

log = logging.getLogger("inowatch")

ANCHOR_S = 3600.0
_BACKOFF = Backoff(least_s=0.5, most_s=30.0)


class Journal:
    """From topics to chains; from chains to anchors.

    Raises ``CannotStart`` without a folder and a key, and ``ValueError`` for keys that cannot be
    used and for one that is missing. Gives up, to be started again, while the folder is away or
    another process has it.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.journal is None or settings.journal_key_file is None:
            raise CannotStart(
                "the journal needs INOWATCH_JOURNAL, a folder, and INOWATCH_JOURNAL_KEY_FILE"
            )
        self._kafka = settings.kafka
        self._clock = settings.clock
        self._kinds = kinds(settings.topics)
        keys = read_keys(settings.journal_key_file)
        try:
            self._shelf = Shelf(settings.journal, keys)
            self._anchors = Anchors(settings.anchors or settings.journal / FILE, keys)
        except (OSError, ShelfTaken) as wrong:
            # No fault of the settings: a disk may come back, and nobody else may wait for it.
            give_up(f"the journal cannot be opened: {wrong}")
        # One thread: whatever touches a file of the journal is done one after the other.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self.app = app = new_app("journal", settings)
        self._anchor_topic = app.topic(settings.topics.anchors)
        source = app.topic(*self._kinds, key_type=bytes, value_type=bytes)
        app.agent(source, name="journal", concurrency=1)(self._journal)
        app.task(self._anchor)
        app.timer(ANCHOR_S, name="anchor")(self._anchor)

    async def _journal(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch(stream, self._handle)

    async def _handle(self, batch: Batch) -> None:
        """Append, however long the disk takes to be there."""
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._on_disk(self._append, batch)
            except (OSError, ClusterError) as away:
                wait_s = _BACKOFF.wait_s(attempt, None, 0.5)
                log.error(  # noqa: TRY400 - the words are what helps; where it was raised does not
                    "%d records are not in the journal yet, again in %.1f s: %s",
                    len(batch),
                    wait_s,
                    away,
                )
                await asyncio.sleep(wait_s)
            else:
                if attempt > 1:
                    log.warning("%d records are journaled, at attempt %d", len(batch), attempt)
                return

    def _append(self, batch: Batch) -> None:
        topic, partition = batch[0].topic, batch[0].partition
        chain = chain_of(topic, partition)
        expected = self._shelf.next_offset(chain)
        if expected < batch[0].offset:
            for before in missed(self._kafka, topic, partition, expected, batch[0].offset):
                self._write(chain, before)
            found = self._shelf.next_offset(chain)
            if 0 < found < batch[0].offset:
                log.error(
                    "%s: offsets %d to %d are in Kafka no more, and will never be in the journal",
                    chain,
                    found,
                    batch[0].offset - 1,
                )
        self._write(chain, batch)

    def _write(self, chain: str, batch: Batch) -> None:
        kind = self._kinds[batch[0].topic]
        entries = (entry_of(record, kind, arrival(record, self._clock)) for record in batch)
        self._shelf.append(chain, entries)

    async def _anchor(self) -> None:
        """Drop an anchor; without a disk for it there is none, and the next hour's says it all."""
        try:
            line = await self._on_disk(self._drop)
            await published([await self._anchor_topic.send(key=b"journal", value=line)])
        except Exception:
            # Whatever it is, it must not end what writes the journal itself.
            log.exception("an anchor is not where it should be")

    def _drop(self) -> bytes:
        return self._anchors.drop(self._clock(), self._shelf.heads())

    async def _on_disk(self, done: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._disk, done, *args)
