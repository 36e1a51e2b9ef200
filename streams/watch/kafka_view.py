"""Kafka as an onlooker sees it: ends, committed offsets, group members, records; it joins nothing.

Every question has a limit of time. What goes wrong is a ``ClusterError`` with Kafka's words, and
the view is then of no use any more: open another one.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ANSWER_S, ClusterError, wait_for_kafka
from deploy.kafka.edges import edges

_ANSWER_MS = int(ANSWER_S * 1000)
_PAUSE_S = 0.2
_FETCH_BYTES = 64 * 1024
"""For each partition and fetch. A batch that is larger comes alone, so every record gets through;
with forty partitions behind, a look costs the broker some 3 MB and not forty."""

T = TypeVar("T")
Span = tuple[int, int]
"""The first offset to read, and the first not to."""


class KafkaView:
    """One pair of clients. Raises ``ClusterError`` when nothing answers."""

    def __init__(self, access: KafkaAccess) -> None:
        self._address = access.address
        wait_for_kafka(access)
        common = {
            **access.client(),
            "bootstrap_timeout_ms": _ANSWER_MS,
            "request_timeout_ms": _ANSWER_MS,
            "client_id": "inowatch-watchdog",
        }
        self._admin: Any = self._asked(lambda: KafkaAdminClient(**common))
        try:
            self._consumer: Any = self._asked(
                lambda: KafkaConsumer(
                    **common,
                    enable_auto_commit=False,
                    allow_auto_create_topics=False,
                    auto_offset_reset="earliest",
                    max_partition_fetch_bytes=_FETCH_BYTES,
                )
            )
        except ClusterError:
            self._admin.close()
            raise

    def places(self, topics: Iterable[str]) -> dict[str, list[TopicPartition]]:
        """Return the partitions of each topic; none for a topic that does not exist."""
        return self._asked(
            lambda: {
                topic: [
                    TopicPartition(topic, number)
                    for number in sorted(self._consumer.partitions_for_topic(topic))
                ]
                for topic in topics
            }
        )

    def spans(self, places: list[TopicPartition]) -> dict[TopicPartition, Span]:
        """Return what each partition holds now."""
        if not places:
            return {}
        begins = self._asked(lambda: edges(self._begins, places))
        ends = self._asked(lambda: edges(self._ends, places))
        return {place: (begins[place], ends[place]) for place in places}

    def _begins(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return self._consumer.beginning_offsets(places, _ANSWER_MS)  # type: ignore[no-any-return] # kafka-python ships no types

    def _ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return self._consumer.end_offsets(places, _ANSWER_MS)  # type: ignore[no-any-return] # as above

    def since(self, places: list[TopicPartition], unix_s: float) -> dict[TopicPartition, int]:
        """Return the first offset that came at this time or later; only where there is one."""
        asked = dict.fromkeys(places, int(unix_s * 1000))
        if not asked:
            return {}
        found = self._asked(lambda: self._consumer.offsets_for_times(asked, _ANSWER_MS))
        return {place: at.offset for place, at in found.items() if at is not None}

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return the offsets that a consumer group has committed."""
        answer = self._asked(lambda: self._admin.list_group_offsets(group))
        return {place: found.offset for place, found in answer[group].items() if found.offset >= 0}

    def members(self, groups: list[str]) -> dict[str, int]:
        """Return how many members each consumer group has; 0 where there is no such group."""
        answer = self._asked(lambda: self._admin.describe_groups(groups))
        return {group: len(answer[group]["members"]) for group in groups}

    def read(
        self, spans: Mapping[TopicPartition, Span], *, only_first: bool = False
    ) -> Iterator[Any]:
        """Yield the records of these spans, or the first of each; in each partition in order.

        Raises ``ClusterError`` when nothing comes for ANSWER_S.
        """
        left = {place: end for place, (begin, end) in spans.items() if begin < end}
        if not left:
            return
        consumer = self._consumer
        consumer.assign(list(left))
        consumer.resume(*left)  # what was paused in an earlier reading still is
        for place in left:
            consumer.seek(place, spans[place][0])
        deadline = time.monotonic() + ANSWER_S
        while left:
            found = self._asked(lambda: consumer.poll(timeout_ms=200))
            for place, records in found.items():
                deadline = time.monotonic() + ANSWER_S
                wanted = [one for one in records if one.offset < left.get(place, 0)]
                yield from wanted[:1] if only_first else wanted
            # Beyond the last record too: what was compacted away never comes.
            done = [p for p, end in left.items() if consumer.position(p) >= end]
            for place in {*done, *(found if only_first else ())}:
                left.pop(place, None)
                consumer.pause(place)
            if left and time.monotonic() > deadline:
                raise ClusterError(f"Kafka at {self._address}: {next(iter(left))} is not read")

    def close(self) -> None:
        """Let go of both clients."""
        self._consumer.close(autocommit=False, timeout_ms=0)
        self._admin.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        """Ask, and ask again for as long as Kafka says that it will know later."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                return ask()
            except KafkaError as error:
                if not error.retriable or time.monotonic() > deadline:
                    raise ClusterError(f"Kafka at {self._address}: {error!r}") from error
            time.sleep(_PAUSE_S)


def came(record: Any) -> datetime:
    """Tell when Kafka took a record."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)
