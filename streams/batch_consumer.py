"""Faust's consumer, changed in one thing: the records fetched from a partition are one message.

Faust 0.15.3 spends its time on messages, so it is handed fewer. Every topic that an agent reads
comes in batches; what is fetched of a changelog, from which tables are restored, is put into its
table at once, and Faust hears only how far it has come. Promise: what is committed of a partition
ends with a batch before which every batch is acknowledged and made lasting; a crash brings back
whole batches and skips none. It leans on Faust's insides, which
tests/contract/test_faust_internals.py pins.
"""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.batch import IN_FLIGHT_BYTES, IN_FLIGHT_RECORDS, InFlight, cut
from streams.ending import give_up
from streams.lease import Lease, Superseded

log = logging.getLogger("inowatch")

REJOIN_S = 60.0
"""How long a worker that lost its place in the group waits for a new one."""

_NOWHERE = frozenset({TP("", -1)})
"""Fetching from this partition fetches nothing, and says that the consumer lives.

Fetching from none would be taken for fetching from all; not fetching, after
``broker_max_poll_interval``, for a consumer that hangs.
"""

_SOON_S = 0.02
"""When to ask again whether there is room: nobody handles 10,000 records in so little time."""

FETCH_WAIT_MS = 100
"""How long the broker may keep a question for records open when there are none. The next one
waits for it: with Faust's 1500 ms a restarted worker stands still before its first record."""

_BUSY_WAIT_MS = 20
"""The same while records come. The client has one question open at a time, and asks
in it for no partition of which it still holds records: with a backlog it comes to ask for the quiet
partitions alone, and meanwhile the others run dry."""


class _Thread(AIOKafkaConsumerThread):  # type: ignore[misc] # Faust ships no types
    """Kafka's client in a thread of its own."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        client = super()._create_worker_consumer(transport)
        client._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 # Faust has no setting for it
        return client


class BatchConsumer(Consumer):  # type: ignore[misc] # Faust ships no types
    """Hands out batches and commits by them.

    A message's value is its ``Batch``, its offset that of the first record. The app's
    ``before_commit`` is awaited when the offsets to commit are settled and before they are
    committed: it makes lasting what follows from the records before them. ``lease`` tells whether
    the group counts this worker in.

    After a rebalance Faust seeks to what is committed. A fetch may be under way meanwhile, in the
    client's own thread, and what it brings may have been read before the seek or after it. So
    nothing for agents is fetched while a rebalance is on; what a seek overtook all the same is
    dropped, and sought again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight: dict[TP, InFlight] = {}
        self._seeks = 0
        self._seeking = 0
        self._astray = False
        self.lease = Lease(self._prove)
        # A commit between two messages of a fetch would leave room for a rebalance between them.
        # The one of every second is enough.
        self._commit_every = None

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    @property
    def in_flight(self) -> tuple[int, int]:
        """Records and bytes that are handed out and not acknowledged, over all partitions."""
        records = size = 0
        for partition in self._in_flight.values():
            partition.settle()
            records += partition.records
            size += partition.bytes
        return records, size

    async def _getmany(
        self,
        active_partitions: AbstractSet[TP],
        timeout: float,  # noqa: ASYNC109 # it is Faust's, and passed on
    ) -> Mapping[TP, list[Any]]:
        """Fetch; what is for agents becomes batches."""
        if self._astray and not self.app.rebalancing:
            await self._find_back()
        records, size = self.in_flight
        full = records >= IN_FLIGHT_RECORDS or size >= IN_FLIGHT_BYTES
        wanted = set(active_partitions)
        if full or self.app.rebalancing or self._seeking or self._is_lost():
            wanted = {tp for tp in wanted if self._is_changelog_tp(tp)}
            timeout = min(timeout, _SOON_S)
        seeks = self._seeks
        fetched = await super()._getmany(wanted or _NOWHERE, timeout)
        self._wait_for(_BUSY_WAIT_MS if fetched else FETCH_WAIT_MS)
        batches: dict[TP, list[Any]] = {}
        for tp, found in fetched.items():
            if self._is_changelog_tp(tp):
                # Once the table is whole it knows more than a fetch that was under way.
                if found and tp in self._get_active_partitions():
                    batches[tp] = [self._restored(found)]
            elif seeks != self._seeks:
                self._astray = True
            else:
                batches[tp] = [_as_one(batch, bytes_) for batch, bytes_ in cut(found)]
        return batches

    def _wait_for(self, wait_ms: int) -> None:
        """Say how long the broker may keep the next questions open."""
        fetcher = self._thread._ensure_consumer()._fetcher  # noqa: SLF001 # it can be said nowhere else
        fetcher._fetch_max_wait_ms = wait_ms  # noqa: SLF001 # as above

    def _restored(self, found: list[Any]) -> Any:
        """Put records of a changelog into their table; returns one that says how far they reach."""
        table = self.app.tables._changelogs[found[0].topic]  # noqa: SLF001 # nobody else tells
        table.apply_changelog_batch(map(_Kept, found))
        # To forget a key that nobody has changes nothing; its offset is what counts.
        return dataclasses.replace(found[-1], key=b"", value=None)

    def _to_message(self, tp: TP, record: Any) -> Any:
        """Make a message, of a batch as of a record of a changelog; Faust hands it out at once."""
        message = super()._to_message(tp, record)
        if isinstance(message.value, tuple):
            partition = self._in_flight.get(tp)
            if partition is None or partition.seeks != self._seeks:
                partition = self._in_flight[tp] = InFlight(self._seeks)
            partition.add(message)
        return message

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """Name the partitions of which there may be something to commit."""
        return (tp for tp in self._in_flight if topics is None or {tp, tp.topic} & set(topics))

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset to commit, or ``None`` while there is nothing to."""
        # Faust's own list of acknowledged offsets is not used, and would grow.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        partition = self._in_flight[tp]
        partition.settle()
        return partition.done

    async def _commit_offsets(
        self,
        offsets: Mapping[TP, int],
        start_new_transaction: bool = True,  # noqa: FBT001, FBT002 # its name and place are Faust's
    ) -> bool:
        """Commit what was settled before all that follows from it was made lasting."""
        try:
            await self.app.before_commit()
        except Superseded as since:
            log.info("nothing is committed: %s", since)
            return False
        if self.lease.lost_s is not None:
            return False
        return bool(await super()._commit_offsets(offsets, start_new_transaction))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; that the group takes it proves that it counts this worker in."""
        asked_s = time.monotonic()
        done = bool(await super()._commit(offsets))
        if done and self._is_member:
            self.lease.renew(asked_s)
        return done

    async def _prove(self) -> bool:
        """Ask the group whether it counts this worker in: commit what is committed once more.

        Asked in the client's own thread, beside what else is asked there and may have to wait.
        """
        asked_s = time.monotonic()
        asking = asyncio.run_coroutine_threadsafe(self._ask(), self._thread.thread_loop)
        done = await asyncio.wrap_future(asking) and self._is_member
        if done:
            self.lease.renew(asked_s)
        return done

    def _is_lost(self) -> bool:
        """Whether a new assignment is waited for; the process ends when none comes."""
        lost_s = self.lease.lost_s
        if lost_s is not None and time.monotonic() - lost_s > REJOIN_S and not self.app.rebalancing:
            give_up(f"the group has assigned nothing for {REJOIN_S:g} s")
        return lost_s is not None

    def leave(self, message: Any) -> None:
        """Wait no more for a batch that others have now, or that comes again after a rebalance."""
        self._unacked_messages.discard(message)

    async def _ask(self) -> bool:
        thread = self._thread
        client = thread._ensure_consumer()  # noqa: SLF001 # Faust passes this question on to nobody
        place = next((tp for tp in self.assignment() if not self._is_changelog_tp(tp)), None)
        if place is None or not self._is_member:
            return False
        at = await client.committed(place)
        if at is None:
            at = (await client.beginning_offsets([place]))[place]
        at = max(at, self._committed_offset[place] or 0)
        return bool(place in self.assignment() and await thread._commit({place: at}))  # noqa: SLF001 # as above

    @property
    def _is_member(self) -> bool:
        """Whether it has a place in the group: who has none may commit, too, to an empty one."""
        client = self._thread._ensure_consumer()  # noqa: SLF001 # nobody else knows
        return bool(client._coordinator.generation > 0)  # noqa: SLF001 # as above

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no book of the offsets that no message bears: they are inside a batch."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin: the group has just counted this worker in."""
        self.lease.begin()
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand out no more, commit what is done and forget the rest."""
        self._seeks += 1
        self.lease.turn += 1
        await super().on_partitions_revoked(revoked)
        if not self.should_stop:
            await self.commit()
        for tp in revoked:
            self._in_flight.pop(tp, None)

    async def perform_seek(self) -> None:
        """Go on from what is committed: what is in flight will come again."""
        self._seeks += 1
        self._seeking += 1
        self._astray = False
        try:
            await super().perform_seek()
            # Where nothing is committed yet Faust leaves the client where it stands.
            new = [
                self._new_topicpartition(*tp)
                for tp in self.assignment()
                if not self._read_offset[tp] and not self._is_changelog_tp(tp)
            ]
            if new:
                await self._thread.seek_to_beginning(*new)
        finally:
            self._seeking -= 1

    async def _find_back(self) -> None:
        """Seek once more; a rebalance that begins meanwhile will do it as well."""
        try:
            await self.perform_seek()
        except Exception:
            self._astray = True
            if not self.app.rebalancing:
                raise

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Look for nothing: the watchdog tells from outside what stands still.

        Faust's own look, every 2.5 s, ends the worker when it meets a partition whose seek to the
        beginning is under way.
        """

    async def seek(self, partition: TP, offset: int) -> None:
        """Refuse: nobody needs it, and it would not fit with a fetch that is under way."""
        raise NotImplementedError("this consumer seeks to what is committed, and nowhere else")


class BatchTransport(Transport):  # type: ignore[misc] # Faust ships no types
    """Faust's transport to Kafka with a ``BatchConsumer``."""

    Consumer = BatchConsumer


class _Kept:
    """A record of a changelog, as tables want to be given it."""

    def __init__(self, record: Any) -> None:
        self.key = record.key
        self.value = record.value
        self.message = record


def _as_one(batch: Any, bytes_: int) -> Any:
    """Make one record of many, for Faust to make a message of."""
    return dataclasses.replace(
        batch[0], key=None, value=batch, headers=(), serialized_value_size=bytes_
    )
