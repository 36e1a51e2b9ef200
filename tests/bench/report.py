"""Writes ``docs/bench``: the tables of a whole run, its machine, how it was measured, two pictures.

It holds no date, so that a run that finds the same changes nothing.
"""

import re
import subprocess
from pathlib import Path

import msgspec

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

**The contest.** Everybody reads the same records from the same topic of the same broker (four
partitions), calls the same core (`streams.partition`) and has the same outputs: transitions of
alerts, the states of touched patients into a compacted topic, and the place up to which all is
done. Where there are two cores, the one who is measured has one alone; broker, sender and the one
who measures share the other. A contestant whose alerts are not exactly the core's, or who keeps no
state of a patient, fails the run.

- *The monitor* is `inowatch run monitor`, with all that it does beside: rows of the board, ticks.
- *The plain loop* is confluent-kafka's `consume()` in batches of 2000, alerts flushed before the
  next batch, states and the commit once a second.
- *Quix Streams* runs a `StreamingDataFrame`, record by record; its checkpoint, once a second,
  flushes and commits. The states are kept in the process, which is kinder to it than its own
  `State`: that would decode and encode a patient's state for every sample.
- *Bytewax* runs a `KafkaSource`, a `stateful_batch` for each partition and a `KafkaSink`; its
  recovery store keeps the offsets, once a second.
- *PyFlink* is not among them, because it does not install easily: its package brings Apache Beam
  and old packages that have to be compiled, and to read Kafka it needs a Java runtime and a
  connector that no Python package brings. Nothing is claimed about it.

**Throughput** is of a backlog of a simulated ward. The clock is Kafka's: from the append of the
alert that the first record raises to the append of the one that the last record raises. Best of the
rounds.

**Latency** is from the append of a sample to the append of the alert that it raises at once, both
by Kafka's clock in whole ms, at 5000 samples a second of 1000 patients and twenty alerts a second.
Of each, the round with the best p99.

**Replay** judges a file's samples in one process; *decode* merely decodes the same lines.

**Recovery** is from the start of the new process to the first alert caused by a sample that was
sent while the monitor was dead, with ten thousand open courses. The worst of the rounds.

**Memory** is what a process grows by (RSS) with twenty thousand open courses, samples of a quarter
of an hour each, which is as much as is remembered while a course is steady.

**Recorder** reads a backlog into InfluxDB; *raw* posts the same lines, made beforehand, over one
connection. Best of the rounds.
"""


def write_report(figures: Figures, machine: str, folder: Path = FOLDER) -> None:
    """Write the page and the pictures. Raises ``CalledProcessError`` when they cannot be drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    found = msgspec.structs.asdict(figures)
    versions = re.findall(r"^(\S+)==(\S+)", LOCK.read_text(), re.MULTILINE)
    peers = ", ".join(f"{name} {version}" for name, version in versions if name in _PEERS)
    page = _PAGE.format(machine=machine, peers=peers, tables=table(found))
    (folder / "README.md").write_text(page)
    subprocess.run(
        peers_command("plot", msgspec.json.encode(found).decode(), str(folder)),
        env=peers_environment(),
        cwd=ROOT,
        timeout=_LIMIT_S,
        check=True,
    )
