"""The broker of one's own is a real Kafka: it starts, keeps its data and leaves nothing behind."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

from deploy.free_port import PORTS, free_port
from deploy.kafka.broker import Broker, BrokerError
from deploy.kafka.serves import serves
from deploy.kafka.storage import cluster_id

BOUND_S = 60.0
TOPIC = "kept"

OWNER = """
import time
from deploy.kafka.broker import Broker
broker = Broker()
broker.start()
print(broker.pid, flush=True)
time.sleep(600)
"""


WEB_SERVER = """
from http.server import HTTPServer, BaseHTTPRequestHandler
server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a directory the system's temporary one, and find it empty afterwards."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield directory
    assert list(directory.iterdir()) == []


def until(true: Callable[[], bool]) -> None:
    """Wait, bounded, for something that another process does."""
    deadline = time.monotonic() + BOUND_S
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def put(bootstrap: str, value: bytes) -> None:
    """Write one record, acknowledged."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send(TOPIC, value).get(BOUND_S)
    producer.close()


def get(bootstrap: str, count: int) -> list[bytes]:
    """Read so many records from the beginning."""
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=int(BOUND_S * 1000),
    )
    try:
        return [record.value for _, record in zip(range(count), consumer, strict=False)]
    finally:
        consumer.close()


def make_topic(bootstrap: str) -> None:
    """Create the topic that the records go to."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({TOPIC: {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()


def test_it_serves_and_leaves_nothing(temporary: Path) -> None:
    """Once started it serves, but makes no topic by mistake; once stopped nothing is left."""
    with Broker() as broker:
        pid = broker.pid
        make_topic(broker.bootstrap)
        put(broker.bootstrap, b"one")
        assert get(broker.bootstrap, 1) == [b"one"]
        consumer = KafkaConsumer("misspelt", bootstrap_servers=broker.bootstrap)
        consumer.poll(timeout_ms=500)
        assert consumer.topics() == {TOPIC}
        consumer.close()
        (directory,) = temporary.iterdir()
        assert directory.is_dir()
    assert gone(pid)


def test_data_outlives_a_crash(tmp_path: Path) -> None:
    """After kill -9 the broker, and later a new one on its directory, has every record."""
    broker = Broker(tmp_path)
    try:
        broker.start()
        make_topic(broker.bootstrap)
        put(broker.bootstrap, b"before")
        address, pid = broker.bootstrap, broker.pid
        broker.kill()
        assert gone(pid)
        broker.start()
        assert broker.bootstrap == address
        put(address, b"between")
        psutil.Process(broker.pid).kill()
        until(lambda: broker.poll() == 128 + signal.SIGKILL)
        broker.start()
        assert get(address, 2) == [b"before", b"between"]
        broker.kill()
    finally:
        broker.stop()
    with Broker(tmp_path, port=int(address.rpartition(":")[2])) as successor:
        assert successor.bootstrap == address
        assert get(address, 2) == [b"before", b"between"]
    assert (tmp_path / "data").is_dir()


def test_a_killed_broker_with_temporary_data_leaves_nothing(temporary: Path) -> None:
    """A stop after a kill still removes the temporary directory."""
    broker = Broker()
    broker.start()
    broker.kill()
    assert len(list(temporary.iterdir())) == 1
    broker.stop()


def test_it_ends_with_an_owner_that_is_killed(temporary: Path) -> None:
    """After kill -9 of the process that started it, Java and the temporary data are gone."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.Process(pid).name() == "java"
        owner.kill()
    until(lambda: gone(pid) and not list(temporary.iterdir()))


def test_a_directory_has_one_broker(tmp_path: Path) -> None:
    """A second broker on a directory in use is refused, and the first goes on."""
    with Broker(tmp_path) as first:
        with pytest.raises(BrokerError, match="another broker runs on"):
            Broker(tmp_path).start()
        make_topic(first.bootstrap)


def test_a_failed_start_says_why(temporary: Path) -> None:
    """Kafka's own reason is in the error, and nothing is left of the attempt."""
    with pytest.raises(BrokerError, match=r"(?s)exit code 1.*num\.partitions"):
        Broker(settings={"num.partitions": "many"}).start()


def test_a_port_that_is_taken_says_so(temporary: Path) -> None:
    """A given port is never exchanged for another: when it is taken, that is the error."""
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(BrokerError, match="Address already in use"):
            Broker(port=port).start()


def test_a_broker_too_slow_is_an_error(temporary: Path) -> None:
    """Waiting has an end: after it the broker is stopped and the error says what was awaited."""
    with pytest.raises(BrokerError, match=r"did not serve within 0\.01 s"):
        Broker(ready_within_s=0.01).start()


def test_only_the_right_kafka_counts_as_serving(tmp_path: Path) -> None:
    """Neither a closed port, nor another server, nor another cluster is taken for the broker."""
    with Broker(tmp_path) as broker:
        port = int(broker.bootstrap.rpartition(":")[2])
        cluster = cluster_id(tmp_path)
        assert cluster is not None
        assert serves("127.0.0.1", port, cluster)
        assert not serves("127.0.0.1", port, cluster.swapcase())
    assert not serves("127.0.0.1", port, cluster)
    web = [sys.executable, "-c", WEB_SERVER]
    with subprocess.Popen(web, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert not serves("127.0.0.1", int(server.stdout.readline()), cluster)
        server.kill()


def test_picked_ports_are_below_the_ephemeral_ones() -> None:
    """No client's outgoing connection can take a picked port while its server is down."""
    assert free_port() in PORTS
    linux = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if linux.exists():
        assert int(linux.read_text().split()[0]) >= PORTS.stop
