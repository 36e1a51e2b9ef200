"""``make bench``: speed as ratios, measured side by side in one run; JSON on the last line.

Each figure is the best of several rounds in which the two sides take turns, so that a noisy machine
slows both. Absolute numbers belong to the machine that the first line describes.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from schemas.decode import decode
from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.simulate.ward import ward
from streams.ward import Ward

ROUNDS = 5
HOURS = 1.0
FILLS_H = 2.2
"""By then every bed of the simulated ward has begun its therapy."""
BEDS = 50


def recording() -> list[bytes]:
    """A full ward of correct care, a sample a second and bed."""
    start = datetime(2026, 1, 15, 12, tzinfo=UTC)
    full = start + timedelta(hours=FILLS_H)
    end = full + timedelta(hours=HOURS)
    return [
        encode(arrival.record)
        for arrival in ward(BEDS, "correct-care", 1, start, full, end, period_s=1.0)
        if arrival.at >= full
    ]


def seconds(work: Callable[[], object]) -> float:
    """How long it took, in seconds of this process: others on the machine do not count."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def bare_decode(lines: list[bytes]) -> None:
    """What reading the same lines costs without judging them: msgspec and nothing else."""
    decoder = msgspec.json.Decoder(Telemetry)
    for line in lines:
        decoder.decode(line)


def main() -> None:
    """Measure and print."""
    lines = recording()
    samples = [line for line in lines if isinstance(decode(line), Telemetry)]
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{len(samples)} samples of {BEDS} beds, {HOURS:g} h, best of {ROUNDS} rounds")
    decode_s, judge_s = [], []
    for _ in range(ROUNDS):
        decode_s.append(seconds(lambda: bare_decode(samples)))
        judge_s.append(seconds(lambda: list(replay(samples, Ward(), _refused))))
    figures = {
        "decode_per_s": round(len(samples) / min(decode_s)),
        "replay_per_s": round(len(samples) / min(judge_s)),
        "replay_to_decode": round(min(decode_s) / min(judge_s), 3),
    }
    for name, figure in figures.items():
        print(f"{name:20} {figure:>12,}")
    print(json.dumps(figures))


def _refused(number: int, _line: bytes, why: object) -> None:
    sys.exit(f"line {number} of the benchmark's own recording is refused: {why}")


if __name__ == "__main__":
    main()
