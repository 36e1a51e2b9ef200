"""Arrivals to Kafka: history as fast as it is taken, then live at the ward's own pace.

Promise: every record counted has been acknowledged by all replicas in sync, per patient in the
order of arrival; the first that is not is an error with its topic. Topics are never created.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from threading import Event
from types import TracebackType
from typing import Any, Self

import click
from kafka import KafkaProducer
from kafka.errors import KafkaError

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ClusterError, wait_for_kafka
from schemas.encode import encode
from schemas.topics import Topics
from streams.simulate.arrival import Arrival
from streams.simulate.recording import to_file

__all__ = ["NotTaken", "to_file", "to_kafka"]

Clock = Callable[[], datetime]

_DELIVERY_TIMEOUT_S = 60
"""A broker may be away that long; then its records are given up and the run ends."""
_ACK_TIMEOUT_S = 90.0
"""Longer, so that a receipt always comes in, good or bad."""
_LONGEST_NAP_S = 0.02
"""The clock may run many times faster than the wall: it is asked this often."""
_MOST_IN_FLIGHT = 20_000
"""At about 500 bytes each, 10 MB that may wait for the broker."""
_PROGRESS_EVERY = 500


class NotTaken(Exception):
    """Kafka could not be reached, or did not take a record."""


def to_kafka(  # noqa: PLR0913 - the parts of a run, all by name but the first four
    arrivals: Iterable[Arrival],
    access: KafkaAccess,
    topics: Topics,
    clock: Clock,
    *,
    now: datetime,
    stop: Event | None = None,
    on_live: Callable[[], None] | None = None,
    progress: bool = True,
) -> int:
    """Send ``arrivals``; return how many records Kafka has acknowledged.

    What arrives before ``now`` is history. When all of it is acknowledged ``on_live`` is called,
    once: the moment to start a clock. ``clock`` gives the ward's time and is asked only from
    then on; each live record waits until it is due. Setting ``stop``, or an interrupt from the
    keyboard, ends the run early; what was sent is flushed. Raises NotTaken.
    """
    stop = stop or Event()
    coming = iter(arrivals)
    with _Outbox(access, topics) as outbox:
        try:
            first_live = _send_history(outbox, coming, now, stop, progress=progress)
            outbox.settle()
            if not stop.is_set():
                if on_live is not None:
                    on_live()
                rest = coming if first_live is None else chain([first_live], coming)
                _send_live(outbox, rest, clock, stop)
        except KeyboardInterrupt:
            stop.set()
        outbox.settle()
    return outbox.acknowledged


def _send_history(
    outbox: "_Outbox", coming: Iterator[Arrival], now: datetime, stop: Event, *, progress: bool
) -> Arrival | None:
    """Send what came before ``now``; return the first arrival that did not."""
    first = next(coming, None)
    if first is None or first.at >= now:
        return first
    span_s = int((now - first.at).total_seconds())
    stderr = click.get_text_stream("stderr")
    with click.progressbar(length=span_s, label="history", file=stderr, hidden=not progress) as bar:
        told_s = 0
        for count, arrival in enumerate(chain([first], coming)):
            if arrival.at >= now:
                bar.update(span_s - told_s)
                return arrival
            if stop.is_set():
                return None
            outbox.send(arrival)
            if count % _PROGRESS_EVERY == 0:
                done_s = int((arrival.at - first.at).total_seconds())
                bar.update(done_s - told_s)
                told_s = done_s
        bar.update(span_s - told_s)
    return None


def _send_live(outbox: "_Outbox", arrivals: Iterable[Arrival], clock: Clock, stop: Event) -> None:
    for arrival in arrivals:
        while not stop.is_set():
            early_s = (arrival.at - clock()).total_seconds()
            if early_s <= 0:
                break
            outbox.look()
            stop.wait(min(early_s, _LONGEST_NAP_S))
        if stop.is_set():
            return
        outbox.send(arrival)


class _Outbox:
    """A producer that keeps each record's receipt until it has come in."""

    def __init__(self, access: KafkaAccess, topics: Topics) -> None:
        self.acknowledged = 0
        self._address = access.address
        self._topic_of: dict[object, str] = {kind: name for name, kind in topics.inputs.items()}
        self._receipts: deque[tuple[str, Any]] = deque()
        try:
            wait_for_kafka(access, within_s=0)
            self._producer = KafkaProducer(
                **access.client(),
                acks="all",
                linger_ms=5,
                allow_auto_create_topics=False,
                max_block_ms=5_000,
                bootstrap_timeout_ms=10_000,
                delivery_timeout_ms=_DELIVERY_TIMEOUT_S * 1000,
            )
        except ClusterError as trouble:
            raise NotTaken(str(trouble)) from trouble
        except KafkaError as trouble:
            raise NotTaken(f"Kafka at {access.address} cannot be reached: {trouble!r}") from trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._producer.close(timeout=_ACK_TIMEOUT_S)

    def send(self, arrival: Arrival) -> None:
        """Hand one record over; waits for the oldest receipt when too many are out."""
        record = arrival.record
        topic = self._topic_of[record.__struct_config__.tag]
        try:
            receipt = self._producer.send(topic, key=record.patient.encode(), value=encode(record))
        except KafkaError as trouble:
            raise NotTaken(f"{topic} at {self._address}: {trouble!r}") from trouble
        self._receipts.append((topic, receipt))
        if len(self._receipts) >= _MOST_IN_FLIGHT:
            self._take_in()
        self.look()

    def look(self) -> None:
        """Take in the receipts that are there."""
        while self._receipts and self._receipts[0][1].is_done:
            self._take_in()

    def settle(self) -> None:
        """Flush, and wait for every receipt."""
        try:
            self._producer.flush(timeout=_ACK_TIMEOUT_S)
        except KafkaError as trouble:
            raise NotTaken(f"{self._address}: {trouble!r}") from trouble
        while self._receipts:
            self._take_in()

    def _take_in(self) -> None:
        topic, receipt = self._receipts[0]
        try:
            receipt.get(timeout=_ACK_TIMEOUT_S)
        except KafkaError as trouble:
            raise NotTaken(f"{topic} at {self._address}: {trouble!r}") from trouble
        self._receipts.popleft()
        self.acknowledged += 1
