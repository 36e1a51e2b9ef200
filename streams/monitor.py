"""The monitor: input topics to alerts, in a Faust worker.

A batch is judged in memory; what it leads to is published at once, and what it changed is written
down before its offsets are committed, about once a second (``lasting`` has the order and the
reasons). A crash anywhere leaves either a state that knows its unpublished alerts, or records that
come again and are judged alike. Ticks are sent into every partition held of every input topic, and
with them what the partitions have to know of one another's units.
"""

import logging
from asyncio import Future
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import faust
from faust.types import TP

from schemas.encode import encode
from schemas.stand_in import whole_unit
from schemas.tick import Tick
from streams.batch import Batch
from streams.ending import give_up
from streams.home import home_of
from streams.lasting import Lasting
from streams.lease import Superseded
from streams.partition import Partition
from streams.row import row_of
from streams.settings import Settings
from streams.together import Pair, send_together
from streams.ward import Ward
from streams.worker import arrivals, each_batch, new_app, new_table, published

log = logging.getLogger("inowatch")

TICK_S = 1.0
ROW_HEARTBEAT = timedelta(seconds=5)
"""How often, in ward time, every patient's board row is sent though nothing was heard."""
ROW_KEPT = timedelta(hours=24)
"""How long a patient stays on the board after the last sample of a course that ended."""


class Monitor:
    """One worker's share of the partitions, and the way out of what they decide."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = settings.clock
        self._inputs = settings.topics.inputs
        self._held: dict[int, Partition] = {}
        self._rows_due: dict[int, datetime] = {}
        self._unshown: dict[int, set[str]] = defaultdict(set)
        self._gone: set[str] = set()
        self.app = app = new_app("monitor", settings)
        names = settings.topics
        self._input = app.topic(*self._inputs, key_type=bytes, value_type=bytes)
        self._board = names.board
        self._ticked = {name: app.topic(name) for name in self._inputs}
        self._between = self._ticked[names.courses]  # where the least is sent otherwise
        self._states = new_table(app, "states", settings)
        self._lasting = Lasting(names, lambda: self._states.data, self)
        app.before_commit = self._checkpoint
        app.agent(self._input, name="judge", concurrency=1)(self._judge)
        app.timer(TICK_S, name="tick")(self._tick)
        app.on_partitions_revoked.connect(self._let_go)

    async def hold(self) -> None:
        """Return while the group counts this worker in; see ``Lasting``."""
        await self.app.consumer.lease.hold()

    async def send(self, records: Sequence[tuple[str, bytes | None, bytes, int | None]]) -> None:
        """Send records and wait until the broker has them; see ``Lasting``."""
        producer = self.app.producer
        await published([await producer.send(*record, None, None) for record in records])

    async def keep(self, partition: int, values: Sequence[Pair]) -> None:
        """Write values into the changelog and wait until the broker has them; see ``Lasting``."""
        topic = self._states.changelog_topic.get_topic_name()
        await published(await send_together(self._client, topic, partition, values))

    @property
    def _client(self) -> Any:
        return self.app.producer._ensure_producer()  # noqa: SLF001 # Faust has no word for batches

    async def _judge(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch(stream, self._handle)

    async def _handle(self, batch: Batch) -> None:
        topic, number = batch[0].topic, batch[0].partition
        if TP(topic, number) not in self.app.consumer.assignment():
            raise Superseded("its partition was given away meanwhile")
        partition = self._held.get(number)
        if partition is None:
            partition = self._held[number] = await self._take_over(number)
        records = [
            (record.offset, record.key, record.value, arrived)
            for record, arrived in zip(batch, arrivals(batch, self._clock), strict=True)
        ]
        outcome = partition.judge(topic, records)
        self._unshown[number] |= outcome.touched
        await self._lasting.tell(partition, outcome)
        if outcome.ticked:
            await self._show(partition)

    async def _take_over(self, number: int) -> Partition:
        """Rebuild a partition from the table, and publish what its former holder had left."""
        settings = self._settings
        ward = Ward(settings.profile, number, settings.book, settings.partitions)
        partition = Partition(
            ward, self._inputs, lambda patient: home_of(patient, settings.partitions)
        )
        left = self._lasting.restore(partition)
        await self._forget_lost_offsets(partition)
        await self._lasting.publish(partition, left)
        return partition

    async def _checkpoint(self) -> None:
        """Make lasting what follows from the records before the offsets to commit.

        Raises ``Superseded`` when it is for others to do.
        """
        try:
            await self._lasting.checkpoint(list(self._held.values()))
        except Superseded:
            raise
        except Exception:
            log.exception("what was judged could not be written down")
            give_up("what was judged could not be written down")

    async def _forget_lost_offsets(self, partition: Partition) -> None:
        """In a topic that was made anew an offset beyond its end means nothing any more."""
        places = {topic: TP(topic, partition.number) for topic in self._inputs}
        ends = await self.app.consumer.highwaters(*places.values())
        for topic, place in places.items():
            if partition.forget_beyond(topic, ends.get(place, 0)):
                log.error("%s was made anew: what was applied of it before is not known", topic)

    async def _let_go(self, *_: Any, **__: Any) -> None:
        """Write down what is held, and forget it: the next owner begins at this checkpoint.

        Faust has waited for the batch under way, and the others of the group wait for this.
        """
        try:
            await self._checkpoint()
        except Superseded as since:
            log.warning("what was judged since the last checkpoint is left to others: %s", since)
        self._lasting.forget()
        self._held.clear()
        self._rows_due.clear()
        self._unshown.clear()
        self._gone.clear()

    async def _show(self, partition: Partition) -> None:
        """Send board rows: of touched patients, and with a heartbeat of every one on the board.

        A patient whose course ended a day ago leaves the board.
        """
        ward, number, now = partition.ward, partition.number, self._clock()
        if ward.clock is None:
            return
        shown = self._unshown.pop(number, set())
        # Not at once after a restart: there is more urgent work, and the board has its rows.
        if now >= self._rows_due.setdefault(number, now + ROW_HEARTBEAT):
            self._rows_due[number] = now + ROW_HEARTBEAT
            shown |= ward.patients.keys() - self._gone
        rows: list[tuple[bytes, bytes | None]] = []
        for name in shown:
            state = ward.patients[name]
            if state.sample_time is None:
                continue
            if state.course is None and ward.clock - state.sample_time > ROW_KEPT:
                self._gone.add(name)
                rows.append((name.encode(), None))
                continue
            self._gone.discard(name)
            of_unit = ward.units.grouped.alert_of(state)
            row = row_of(state, ward.clock, ward.limits_of(state), of_unit)
            rows.append((name.encode(), encode(row)))
        # Nobody waits for these: the next ones come in a second.
        for sent in await send_together(self._client, self._board, number, rows):
            sent.add_done_callback(_note_lost)

    async def _tick(self) -> None:
        """Send the time into every partition held of every input topic."""
        held = [tp for tp in self.app.assignor.assigned_actives() if tp.topic in self._ticked]
        if not held:
            return
        try:
            await self.hold()
        except Superseded:
            return  # others send it now
        tick = encode(Tick(time=self._clock()))
        for tp in held:
            await self._ticked[tp.topic].send(value=tick, partition=tp.partition)
        await self._tell_of_units()

    async def _tell_of_units(self) -> None:
        """Send shares of units to their homes, and the words of those at home here to all."""
        partitions = self._settings.partitions
        for partition in list(self._held.values()):
            for share in partition.shares():
                home = home_of(whole_unit(share.unit), partitions)
                await self._between.send(value=encode(share), partition=home)
            for word in partition.words():
                for number in range(partitions):
                    await self._between.send(value=encode(word), partition=number)


def _note_lost(sent: Future[Any]) -> None:
    if not sent.cancelled() and (lost := sent.exception()) is not None:
        log.warning("rows of the board were not taken: %r", lost)
