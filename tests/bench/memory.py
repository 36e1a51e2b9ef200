"""What an open course costs in memory: a process that holds many of them in a ``Ward``.

Resident memory (psutil's RSS) before the first course and after a quarter of an hour of samples,
one a minute, of every course: so it is what the operating system gives, with Python's own overhead
and what the allocator wastes. Nothing is remembered for longer while a course is steady (an hour
comes to the same). A process of its own, because memory that was freed is not given back.
"""

import gc
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
from msgspec import Struct

from schemas.decode import decode
from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.ward import Ward
from tests.bench.peers_env import ROOT, peers_environment
from tests.bench.steady_sample import steady_sample

LIMIT_S = 600.0
START = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Size(Struct, frozen=True):
    """Open courses; samples of each, one a minute."""

    courses: int
    samples: int


FULL = Size(20_000, 15)
QUICK = Size(1_000, 10)


def memory_figures(size: Size) -> dict[str, float]:
    """Measure in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory", str(size.courses), str(size.samples)],
        cwd=ROOT,
        env=peers_environment(),
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        check=True,
    )
    bytes_per_course = round(float(done.stdout))
    print(f"memory: {bytes_per_course:,} bytes a course")
    return {"bytes_per_course": bytes_per_course}


def _bytes_per_course(courses: int, samples: int) -> float:
    _hold(10, samples)  # what is loaded and compiled on first use is no course's
    before = _resident()
    ward = _hold(courses, samples)
    grown = _resident() - before
    if len(ward.patients) != courses or any(one.course is None for one in ward.patients.values()):
        raise RuntimeError(f"{courses} courses should be open")
    return grown / courses


def _hold(courses: int, samples: int) -> Ward:
    """Feed a ward as from Kafka: every record is decoded from bytes and shares nothing."""
    ward = Ward()
    for minute in range(samples):
        time = START + timedelta(minutes=minute)
        ward.advance(time)
        for course in range(courses):
            event = decode(_sample(course, minute, time))
            if not isinstance(event, Telemetry):
                raise TypeError(f"the benchmark's own sample is refused: {event}")
            ward.take(event)
    return ward


def _sample(course: int, minute: int, time: datetime) -> bytes:
    at = time + timedelta(milliseconds=course % 1000)
    return encode(steady_sample(course, minute, at, cylinder_bar=120.0 - minute / 10))


def _resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


if __name__ == "__main__":
    sys.stdout.write(str(_bytes_per_course(int(sys.argv[1]), int(sys.argv[2]))))
