"""The dead-letter topic, read from a console: no group, nothing committed, a bounded end.

Promise: a reading gives every letter that was there when it began, once, in the order of places,
holds a few of them at a time and leaves no trace. What is no dead letter is counted, not hidden.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ClusterError
from deploy.kafka.edges import edges
from streams.letters.letter import Found, Place, letter_of

PATIENCE_S = 30.0
"""A broker that sends nothing for so long, though there is something, is taken for away."""
_POLL_MS = 500


class NoSuchLetter(LookupError):
    """The topic holds no dead letter at that place; the message says what it holds."""


class LetterTopic:
    """The letters of topic ``name``; use ``opened``.

    ``strays`` are the places met in the last reading at which no dead letter lies.
    """

    def __init__(self, consumer: Any, name: str) -> None:
        self._consumer = consumer
        self._name = name
        numbers = consumer.partitions_for_topic(name) or set()
        places = [TopicPartition(name, number) for number in sorted(numbers)]
        first = edges(consumer.beginning_offsets, places)
        end = edges(consumer.end_offsets, places)
        self._bounds = {tp.partition: (first[tp], end[tp]) for tp in places}
        self.strays: list[Place] = []

    @property
    def length(self) -> int:
        """How many offsets a whole reading passes: at least the number of letters."""
        return sum(end - first for first, end in self._bounds.values())

    def read(self, advance: Callable[[int], None] = lambda _: None) -> Iterator[Found]:
        """Yield the letters; ``advance`` is told how many offsets have been passed since."""
        self.strays = []
        for number, (first, end) in self._bounds.items():
            yield from self._between(number, first, end, advance)

    def at(self, place: Place) -> Found:
        """Return one letter. Raises ``NoSuchLetter``."""
        first, end = self._bounds.get(place.partition, (0, 0))
        if not first <= place.offset < end:
            raise NoSuchLetter(f"there is no dead letter {place}: {self._held()}")
        here = self._between(place.partition, place.offset, place.offset + 1, lambda _: None)
        for found in here:
            return found
        raise NoSuchLetter(f"what lies at {place} of {self._name} is no dead letter")

    def _held(self) -> str:
        spans = [f"{n}:{a} to {n}:{b - 1}" for n, (a, b) in self._bounds.items() if b > a]
        return f"{self._name} holds {', '.join(spans) or 'none'}"

    def _between(
        self, number: int, first: int, end: int, advance: Callable[[int], None]
    ) -> Iterator[Found]:
        tp = TopicPartition(self._name, number)
        self._consumer.assign([tp])
        self._consumer.seek(tp, first)
        at, patience = first, time.monotonic() + PATIENCE_S
        # By position: the last offsets may hold nothing that is handed out.
        while at < end:
            for record in self._consumer.poll(_POLL_MS).get(tp, ()):
                if record.offset >= end:
                    break
                letter = letter_of(record.value)
                if letter is None:
                    self.strays.append(Place(number, record.offset))
                else:
                    yield Found(Place(number, record.offset), letter)
            position = min(self._consumer.position(tp), end)
            if position > at:
                advance(position - at)
                at, patience = position, time.monotonic() + PATIENCE_S
            elif time.monotonic() > patience:
                raise ClusterError(f"Kafka sent nothing of {tp.topic} for {PATIENCE_S:.0f} s")


@contextmanager
def opened(access: KafkaAccess, name: str) -> Iterator[LetterTopic]:
    """Open the topic as it is now. Raises ``ClusterError``; ask ``connected`` first."""
    try:
        consumer = KafkaConsumer(
            **access.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        with closing(consumer):
            yield LetterTopic(consumer, name)
    except KafkaError as error:
        raise ClusterError(f"Kafka at {access.address}: {error!r}") from error
