"""Writes ``docs/bench``: the tables of a whole run, its machine, how it was measured, two pictures.

It holds no date, so that a run that finds the same changes nothing.
"""

import re
import subprocess
from pathlib import Path

import msgspec

from streams.batch import BATCH_RECORDS
from tests.bench import latency, memory, recovery, throughput
from tests.bench.figures import Figures, table
from tests.bench.peers_env import LOCK, ROOT, peers_command, peers_environment

FOLDER = ROOT / "docs" / "bench"
_PEERS = ("confluent-kafka", "quixstreams", "bytewax")
_LIMIT_S = 120.0

_PAGE = """# Benchmarks

Written by `make bench`, which measures everything in one run, side by side. Absolute numbers belong
to the machine; the ratios are what the targets are about.

- Machine: {machine}
- Peers: {peers}

![throughput](throughput.svg)

![latency](latency.svg)

{tables}
## How it is measured

**The contest.** Everybody reads the same records from the same topic of the same broker
({partitions} partitions), calls the same core (`streams.partition`) and has the same outputs:
transitions of alerts, the states of touched patients into a compacted topic, and the place up to
which all is done. Where there are two cores, the one who is measured has one alone; broker,
sender and the one who measures share the other. A contestant whose alerts are not exactly the
core's, or who lacks a patient's state, fails the run.

- *The monitor* is `inowatch run monitor`, with all that it does beside: rows of the board, ticks.
- *The plain loop* is confluent-kafka's `consume()` in batches of {batch:,}, alerts flushed before
  the next batch, states and the commit once a second.
- *Quix Streams* runs a `StreamingDataFrame`, record by record; its checkpoint, once a second,
  flushes and commits. The states are kept in the process, which is kinder to it than its own
  `State`: that would decode and encode a patient's state for every sample.
- *Bytewax* runs a `KafkaSource`, a `stateful_batch` for each partition and a `KafkaSink`; its
  recovery store keeps the offsets, once a second.
- *PyFlink* is not among them, because it does not install easily: its package brings Apache Beam
  and old packages that have to be compiled, and to read Kafka it needs a Java runtime and a
  connector that no Python package brings. Nothing is claimed about it.

**Throughput** is of a backlog of a simulated ward: {beds} beds of correct care and {hazard_beds}
of each hazard, {hours:g} h of a sample a second. The clock is Kafka's: from the append of the alert
that the first record raises to the append of the one that the last record raises. Best of
{throughput_rounds} rounds.

**Latency** is from the append of a sample to the append of the alert that it raises at once, both
by Kafka's clock in whole ms, at {samples:,} samples a second of {patients:,} patients and
{alerts:g} alerts a second, for {latency_s:g} s. Of each, the one of
{latency_rounds} rounds with the best p99.

**Replay** judges a file's samples in one process; *decode* merely decodes the same lines.

**Recovery** is from the start of the new process to the first alert caused by a sample that was
sent while the monitor was dead, with {open_courses:,} open courses. The worst
of {recovery_rounds} rounds.

**Memory** is what a process grows by (RSS) with {held_courses:,} open courses, after {minutes}
samples of each, a minute apart: more are not remembered while a course is steady.

**Recorder** reads a backlog into InfluxDB; *raw* posts the same lines, made beforehand, over one
connection. Best of the rounds.
"""


_SIZES = {
    "partitions": throughput.PARTITIONS,
    "batch": BATCH_RECORDS,
    "beds": throughput.FULL.beds,
    "hazard_beds": throughput.FULL.hazard_beds,
    "hours": throughput.FULL.hours,
    "throughput_rounds": throughput.FULL.rounds,
    "samples": latency.SAMPLES_PER_S,
    "patients": latency.PATIENTS,
    "alerts": 1 / latency.CAUSE_EVERY_S,
    "latency_s": latency.FULL.s,
    "latency_rounds": latency.FULL.rounds,
    "open_courses": recovery.FULL.courses,
    "recovery_rounds": recovery.FULL.rounds,
    "held_courses": memory.FULL.courses,
    "minutes": memory.FULL.samples,
}
"""What the page says of a whole run; a quick one is thrown away."""


def write_report(figures: Figures, machine: str, folder: Path = FOLDER) -> None:
    """Write the page and the pictures. Raises ``CalledProcessError`` when they cannot be drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    found = msgspec.structs.asdict(figures)
    versions = re.findall(r"^(\S+)==(\S+)", LOCK.read_text(), re.MULTILINE)
    peers = ", ".join(f"{name} {version}" for name, version in versions if name in _PEERS)
    page = _PAGE.format(machine=machine, peers=peers, tables=table(found), **_SIZES)
    (folder / "README.md").write_text(page)
    subprocess.run(
        peers_command("plot", msgspec.json.encode(found).decode(), str(folder)),
        env=peers_environment(),
        cwd=ROOT,
        timeout=_LIMIT_S,
        check=True,
    )
