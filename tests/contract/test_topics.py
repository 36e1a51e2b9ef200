"""Topics are made once, compared ever after, and never changed behind anyone's back."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from deploy.free_port import free_port
from deploy.kafka import cluster
from deploy.kafka.access import KafkaAccess
from deploy.kafka.topics import ClusterError, TopicSpec, check_topics, ensure_topics
from schemas.topics import Topics
from tests.e2e.product import eventually

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def admin(kafka: str) -> Iterator[KafkaAdminClient]:
    """Connect to look behind the scenes."""
    client = KafkaAdminClient(bootstrap_servers=kafka)
    yield client
    client.close()


@pytest.fixture
def topics(admin: KafkaAdminClient) -> Iterator[Topics]:
    """Name topics that no other test has, and remove them."""
    mine = Topics(f"test-{uuid.uuid4().hex}")
    yield mine
    admin.delete_topics([name for name in admin.list_topics() if name.startswith(mine.prefix)])


def partitions_of(admin: KafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Count the partitions of each topic."""
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(names)}


def config_of(admin: KafkaAdminClient, name: str) -> dict[str, str]:
    """Read the settings that were made for this topic."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name)]
    had = admin.describe_configs(asked)["topic"][name]
    return {key: entry["value"] for key, entry in had.items()}


def test_every_topic_is_made_as_the_contract_says(
    kafka: str, topics: Topics, admin: KafkaAdminClient
) -> None:
    """All topics get the partitions, the cleanup policy and the retention of their kind."""
    report = ensure_topics(KafkaAccess(kafka), topics, 3, 1)
    assert (sorted(report.created), report.present, report.wrong) == (
        sorted(topics.cleanup),
        [],
        [],
    )
    assert partitions_of(admin, list(topics.cleanup)) == dict.fromkeys(topics.cleanup, 3)
    for name, cleanup in topics.cleanup.items():
        config = config_of(admin, name)
        assert config.get("cleanup.policy", "delete") == cleanup
        assert config["message.timestamp.type"] == "LogAppendTime"
    assert config_of(admin, topics.board)["min.cleanable.dirty.ratio"] == "0.1"
    days = dict.fromkeys(topics.inputs, 7)
    days |= dict.fromkeys((topics.alerts, topics.pages, topics.dead_letters), 30)
    for name, kept in days.items():
        # Kafka leaves out what equals its own default, and that is 7 days.
        retention_ms = int(config_of(admin, name).get("retention.ms", 7 * DAY_MS))
        assert retention_ms == kept * DAY_MS


def test_the_second_time_nothing_happens(kafka: str, topics: Topics) -> None:
    """Set-up is idempotent: again, it finds everything and creates nothing."""
    first = ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    second = ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    assert second.created == []
    assert sorted(second.present) == sorted(first.created)
    assert second.wrong == []


def test_two_at_a_time_share_the_work(kafka: str, topics: Topics) -> None:
    """Two set-ups at once both succeed, and each topic is created by one of them."""
    with ThreadPoolExecutor(2) as pool:
        works = [pool.submit(ensure_topics, KafkaAccess(kafka), topics, 2, 1) for _ in range(2)]
        reports = [work.result() for work in works]
    assert sorted(reports[0].created + reports[1].created) == sorted(topics.cleanup)
    assert [report.wrong for report in reports] == [[], []]


def test_only_what_is_missing_is_made(kafka: str, topics: Topics, admin: KafkaAdminClient) -> None:
    """A topic that is there and right is left alone beside the new ones."""
    ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    admin.delete_topics([topics.pages])
    assert eventually(lambda: topics.pages not in admin.list_topics())
    report = ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    assert report.created == [topics.pages]
    assert topics.pages not in report.present


def test_what_is_wrong_is_said_and_not_changed(
    kafka: str, topics: Topics, admin: KafkaAdminClient
) -> None:
    """A wrong partition count, policy or number of replicas is one sentence each; it stays."""
    admin.create_topics(
        {
            topics.labs: {"num_partitions": 1, "replication_factor": 1},
            topics.board: {"num_partitions": 2, "replication_factor": 1},
        },
        wait_for_metadata=True,
    )
    report = ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    assert report.wrong == [
        f"topic {topics.labs} has 1 partition and should have 2",
        f"topic {topics.board} has the cleanup policy delete and should have compact",
    ]
    assert sorted(report.present) == sorted([topics.labs, topics.board])
    assert partitions_of(admin, [topics.labs]) == {topics.labs: 1}
    again = ensure_topics(KafkaAccess(kafka), topics, 2, 3)
    assert f"topic {topics.labs} is kept 1 times and should be 3 times" in again.wrong


def test_a_workers_own_topics_come_along(
    kafka: str, topics: Topics, admin: KafkaAdminClient
) -> None:
    """Extra topics, such as a changelog, are made and checked by their own specification."""
    changelog = f"{topics.prefix}.monitor-state-changelog"
    extras = {changelog: TopicSpec(4, "compact")}
    report = ensure_topics(KafkaAccess(kafka), topics, 2, 1, extras)
    assert changelog in report.created
    assert partitions_of(admin, [changelog]) == {changelog: 4}
    assert config_of(admin, changelog)["cleanup.policy"] == "compact"
    assert check_topics(KafkaAccess(kafka), topics, 2, extras) == []
    assert check_topics(KafkaAccess(kafka), topics, 2, {changelog: TopicSpec(2, "compact")}) == [
        f"topic {changelog} has 4 partitions and must have 2"
    ]


def test_a_worker_hears_what_is_missing(kafka: str, topics: Topics) -> None:
    """Each missing topic is one sentence, and looking for it does not create it."""
    everything = [f"topic {name} is missing" for name in topics.cleanup]
    assert check_topics(KafkaAccess(kafka), topics, 2) == everything
    assert check_topics(KafkaAccess(kafka), topics, 2) == everything
    ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    assert check_topics(KafkaAccess(kafka), topics, 2) == []
    extra = f"{topics.prefix}.state"
    assert check_topics(KafkaAccess(kafka), topics, 2, {extra: TopicSpec(2, "compact")}) == [
        f"topic {extra} is missing"
    ]


def test_a_worker_hears_which_counts_disagree(
    kafka: str, topics: Topics, admin: KafkaAdminClient
) -> None:
    """An input or the alerts with another partition count than the rest is one sentence."""
    ensure_topics(KafkaAccess(kafka), topics, 2, 1)
    admin.create_partitions({topics.courses: 5})
    # The broker answers before it knows of it itself.
    assert eventually(lambda: partitions_of(admin, [topics.courses]) == {topics.courses: 5})
    (sentence,) = check_topics(KafkaAccess(kafka), topics, 2)
    assert f"{topics.courses} has 5 partitions where this worker is set to 2" in sentence


def test_a_refusal_comes_with_kafkas_words(kafka: str, topics: Topics) -> None:
    """What Kafka will not create is an error that names the topic and the reason."""
    with pytest.raises(ClusterError, match=rf"{topics.telemetry}: .*replication"):
        ensure_topics(KafkaAccess(kafka), topics, 2, 1000)


def test_no_kafka_is_an_error_with_its_address(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking where no Kafka answers ends, and the error says where that was."""
    monkeypatch.setattr(cluster, "ANSWER_S", 0.5)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(ClusterError, match=address):
        check_topics(KafkaAccess(address), topics, 2)
    with pytest.raises(ClusterError, match="HOST:PORT"):
        check_topics(KafkaAccess("kafka"), topics, 2)
