"""`inowatch status --role`: what a probe beside one worker is told, on a real Kafka."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer

from deploy.free_port import free_port
from streams.deploy_command import delete_topics, make_topics
from streams.groups import app_id
from streams.settings import Settings, read_settings


@pytest.fixture
def settings(kafka: str) -> Iterator[Settings]:
    """Make a site whose topics are there."""
    made = settings_at(kafka)
    assert make_topics(made) == []
    yield made
    delete_topics(made)


def settings_at(kafka: str) -> Settings:
    """Name a site of one partition, without receivers."""
    prefix = f"test-{uuid.uuid4().hex}"
    return read_settings(
        {"INOWATCH_KAFKA": kafka, "INOWATCH_PREFIX": prefix, "INOWATCH_PARTITIONS": "1"}
    )


def probe(settings: Settings, role: str, kafka: str | None = None) -> tuple[int, str]:
    """Run the probe; its exit code and what it says."""
    env = os.environ | {"INOWATCH_KAFKA": kafka or "", "INOWATCH_PREFIX": settings.prefix}
    command = [sys.executable, "-m", "streams.cli", "status", "--role", role]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_role_with_nobody_at_it(settings: Settings, kafka: str) -> None:
    """Without a worker the role is not well, whatever else is."""
    assert probe(settings, "board", kafka) == (
        1,
        "NOT WELL: no worker of the role board is running\n",
    )


def test_a_role_at_work(settings: Settings, kafka: str) -> None:
    """With a worker that keeps up it is well, though no other role runs and nobody is paged."""
    member = KafkaConsumer(
        settings.topics.board,
        bootstrap_servers=kafka,
        group_id=app_id("board", settings),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    with closing(member), closing(KafkaProducer(bootstrap_servers=kafka)) as producer:
        while not member.assignment():
            member.poll(200)
        assert probe(settings, "board", kafka) == (0, "well\n")
        producer.send(settings.topics.board, b"{}", key=b"p1").get(10)
        # What waits, but not yet for too long, is no fault.
        assert probe(settings, "board", kafka)[0] == 0
        assert probe(settings, "pager", kafka)[0] == 1


def test_no_kafka_and_no_topics(kafka: str) -> None:
    """A Kafka that is away and topics that are missing are sentences and exit code 1."""
    nowhere = settings_at(kafka)
    code, words = probe(nowhere, "monitor", kafka)
    assert (code, "topics are missing" in words) == (1, True)
    code, words = probe(nowhere, "monitor", f"127.0.0.1:{free_port()}")
    assert (code, "no Kafka answers" in words) == (1, True)


def test_no_such_role(kafka: str) -> None:
    """The watchdog has no group to look at: it is looked at by `inowatch status` itself."""
    code, words = probe(settings_at(kafka), "watchdog", kafka)
    assert (code, "monitor, recorder, pager, board" in words) == (2, True)
