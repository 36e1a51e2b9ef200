"""How workers start, refuse to start, are found and are not found."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from streams.app import ROLES, WORKERS
from tests.e2e.product import Product, eventually, journal_in, product


def run(site: Product, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the site's settings."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *words],
        env={**os.environ, **site.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("role", WORKERS)
def test_missing_topics(kafka: str, tmp_path: Path, role: str) -> None:
    """A worker whose topics are missing does not start, and says which and what to do."""
    with product(kafka, tmp_path, journal_in(tmp_path), deploy=False) as site:
        refused = run(site, "run", role)
    assert refused.returncode == 78
    assert f"topic {site.topics.telemetry} is missing" in refused.stderr
    assert "inowatch deploy kafka" in refused.stderr


def test_disagreeing_partitions(kafka: str, tmp_path: Path) -> None:
    """A topic with another partition count keeps the monitor from starting, by name."""
    with product(kafka, tmp_path, deploy=False) as site:
        admin = KafkaAdminClient(bootstrap_servers=kafka)
        admin.create_topics([NewTopic(site.topics.labs, 3, 1)])
        admin.close()
        deployed = run(site, "deploy", "kafka")
        assert deployed.returncode == 1
        assert f"topic {site.topics.labs} has 3 partitions" in deployed.stderr
        refused = run(site, "run", "monitor")
    assert refused.returncode == 78
    assert f"topic {site.topics.labs} has 3 partitions where this worker is set to 2" in (
        refused.stderr
    )


def test_a_count_that_only_the_settings_disagree_with(kafka: str, tmp_path: Path) -> None:
    """A worker that is set to another count than all its topics have does not start either."""
    with product(kafka, tmp_path) as site:
        site.env["INOWATCH_PARTITIONS"] = "1"
        refused = run(site, "run", "monitor")
    assert refused.returncode == 78
    assert f"topic {site.topics.telemetry} has 2 partitions" in refused.stderr


def test_deploy_twice(kafka: str, tmp_path: Path) -> None:
    """Making the topics a second time changes nothing and says nothing."""
    with product(kafka, tmp_path, deploy=False) as site:
        first, second = run(site, "deploy", "kafka"), run(site, "deploy", "kafka")
    assert (first.returncode, second.returncode) == (0, 0)
    assert f"made {site.topics.alerts}" in first.stderr
    assert second.stderr == ""


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["run", "nurse"], "no role 'nurse'"),
        (["run", "monitor"], "INOWATCH_KAFKA"),
        (["replay", "nowhere.ndjson"], "nowhere.ndjson"),
        (["simulate", "--scenario", "quiet"], "no scenario 'quiet'"),
        (["simulate", "--speed", "0"], "--speed"),
    ],
)
def test_wrong_use(words: list[str], fault: str) -> None:
    """Wrong use ends with code 2 and a sentence."""
    env = {name: value for name, value in os.environ.items() if name != "INOWATCH_KAFKA"}
    command = [sys.executable, "-m", "streams.cli", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert fault in done.stderr


@pytest.mark.parametrize(
    ("role", "setting", "value", "fault"),
    [
        ("recorder", "INOWATCH_STORE", "postgres://x", "no store has the scheme"),
        ("pager", "INOWATCH_WEBHOOK_URL", "http://example.org/x", "https"),
        ("watchdog", "INOWATCH_WEBHOOK_URL", "http://example.org/x", "https"),
        ("pager", "INOWATCH_ALERTMANAGER_URL", "http://alertmanager:9093", "https only"),
        ("journal", "INOWATCH_JOURNAL_KEY_FILE", "{secret}", "it is not a name and a key"),
        ("watchdog", "INOWATCH_HEARTBEAT_URL", "http://example.org/x", "https"),
    ],
)
def test_settings_that_cannot_work(  # noqa: PLR0913, PLR0917 - the case's parts, and two fixtures
    kafka: str, tmp_path: Path, role: str, setting: str, value: str, fault: str
) -> None:
    """A setting that no restart would help keeps the worker from starting, in words."""
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + "A" * 44)
    secret.chmod(0o600)
    with product(kafka, tmp_path, journal_in(tmp_path)) as site:
        value = value.format(secret=secret)
        site.env |= {setting: value, "INOWATCH_WEBHOOK_SECRET_FILE": str(secret)}
        refused = run(site, "run", role)
    assert refused.returncode == 78
    assert fault in refused.stderr
    assert "Traceback" not in refused.stderr


def test_kafka_that_is_not_there(tmp_path: Path) -> None:
    """Without a broker each command says so in a sentence and fails."""
    env = {**os.environ, "INOWATCH_KAFKA": "127.0.0.1:9", "HOME": str(tmp_path)}
    for words in (["deploy", "kafka"], ["run", "monitor"], ["simulate", "--for", "1"]):
        command = [sys.executable, "-m", "streams.cli", *words]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1
        assert "127.0.0.1:9" in done.stderr
        assert "Traceback" not in done.stderr


def test_status_without_kafka() -> None:
    """`inowatch status` says of a broker that is not there that it is not well, in one line."""
    env = {**os.environ, "INOWATCH_KAFKA": "127.0.0.1:9"}
    command = [sys.executable, "-m", "streams.cli", "status"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("NOT WELL: no Kafka answers at 127.0.0.1:9")


def test_workers_listen_nowhere(kafka: str, tmp_path: Path) -> None:
    """No worker opens a port to the world: the board's alone is open, on loopback."""
    with product(kafka, tmp_path, journal_in(tmp_path)) as site:
        site.start(*ROLES)

        def listening(role: str) -> set[str]:
            process = psutil.Process(site.workers[role].pid_of_child)
            return {
                place.laddr.ip
                for place in process.net_connections("inet")
                if place.status == psutil.CONN_LISTEN
            }

        assert eventually(lambda: listening("board")) == {"127.0.0.1"}
        connected = {
            role: eventually(
                lambda role=role: psutil.Process(site.workers[role].pid_of_child).net_connections(
                    "tcp"
                )
            )
            for role in ROLES
        }
        assert all(connected.values()), "every worker is up and talks to Kafka"
        for role in ("monitor", "recorder", "pager", "journal", "watchdog"):
            assert listening(role) == set()


def test_the_faust_port_check_can_fail() -> None:
    """A socket that listens is seen by the same question."""
    with socket.create_server(("127.0.0.1", 0)):
        found = psutil.Process().net_connections("inet")
        assert any(place.status == psutil.CONN_LISTEN for place in found)
