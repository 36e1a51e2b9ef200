"""What a bed costs: cores, memory and bytes of the whole product with a ward in real time.

    python -m tests.bench --only beds

Every bed has a patient under steady therapy and sends a sample a second, through the product as it
is: a real Kafka, a real InfluxDB, and each role a process of its own. Two sizes are measured, and
what a thousand beds add is their difference: so the fixed cost of processes that wait is told
apart. ``docs/scale.md`` reckons with these figures.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import psutil
from kafka import KafkaProducer
from msgspec import Struct

from deploy.influxdb.server import InfluxServer
from deploy.kafka.broker import Broker
from schemas.encode import encode
from tests.bench.contest import site_on
from tests.bench.steady_sample import steady_sample
from tests.contract.conftest import Influx
from tests.e2e.product import Product

ROLES = ("monitor", "recorder", "pager", "board")
SERVERS = ("kafka", "influxd")
PACE = 20
"""So many samples are sent between two looks at the clock."""
BEHIND_S = 5.0


class Size(Struct, frozen=True):
    """Beds of the smaller and the larger ward; seconds to settle and to look."""

    few: int
    many: int
    settle_s: float
    look_s: float


FULL = Size(50, 1000, 30.0, 90.0)
QUICK = Size(5, 50, 10.0, 10.0)


def beds_figures(size: Size) -> dict[str, float]:
    """Measure both wards; returns what a thousand beds add, and what there is without any."""
    few, many = _measured(size, size.few), _measured(size, size.many)
    more = size.many - size.few
    found: dict[str, float] = {}
    for name in (*ROLES, *SERVERS):
        cores = (many[f"{name}_cores"] - few[f"{name}_cores"]) / more
        found[f"{name}_cores_per_1000_beds"] = round(1000 * cores, 3)
        found[f"{name}_idle_cores"] = round(max(0.0, few[f"{name}_cores"] - size.few * cores), 3)
        found[f"{name}_mib_{size.many}_beds"] = round(many[f"{name}_mib"])
    for name in SERVERS:
        found[f"{name}_bytes_per_sample"] = round(many[f"{name}_bytes_per_sample"], 1)
    return found


def _measured(size: Size, beds: int) -> dict[str, float]:
    """Run a ward; cores and MiB of every process, bytes on the servers' disks."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="inowatch-beds-")))
        folders = {name: home / name for name in SERVERS}
        for folder in folders.values():
            folder.mkdir()
        kafka = stack.enter_context(Broker(folders["kafka"]))
        influxd = stack.enter_context(InfluxServer(folders["influxd"]))
        site = stack.enter_context(_site(kafka.bootstrap, influxd, home))
        site.start(*ROLES)
        over = Event()
        sender = Thread(target=_send, args=(site, beds, over), daemon=True)
        stack.callback(sender.join)
        stack.callback(over.set)
        sender.start()
        processes = {role: psutil.Process(site.workers[role].pid_of_child) for role in ROLES}
        processes |= {"kafka": psutil.Process(kafka.pid), "influxd": _named("influxd", home)}
        time.sleep(size.settle_s)
        before = {name: _cpu_s(one) for name, one in processes.items()}
        bytes_before = {name: _bytes(folder) for name, folder in folders.items()}
        begin = time.monotonic()
        time.sleep(size.look_s)
        took_s = time.monotonic() - begin
        found: dict[str, float] = {}
        for name, process in processes.items():
            found[f"{name}_cores"] = (_cpu_s(process) - before[name]) / took_s
            found[f"{name}_mib"] = process.memory_info().rss / (1 << 20)
        for name, folder in folders.items():
            grown = _bytes(folder) - bytes_before[name]
            found[f"{name}_bytes_per_sample"] = grown / (beds * took_s)
        if not sender.is_alive():
            raise RuntimeError("the samples ended")
        print(f"beds: {beds}: " + ", ".join(f"{k} {v:.3g}" for k, v in found.items()), flush=True)
        return found


def _send(site: Product, beds: int, over: Event) -> None:
    """Send a sample of each bed every second, spread over the second, until it is over."""
    producer = KafkaProducer(**site.settings.kafka.client(), acks="all", linger_ms=5)
    second = 0
    begin = time.monotonic()
    while not over.is_set():
        for bed in range(beds):
            if bed % PACE == 0:
                time.sleep(max(0.0, begin + second + bed / beds - time.monotonic()))
            value = encode(steady_sample(bed, second, datetime.now(UTC)))
            producer.send(site.topics.telemetry, key=f"p{bed:012x}".encode(), value=value)
        second += 1
        if time.monotonic() > begin + second + BEHIND_S:
            return  # not a sample a second any more
    producer.close()


@contextmanager
def _site(kafka: str, influxd: InfluxServer, home: Path) -> Iterator[Product]:
    influxdb = Influx(influxd.url, influxd.org, influxd.token)
    token = home / "token"
    token.write_text(influxd.token)
    token.chmod(0o600)
    token.chmod(0o600)
    store = f"{influxdb.address(influxdb.make_bucket())}?token-file={token}"
    with site_on(kafka, {"INOWATCH_STORE": store, "INOWATCH_PARTITIONS": "8"}) as site:
        yield site


def _named(name: str, home: Path) -> psutil.Process:
    """Find the server of that name that works in this folder."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == name and str(home) in " ".join(process.info["cmdline"]):
            return process
    raise RuntimeError(f"no {name} is running")


def _cpu_s(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return spent.user + spent.system


def _bytes(folder: Path) -> int:
    """What the files take up on the disk: some are longer than what is in them."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:  # renamed or removed meanwhile
            continue
    return total
