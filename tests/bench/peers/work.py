"""The work that every peer does, so that they differ only in how records come and go.

The same core as the monitor's (``streams.partition``), the same outputs: transitions of alerts, and
once a second the states of the patients touched since. It knows none of the frameworks and runs in
the peers' environment. A peer's restart is not provided for: none is measured.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from alerts.profile_book import packaged
from schemas.encode import encode
from streams.home import home_of
from streams.packed import packed
from streams.partition import Partition, Record
from streams.ward import Ward

STATES_EVERY_S = 1.0

Sent = tuple[bytes, bytes]
"""Key and value of a record for Kafka."""


def arrived(timestamp_ms: int) -> datetime:
    """Tell when a record reached Kafka."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


class Work:
    """One partition of the samples: its patients and what has to be said of them."""

    def __init__(self, samples: str, number: int, partitions: int) -> None:
        self._samples = samples
        ward = Ward("default", number, packaged(), partitions)
        self._partition = Partition(
            ward, {samples: "telemetry"}, lambda patient: home_of(patient, partitions)
        )
        self._touched: set[str] = set()
        self._due_s = time.monotonic() + STATES_EVERY_S

    def judge(self, records: Sequence[Record]) -> list[Sent]:
        """Judge records in their order; returns the transitions to send.

        Raises ``ValueError`` for a refused record: the benchmark's own are all good.
        """
        outcome = self._partition.judge(self._samples, records)
        if outcome.dead_letters:
            raise ValueError(f"refused: {outcome.dead_letters[0]}")
        self._touched |= outcome.touched
        if not outcome.alerts:
            return []
        # The states leave after the alerts, so what goes out with them is an empty outbox.
        self._partition.published(outcome.alerts)
        return [(alert.patient.encode(), encode(alert)) for alert in outcome.alerts]

    def states(self) -> list[Sent]:
        """Return the states touched since, if a second has passed; none otherwise."""
        now_s = time.monotonic()
        if now_s < self._due_s or not self._touched:
            return []
        self._due_s = now_s + STATES_EVERY_S
        patients = self._partition.ward.patients
        sent = [(name.encode(), packed(patients[name])) for name in sorted(self._touched)]
        self._touched.clear()
        return sent
