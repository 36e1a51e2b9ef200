"""What the watchdog did, for the record: its transitions and attempts, to Kafka when it is there.

Nothing waits for this: people were told, or are being told, by another way. What Kafka does not
take stays here for the next time. Add from any thread; send from one.
"""

import logging
from collections import deque
from collections.abc import Collection
from contextlib import closing, suppress
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError
from msgspec import Struct

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ClusterError, wait_for_kafka
from schemas.encode import encode

log = logging.getLogger("inowatch")

MOST = 1000
"""Records kept while Kafka is away. Two receivers that fail as well are tried some 500 times an
hour, so this is two hours of it; of anything longer it is the end."""
SEND_S = 10.0
_SEND_MS = int(SEND_S * 1000)
_CLOSE_S = SEND_S + 5.0
"""By then whatever was not taken has been given up, and the client can end its threads."""


class _Entry(NamedTuple):
    topic: str
    key: bytes
    value: bytes


class Records:
    """On their way to topics of the site's Kafka."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._waiting: deque[_Entry] = deque(maxlen=MOST)
        self._newest: dict[str, _Entry] = {}

    def add(self, topic: str, key: str, record: Struct) -> None:
        """Keep a record until it is sent."""
        self._waiting.append(_Entry(topic, key.encode(), encode(record)))

    def add_newest(self, topic: str, key: str, record: Struct) -> None:
        """Keep a record until it is sent, or until a newer one of its topic takes its place.

        For what comes all the time and is soon out of date: while Kafka is away a heap of it would
        push out what people were told.
        """
        self._newest[topic] = _Entry(topic, key.encode(), encode(record))

    def send(self, missing: Collection[str] = ()) -> None:
        """Send what waits, oldest first; stops at the first that is not taken, and says so.

        The newest of a topic that is ``missing`` is not tried: Kafka's client would look for the
        topic for ``SEND_S``, and whoever waits for this looks at nothing meanwhile.
        """
        # A list first: others add meanwhile.
        there = [topic for topic in list(self._newest) if topic not in missing]
        if not self._waiting and not there:
            return
        try:
            # There is little to send, so no connection is kept.
            with closing(_Producer(self._access)) as producer:
                while self._waiting:
                    entry = self._waiting[0]
                    producer.send(entry)
                    # Another one stands here now when so many came that this one fell out.
                    if self._waiting[0] is entry:
                        self._waiting.popleft()
                for topic in there:
                    self._send_newest(producer, topic)
        except (ClusterError, KafkaError) as trouble:
            waiting = len(self._waiting) + len(self._newest)
            log.warning("%d records of the watchdog wait: %s", waiting, trouble)

    def _send_newest(self, producer: "_Producer", topic: str) -> None:
        entry = self._newest.pop(topic)
        try:
            producer.send(entry)
        except KafkaError:
            # Unless there is a newer one by now.
            self._newest.setdefault(topic, entry)
            raise


class _Producer:
    """Kafka's client, for one sending. Raises ``ClusterError`` when nothing answers."""

    def __init__(self, access: KafkaAccess) -> None:
        wait_for_kafka(access)
        self._client: Any = KafkaProducer(
            **access.client(),
            client_id="inowatch-watchdog",
            acks="all",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=_SEND_MS,
            max_block_ms=_SEND_MS,
            delivery_timeout_ms=_SEND_MS,
            request_timeout_ms=_SEND_MS,
        )

    def send(self, entry: _Entry) -> None:
        """Send one record and wait until Kafka has it; ``KafkaError`` when it is not taken."""
        sent = self._client.send(entry.topic, key=entry.key, value=entry.value)
        sent.get(timeout=SEND_S)

    def close(self) -> None:
        """Let go of Kafka."""
        with suppress(KafkaError):
            self._client.close(timeout=_CLOSE_S)
