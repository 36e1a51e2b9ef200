"""Which partition a patient's records belong in: the one that Kafka's own partitioner names."""

from functools import lru_cache

from kafka.partitioner.default import murmur2


@lru_cache(maxsize=100_000)
def home_of(patient: str, partitions: int) -> int:
    """Return the partition that Kafka's own partitioner gives a patient's records."""
    return int(murmur2(patient.encode()) & 0x7FFFFFFF) % partitions
