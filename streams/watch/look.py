"""One look after the other at a whole site: what Kafka shows to an observation.

What one look has found makes the next one short: topics are read on from where the last look ended.
Knows Kafka and the wall clock; judges nothing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from kafka import TopicPartition

from deploy.kafka.cluster import ClusterError
from schemas.alert import Alert
from schemas.page import Page
from schemas.tick import Tick
from streams.clock import wall_clock
from streams.groups import app_id, topics_read
from streams.settings import Settings
from streams.watch.kafka_view import KafkaView, Span, came
from streams.watch.ledger import Ledger
from streams.watch.observation import Observation, Ticks, Workers
from streams.watch.unread import Unread

log = logging.getLogger("inowatch")

LOOK_BACK = timedelta(hours=24)
"""How far back alerts and pages are read at the first look. What nobody was told of for longer has
been a ``monitor-blind`` all that while."""
TAIL = 2000
"""Records read at most of each input partition in one look, its newest: a tick is among them unless
more than 2000 records a second come to one partition, and then every other look or so sees one."""

_ALERT = msgspec.json.Decoder(Alert)
_PAGE = msgspec.json.Decoder(Page)
_TICK = msgspec.json.Decoder(Tick)


class Look:
    """The eye of one watchdog. Not for two threads.

    ``receivers`` names the sinks that pages go to.
    """

    def __init__(self, settings: Settings, receivers: Iterable[str], watcher: str) -> None:
        self._settings = settings
        self._names = settings.topics
        self._receivers = tuple(receivers)
        self._roles = settings.watched
        self._view: KafkaView | None = None
        self._read_to: dict[TopicPartition, int] = {}
        self._ticked: dict[TopicPartition, datetime] = {}
        self._unread = Unread()
        self._gone: dict[str, datetime | None] = {}
        self._looked = False
        self.ledger = Ledger(settings.page_from, watcher)

    def __call__(self) -> Observation:
        """Look once. Raises ``ClusterError``, with words, when Kafka does not show all of it."""
        self._view = self._view or KafkaView(self._settings.kafka)
        try:
            seen = self._observe(self._view)
        except ClusterError:
            self.close()
            raise
        self._looked = True
        return seen

    def close(self) -> None:
        """Let go of Kafka; another look connects again."""
        if self._view is not None:
            self._view.close()
            self._view = None

    def _observe(self, view: KafkaView) -> Observation:
        names = self._names
        wanted = dict.fromkeys(
            [
                *names.inputs,
                names.alerts,
                names.pages,
                names.health,
                *(topic for role in self._roles for topic in topics_read(role, names)),
            ]
        )
        at = wall_clock()
        places = view.places(wanted)
        spans = view.spans([place for found in places.values() for place in found])
        read_by = {
            role: {
                place: spans[place] for topic in topics_read(role, names) for place in places[topic]
            }
            for role in self._roles
        }
        lags = [
            lag
            for role, held in read_by.items()
            for lag in self._unread.lags(view, role, app_id(role, self._settings), held, at)
        ]
        self._take_ticks(view, {p: s for p, s in spans.items() if p.topic in names.inputs})
        # Alerts first: a page is about an alert that was there before it.
        self._take(view, places[names.alerts], spans, self._take_alert)
        self._take(view, places[names.pages], spans, self._take_page)
        self.ledger.forget(at - LOOK_BACK)
        return Observation(
            at=at,
            missing=tuple(topic for topic, found in places.items() if not found),
            ticks=tuple(
                Ticks(topic=p.topic, partition=p.partition, newest=self._ticked.get(p))
                for p in spans
                if p.topic in names.inputs
            ),
            workers=tuple(self._workers(view, at)),
            lags=tuple(lags),
            receivers=self.ledger.receivers(self._receivers),
            untold=self.ledger.untold(),
        )

    def _workers(self, view: KafkaView, at: datetime) -> Iterator[Workers]:
        members = view.members([app_id(role, self._settings) for role in self._roles])
        for role in self._roles:
            running = members[app_id(role, self._settings)]
            if running:
                self._gone.pop(role, None)
            else:
                # At the first look nobody knows for how long.
                self._gone.setdefault(role, at if self._looked else None)
            yield Workers(role=role, running=running, gone=self._gone.get(role))

    def _take_ticks(self, view: KafkaView, spans: dict[TopicPartition, Span]) -> None:
        tails = {
            place: (max(self._begin(place, begin, end), end - TAIL), end)
            for place, (begin, end) in spans.items()
        }
        for record in view.read(tails):
            if record.key is None and _is_tick(record.value):
                place = TopicPartition(record.topic, record.partition)
                self._ticked[place] = came(record)
        self._read_to |= {place: end for place, (_, end) in tails.items()}

    def _begin(self, place: TopicPartition, begin: int, end: int) -> int:
        """Go on where the last look ended; in a topic that was made anew, at its beginning."""
        read_to = self._read_to.get(place, begin)
        return read_to if begin <= read_to <= end else begin

    def _take(
        self,
        view: KafkaView,
        places: list[TopicPartition],
        spans: dict[TopicPartition, Span],
        take: Callable[[Any], None],
    ) -> None:
        new = [place for place in places if place not in self._read_to]
        back = view.since(new, (wall_clock() - LOOK_BACK).timestamp())
        for place in new:
            self._read_to[place] = back.get(place, spans[place][1])
        fresh = {place: (self._begin(place, *spans[place]), spans[place][1]) for place in places}
        for record in view.read(fresh):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                take(record)
        self._read_to |= {place: end for place, (_, end) in fresh.items()}

    def _take_alert(self, record: Any) -> None:
        self.ledger.take_alert(_ALERT.decode(record.value or b""), came(record))

    def _take_page(self, record: Any) -> None:
        self.ledger.take_page(_PAGE.decode(record.value or b""), came(record))


def _is_tick(value: bytes | None) -> bool:
    try:
        _TICK.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
