"""What is asked of the processes of the peers' environment: on their command line, as JSON.

Read by both environments, so it imports neither Kafka's clients nor a framework.
"""

import sys

import msgspec
from msgspec import Struct


class Job(Struct, frozen=True):
    """Where a peer reads and writes: Kafka's address, names of topics, a folder for its files."""

    kafka: str
    group: str
    samples: str
    alerts: str
    states: str
    partitions: int
    folder: str


def read_job() -> Job:
    """Read a peer's job from the command line."""
    return msgspec.json.decode(sys.argv[1], type=Job)


class Fill(Struct, frozen=True, tag="fill"):
    """Send a file: in each line the partition, the key and the value, with tabs between."""

    kafka: str
    topic: str
    file: str


class Paced(Struct, frozen=True, tag="paced"):
    """Send ``per_s`` samples a second of ``patients``, first for ``warm_s`` and then for ``s``.

    In the latter another patient runs low every ``cause_every_s``. The time goes to each of the
    ``partitions`` every second.
    """

    kafka: str
    topic: str
    partitions: int
    patients: int
    per_s: int
    warm_s: float
    s: float
    cause_every_s: float
