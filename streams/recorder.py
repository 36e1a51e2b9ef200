"""The recorder: everything that travels is kept, in a Faust worker.

Inputs, alert transitions, page attempts, dead letters, looks, anchors and the site's health become
points; a batch is acknowledged only when the store has it. While the store is away the records wait
in Kafka, unread; nothing else waits for the recorder. Writing twice changes nothing.
"""

import logging
from typing import Any

import faust
import msgspec

from schemas.alert import Alert
from schemas.anchor import Anchor
from schemas.decode import Own
from schemas.encode import encode
from schemas.health import Health
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter, Reason, Rejected, kept
from schemas.view import View
from streams.batch import Batch, KafkaRecord
from streams.door import admit
from streams.keeper import Keeper
from streams.settings import Settings
from streams.stores.points import points_of
from streams.stores.port import Point
from streams.worker import arrival, each_batch_apart, new_app, published

log = logging.getLogger("inowatch")

_Output = Alert | Page | DeadLetter | ProfileChange | View | Anchor | Health


class Recorder:
    """From topics to points."""

    def __init__(self, settings: Settings) -> None:
        self._keeper = Keeper(settings.store)
        self._clock = settings.clock
        self._book = settings.book
        names = settings.topics
        self._inputs = names.inputs
        self._outputs: dict[str, msgspec.json.Decoder[_Output]] = {}
        for topic, record in (
            (names.alerts, Alert),
            (names.pages, Page),
            (names.dead_letters, DeadLetter),
            (names.changes, ProfileChange),
            (names.views, View),
            (names.anchors, Anchor),
            (names.health, Health),
        ):
            self._outputs[topic] = msgspec.json.Decoder(record)
        self.app = app = new_app("recorder", settings)
        self._dead_letters = app.topic(names.dead_letters)
        source = app.topic(*self._inputs, *self._outputs, key_type=bytes, value_type=bytes)
        app.agent(source, name="record", concurrency=1)(self._record)

    async def _record(self, stream: faust.StreamT[bytes]) -> None:
        await each_batch_apart(stream, self._handle)

    async def _handle(self, batch: Batch) -> None:
        points: list[Point] = []
        origin: dict[int, KafkaRecord] = {}
        lost: list[tuple[KafkaRecord, Reason, str]] = []
        for record in batch:
            try:
                made = self._points(record)
            except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
                lost.append((record, "unreadable-output", str(wrong)))
                continue
            points += made
            for point in made:
                origin[id(point)] = record
        for point, why in await self._keeper.keep(points):
            lost.append((origin[id(point)], "refused-by-store", why))
        await published([await self._dead_letter(*loss) for loss in lost if self._is_new(*loss)])

    def _is_new(self, record: KafkaRecord, reason: Reason, detail: str) -> bool:
        """A dead letter that cannot be kept stays in its topic, and makes no other."""
        if record.topic != self._dead_letters.get_topic_name():
            return True
        log.error("dead letter %d/%d: %s: %s", record.partition, record.offset, reason, detail)
        return False

    def _points(self, record: KafkaRecord) -> list[Point]:
        """Make the points of one record. What the monitor refuses is kept as its dead letter."""
        raw = record.value or b""
        kind = self._inputs.get(record.topic)
        if kind is None:
            return points_of(self._outputs[record.topic].decode(raw))
        event = admit(raw, kind, arrival(record, self._clock), self._book)
        return [] if isinstance(event, Rejected | Own) else points_of(event, raw)

    async def _dead_letter(self, record: KafkaRecord, reason: Reason, detail: str) -> Any:
        letter = DeadLetter(
            time=self._clock(),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            detail=detail,
            key=kept(record.key),
            value=kept(record.value),
        )
        return await self._dead_letters.send(key=letter.key, value=encode(letter))
