"""The recorder: everything that travels is kept, in a Faust worker.

Inputs, alert transitions, page attempts and dead letters become points in the store; a batch is
acknowledged only when the store has it. While the store is away the records wait in Kafka, unread;
nothing else waits for the recorder. Writing twice changes nothing.
"""

import asyncio
import logging
from typing import Any

import faust
import msgspec
import stamina
from faust.types import EventT

from schemas.alert import Alert
from schemas.decode import Own
from schemas.encode import encode
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter, Reason, Rejected, kept
from streams.door import admit
from streams.settings import Settings
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.port import Point, PointsRefused, Store, StoreUnavailable
from streams.worker import Batch, arrival, each_batch, new_app, published

log = logging.getLogger("inowatch")

RETRY_FROM_S, RETRY_TO_S = 0.5, 30.0

_Output = Alert | Page | DeadLetter | ProfileChange


class Recorder:
    """From topics to points."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.store
        self._store: Store | None = None
        try:
            self._write([])
        except StoreUnavailable as away:
            log.warning("the store is not there yet: %s", away)
        self._clock = settings.clock
        self._book = settings.book
        names = settings.topics
        self._inputs = names.inputs
        self._outputs: dict[
            str, msgspec.json.Decoder[Alert | Page | DeadLetter | ProfileChange]
        ] = {}
        for topic, record in (
            (names.alerts, Alert),
            (names.pages, Page),
            (names.dead_letters, DeadLetter),
            (names.changes, ProfileChange),
        ):
            self._outputs[topic] = msgspec.json.Decoder(record)
        self.app = app = new_app("recorder", settings)
        self._dead_letters = app.topic(names.dead_letters)
        source = app.topic(*self._inputs, *self._outputs, key_type=bytes, value_type=bytes)
        app.agent(source, name="record", concurrency=1)(self._record)

    async def _record(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch(stream, self._handle)

    async def _handle(self, batch: Batch) -> None:
        points: list[Point] = []
        origin: dict[int, EventT[Any]] = {}
        lost: list[tuple[EventT[Any], Reason, str]] = []
        for event in batch:
            try:
                made = self._points(event.message)
            except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
                lost.append((event, "unreadable-output", str(wrong)))
                continue
            points += made
            origin |= {id(point): event for point in made}
        for point, why in await self._written(points):
            lost.append((origin[id(point)], "refused-by-store", why))
        await published([await self._dead_letter(*loss) for loss in lost if self._is_new(*loss)])

    def _is_new(self, event: EventT[Any], reason: Reason, detail: str) -> bool:
        """A dead letter that cannot be kept stays in its topic, and makes no other."""
        message = event.message
        if message.topic != self._dead_letters.get_topic_name():
            return True
        log.error("dead letter %d/%d: %s: %s", message.partition, message.offset, reason, detail)
        return False

    def _write(self, points: list[Point]) -> None:
        """Write to the store, which is opened when it is first there."""
        self._store = self._store or open_store(self._address)
        self._store.write(points)

    def _points(self, message: Any) -> list[Point]:
        """Make the points of one record. What the monitor refuses is kept as its dead letter."""
        raw = message.value or b""
        kind = self._inputs.get(message.topic)
        if kind is None:
            return points_of(self._outputs[message.topic].decode(raw))
        event = admit(raw, kind, arrival(message, self._clock), self._book)
        return [] if isinstance(event, Rejected | Own) else points_of(event, raw)

    async def _written(self, points: list[Point]) -> list[tuple[Point, str]]:
        """Write until the store has them; return those that it will never take, and why."""
        if not points:
            return []
        async for attempt in stamina.retry_context(
            on=StoreUnavailable,
            attempts=None,
            timeout=None,
            wait_initial=RETRY_FROM_S,
            wait_max=RETRY_TO_S,
            wait_jitter=RETRY_FROM_S,
        ):
            with attempt:
                try:
                    await asyncio.to_thread(self._write, points)
                except PointsRefused as refused:
                    # All others of the batch are written.
                    return [(point, refused.reason) for point in refused.points]
                except StoreUnavailable as away:
                    log.warning("%d points are not written yet: %s", len(points), away)
                    raise
        return []

    async def _dead_letter(self, event: EventT[Any], reason: Reason, detail: str) -> Any:
        message = event.message
        letter = DeadLetter(
            time=self._clock(),
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            reason=reason,
            detail=detail,
            key=kept(message.key),
            value=kept(message.value),
        )
        return await self._dead_letters.send(key=letter.key, value=encode(letter))
