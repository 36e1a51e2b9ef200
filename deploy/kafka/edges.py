"""Where partitions begin or end: of all that were asked for, or an error.

kafka-python 3.0.12 raises ``KeyError`` when Kafka's answer leaves a partition out, as it does while
that one's leader is not known. Then it is asked again.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from kafka.errors import KafkaTimeoutError

Place = TypeVar("Place")

ANSWER_S = 10.0
_PAUSE_S = 0.2


def edges(
    ask: Callable[[list[Place]], dict[Place, int]],
    places: list[Place],
    *,
    within_s: float = ANSWER_S,
) -> dict[Place, int]:
    """Ask a consumer's ``beginning_offsets`` or ``end_offsets`` until it answers for all.

    Raises ``KafkaTimeoutError`` with the partition that is missing, or what ``ask`` raises.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            return ask(places)
        except KeyError as left_out:
            if time.monotonic() > deadline:
                raise KafkaTimeoutError(f"no answer for {left_out}") from left_out
        time.sleep(_PAUSE_S)
