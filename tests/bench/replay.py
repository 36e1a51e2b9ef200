"""Replay against its bound: the same lines merely decoded.

Both in this process, in rounds, taking turns; what counts is the time of this process (others on
the machine do not) and the best round.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from schemas.decode import decode
from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.simulate.ward import ward
from streams.ward import Ward

FILLS_H = 2.2
"""By then every bed of the simulated ward has begun its therapy."""


class Size(Struct, frozen=True):
    """Beds, hours of a sample a second, rounds."""

    beds: int
    hours: float
    rounds: int


FULL = Size(50, 1.0, 5)
QUICK = Size(10, 0.1, 1)


def replay_figures(size: Size) -> dict[str, float]:
    """Measure both."""
    samples = _recording(size)
    decode_s, judge_s = [], []
    for _ in range(size.rounds):
        decode_s.append(_seconds(lambda: _bare_decode(samples)))
        judge_s.append(_seconds(lambda: list(replay(samples, Ward(), _refused))))
    figures = {
        "replay_per_s": round(len(samples) / min(judge_s)),
        "decode_per_s": round(len(samples) / min(decode_s)),
    }
    print(f"replay: {figures['replay_per_s']:,} of {figures['decode_per_s']:,} samples/s")
    return figures


def _recording(size: Size) -> list[bytes]:
    """Return the samples of a full ward of correct care."""
    start = datetime(2026, 1, 15, 12, tzinfo=UTC)
    full = start + timedelta(hours=FILLS_H)
    end = full + timedelta(hours=size.hours)
    lines = [
        encode(arrival.record)
        for arrival in ward(size.beds, "correct-care", 1, start, full, end, period_s=1.0)
        if arrival.at >= full
    ]
    return [line for line in lines if isinstance(decode(line), Telemetry)]


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _bare_decode(lines: list[bytes]) -> None:
    """What reading the same lines costs without judging them: msgspec and nothing else."""
    decoder = msgspec.json.Decoder(Telemetry)
    for line in lines:
        decoder.decode(line)


def _refused(number: int, _line: bytes, why: object) -> None:
    raise RuntimeError(f"line {number} of the benchmark's own recording is refused: {why}")
