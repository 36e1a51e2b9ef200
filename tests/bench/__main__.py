"""``make bench``: everything measured side by side in one run; JSON on the last line.

    python -m tests.bench [--quick] [--only NAME]

A whole run of full size also writes ``docs/bench``. ``--quick`` takes tiny sizes: it shows that all
parts work, its figures mean nothing. ``--only`` runs one part.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.bench import audit, beds, latency, memory, recorder, recovery, replay, throughput
from tests.bench.figures import Figures, table
from tests.bench.machine import described
from tests.bench.peers_env import peers_python
from tests.bench.report import write_report

Part = tuple[Callable[[Any], dict[str, float]], Any, Any]
"""What measures, its full size and its quick one."""

PARTS: dict[str, Part] = {
    "replay": (replay.replay_figures, replay.FULL, replay.QUICK),
    "memory": (memory.memory_figures, memory.FULL, memory.QUICK),
    "throughput": (throughput.throughput_figures, throughput.FULL, throughput.QUICK),
    "latency": (latency.latency_figures, latency.FULL, latency.QUICK),
    "recovery": (recovery.recovery_figures, recovery.FULL, recovery.QUICK),
    "recorder": (recorder.recorder_figures, recorder.FULL, recorder.QUICK),
}

APART: dict[str, Part] = {
    "audit": (audit.audit_figures, audit.FULL, audit.QUICK),
    "beds": (beds.beds_figures, beds.FULL, beds.QUICK),
}
"""Measured only when it is asked for: making a year of history takes a quarter of an hour, and a
ward in real time needs a machine that does nothing else.
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    every = PARTS | APART
    parser.add_argument("--only", choices=every, metavar="NAME", help=", ".join(every))
    asked = parser.parse_args()
    machine = described()
    print(machine)
    if asked.only not in APART:
        peers_python()  # installed before anything is measured
    found: dict[str, float] = {}
    for name in [asked.only] if asked.only else PARTS:
        measure, full, quick = every[name]
        sys.stdout.flush()
        found |= measure(quick if asked.quick else full)
    if not asked.only:
        figures = msgspec.convert(found, Figures)  # all of them, or an error that names the key
        _report(figures, machine, quick=asked.quick)
    print(table(found))
    print(msgspec.json.encode(found).decode())


def _report(figures: Figures, machine: str, *, quick: bool) -> None:
    """Write ``docs/bench``; what a quick run found is drawn too, and thrown away."""
    if not quick:
        write_report(figures, machine)
        return
    with TemporaryDirectory() as folder:
        write_report(figures, machine, Path(folder))


if __name__ == "__main__":
    main()
