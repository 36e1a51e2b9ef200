"""Records of dead letters back into their topics, each acknowledged before it is told of.

Promise: in the order given, key and bytes as they came; what Kafka has not confirmed is told as
such. Putting the same back again changes nothing: a record of this product has its effect once.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ClusterError
from deploy.kafka.topic_spec import DEAD_LETTER_MAX_BYTES
from streams.letters.letter import Found
from streams.letters.way_back import WayBack

_RECORDS_AT_ONCE = 500
_BYTES_AT_ONCE = 8 * 1024 * 1024
"""Sent before the receipts are awaited: a few at a time, however large one of them is."""
_ACK_S = 60.0

Told = Callable[[Found, str | None, str], None]
"""Told of each letter: the place it was given (``ino.telemetry/3:1041``), or ``None`` and why."""

_Sent = list[tuple[Found, Any]]


def put_back(access: KafkaAccess, letters: Iterable[Found], way_back: WayBack, told: Told) -> None:
    """Send the records of ``letters``, none of which has an obstacle; ``told`` of each.

    Raises ``ClusterError`` when Kafka is away: what was told of is back, the rest is where it was.
    """
    try:
        producer = KafkaProducer(
            **access.client(),
            acks="all",
            # An idempotent producer of kafka-python 3.0 sends nothing more after one record that is
            # too large. A duplicate is harmless; the order is kept by one request at a time.
            enable_idempotence=False,
            max_in_flight_requests_per_connection=1,
            compression_type="gzip",
            allow_auto_create_topics=False,
            max_request_size=DEAD_LETTER_MAX_BYTES,
            delivery_timeout_ms=int(_ACK_S * 1000),
        )
        with closing(producer):
            sent: _Sent = []
            size = 0
            for found in letters:
                letter = found.letter
                partition = way_back.partition(letter)
                receipt = producer.send(
                    letter.topic, key=letter.key, value=letter.value, partition=partition
                )
                sent.append((found, receipt))
                size += len(letter.key or b"") + len(letter.value or b"")
                if len(sent) >= _RECORDS_AT_ONCE or size >= _BYTES_AT_ONCE:
                    size = 0
                    _settle(producer, sent, told)
            _settle(producer, sent, told)
    except KafkaError as error:
        raise ClusterError(f"Kafka at {access.address}: {error!r}") from error


def _settle(producer: Any, sent: _Sent, told: Told) -> None:
    """Wait for every receipt; a record that the broker finds too large is no reason to stop."""
    producer.flush(timeout=_ACK_S)
    for found, receipt in sent:
        try:
            at = receipt.get(timeout=_ACK_S)
        except MessageSizeTooLargeError as too_large:
            told(found, None, f"Kafka does not take it: {too_large!r}")
        else:
            told(found, f"{at.topic}/{at.partition}:{at.offset}", "")
    sent.clear()
