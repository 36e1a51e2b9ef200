"""How each topic shall be: partitions, cleanup, how long. Data only; it asks no Kafka."""

from msgspec import Struct

from schemas.topics import Cleanup, Topics

_DAY_MS = 24 * 3600 * 1000
INPUT_RETENTION_MS = 7 * _DAY_MS
"""A worker may be down over a long weekend and still find every sample."""
RECORD_RETENTION_MS = 30 * _DAY_MS
"""Alerts, pages and dead letters are looked into weeks later."""
_SEGMENT_BYTES = 16 * 1024 * 1024
_SEGMENT_MS = 3600 * 1000

DEAD_LETTER_MAX_BYTES = 16 * 1024 * 1024
"""A refused record may be as large as the broker takes, and a third more in base64."""


class TopicSpec(Struct, frozen=True):
    """How a topic shall be; without ``retention_ms`` the cluster's default holds."""

    partitions: int
    cleanup: Cleanup
    retention_ms: int | None = None
    max_message_bytes: int | None = None

    @property
    def configs(self) -> dict[str, str]:
        """Kafka's own settings for a topic that is made."""
        configs = {
            "cleanup.policy": self.cleanup,
            # Age counts from arrival: the event times of a backlog, or of a demo's ward that runs
            # ahead of the clock, must neither expire records early nor get them refused.
            "message.timestamp.type": "LogAppendTime",
        }
        if self.cleanup == "compact":
            # Only closed segments are compacted: with small ones, whoever reads the topic from its
            # beginning reads little more than the newest value of each key.
            configs["min.cleanable.dirty.ratio"] = "0.1"
            configs["segment.bytes"] = str(_SEGMENT_BYTES)
            configs["segment.ms"] = str(_SEGMENT_MS)
        if self.retention_ms is not None:
            configs["retention.ms"] = str(self.retention_ms)
        if self.max_message_bytes is not None:
            configs["max.message.bytes"] = str(self.max_message_bytes)
        return configs


def contract_specs(topics: Topics, partitions: int) -> dict[str, TopicSpec]:
    """Return every topic of the contract by name, as it shall be."""
    kept = {
        name: TopicSpec(partitions, cleanup, None if cleanup == "compact" else RECORD_RETENTION_MS)
        for name, cleanup in topics.cleanup.items()
    }
    inputs = {name: TopicSpec(partitions, "delete", INPUT_RETENTION_MS) for name in topics.inputs}
    letters = TopicSpec(partitions, "delete", RECORD_RETENTION_MS, DEAD_LETTER_MAX_BYTES)
    return kept | inputs | {topics.dead_letters: letters}
