"""The recorder: everything that travels is kept, in a Faust worker.

Inputs, alert transitions, page attempts and dead letters become points in the store; a batch is
acknowledged only when the store has it. While the store is away the records wait in Kafka, unread;
nothing else waits for the recorder. Writing twice changes nothing.
"""

import logging
from typing import Any

import faust
import msgspec
from faust.types import EventT

from schemas.alert import Alert
from schemas.decode import Own
from schemas.encode import encode
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter, Reason, Rejected, kept
from streams.door import admit
from streams.keeper import Keeper
from streams.settings import Settings
from streams.stores.points import points_of
from streams.stores.port import Point
from streams.worker import Batch, arrival, each_batch, new_app, published

log = logging.getLogger("inowatch")

_Output = Alert | Page | DeadLetter | ProfileChange


class Recorder:
    """From topics to points."""

    def __init__(self, settings: Settings) -> None:
        self._keeper = Keeper(settings.store)
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
        for point, why in await self._keeper.keep(points):
            lost.append((origin[id(point)], "refused-by-store", why))
        await published([await self._dead_letter(*loss) for loss in lost if self._is_new(*loss)])

    def _is_new(self, event: EventT[Any], reason: Reason, detail: str) -> bool:
        """A dead letter that cannot be kept stays in its topic, and makes no other."""
        message = event.message
        if message.topic != self._dead_letters.get_topic_name():
            return True
        log.error("dead letter %d/%d: %s: %s", message.partition, message.offset, reason, detail)
        return False

    def _points(self, message: Any) -> list[Point]:
        """Make the points of one record. What the monitor refuses is kept as its dead letter."""
        raw = message.value or b""
        kind = self._inputs.get(message.topic)
        if kind is None:
            return points_of(self._outputs[message.topic].decode(raw))
        event = admit(raw, kind, arrival(message, self._clock), self._book)
        return [] if isinstance(event, Rejected | Own) else points_of(event, raw)

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
