"""The few questions and the one order that topics need of a Kafka cluster.

Plain values in and out; whatever Kafka's client raises becomes a ``ClusterError`` with its words.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec import Struct

from deploy.kafka.access import KafkaAccess
from deploy.kafka.knock import knock
from deploy.kafka.refused import ClusterError, NotLetIn
from deploy.kafka.topic_spec import TopicSpec

__all__ = ["ANSWER_S", "Cluster", "ClusterError", "FoundTopic", "connected", "wait_for_kafka"]

ANSWER_S = 10.0
_ANSWER_MS = int(ANSWER_S * 1000)
_PAUSE_S = 0.2


class FoundTopic(Struct, frozen=True):
    """A topic as it is; ``replicas`` is the number that its poorest partition has."""

    partitions: int
    replicas: int


class Cluster:
    """A connection for setting up; use ``connected``."""

    def __init__(self, client: KafkaAdminClient) -> None:
        self._client = client

    @property
    def client(self) -> KafkaAdminClient:
        """Kafka's own client, for what is asked in one place only."""
        return self._client

    def topics(self, names: Iterable[str]) -> dict[str, FoundTopic]:
        """Return what exists of these topics, by name.

        Raises:
            ClusterError: a topic is neither there nor missing, but forbidden for example.

        """
        found = {}
        for topic in self._client.describe_topics(list(names)):
            error = for_code(topic["error_code"])
            if error is NoError:
                replicas = min(len(one["replica_nodes"]) for one in topic["partitions"])
                found[topic["name"]] = FoundTopic(len(topic["partitions"]), replicas)
            elif error is not UnknownTopicOrPartitionError:
                raise ClusterError(f"topic {topic['name']} cannot be seen: {error.__name__}")
        return found

    def policies(self, names: Iterable[str]) -> dict[str, str]:
        """Return each topic's cleanup policy; the topics must exist."""
        kind = ConfigResourceType.TOPIC
        asked = [ConfigResource(kind, name, ["cleanup.policy"]) for name in names]
        answer = self._client.describe_configs(asked, config_filter="all")
        return {name: had["cleanup.policy"]["value"] for name, had in answer["topic"].items()}

    def create(self, specs: Mapping[str, TopicSpec], replication: int) -> list[str]:
        """Create topics, wait until they can be used, return the names of those created.

        A topic that someone else has created in the meantime is not among them.

        Raises:
            ClusterError: Kafka refused one; others may have been created.

        """
        asked = {
            name: {
                "num_partitions": spec.partitions,
                "replication_factor": replication,
                "configs": spec.configs,
            }
            for name, spec in specs.items()
        }
        created, refused = [], []
        for topic in self._client.create_topics(asked, raise_errors=False)["topics"]:
            error = for_code(topic["error_code"])
            if error is NoError:
                created.append(topic["name"])
            elif error is not TopicAlreadyExistsError:
                refused.append(f"{topic['name']}: {topic['error_message'] or error.__name__}")
        if refused:
            raise ClusterError(f"Kafka did not create {'; '.join(refused)}")
        self._client.wait_for_topics(list(specs), timeout_ms=_ANSWER_MS)
        return created

    def may_join(self, group: str) -> bool:
        """Whether we may read as a member of this consumer group.

        Yes while Kafka cannot tell: of a group that nobody has joined yet it does not say.
        """
        try:
            found = self._client.describe_groups([group])[group]
        except GroupAuthorizationFailedError:
            return False
        except KafkaError as unknown:
            if unknown.retriable:
                return True
            raise
        rights = found["authorized_operations"]
        return not rights or "READ" in rights

    def delete(self, names: Iterable[str]) -> None:
        """Delete topics; those that are not there are no fault."""
        found = list(self.topics(names))
        if found:
            self._client.delete_topics(found)


@contextmanager
def connected(access: KafkaAccess) -> Iterator[Cluster]:
    """Connect for the length of a block.

    Raises:
        ClusterError: nothing answers within ANSWER_S, or what answers fails.

    """
    wait_for_kafka(access)
    try:
        client = KafkaAdminClient(
            **access.client(),
            bootstrap_timeout_ms=_ANSWER_MS,
            request_timeout_ms=_ANSWER_MS,
        )
        with closing(client):
            yield Cluster(client)
    except KafkaError as error:
        raise ClusterError(f"Kafka at {access.address}: {error!r}") from error


def wait_for_kafka(access: KafkaAccess, within_s: float = ANSWER_S) -> None:
    """Return when a Kafka lets us in at one of the addresses, and serves.

    Asked first because Kafka's client, when none does, leaves its thread and its sockets open, and
    does not say why.

    Raises:
        NotLetIn: one is there and will never let us in with these settings, and no other does.
        ClusterError: none serves within ``within_s``, or one is no address.

    """
    deadline = time.monotonic() + within_s
    while True:
        refusal, never = "", None
        for address in access.servers:
            host, _, port = address.rpartition(":")
            if not (host and port.isdecimal()):
                raise ClusterError(f"{address!r} is no address of a Kafka: HOST:PORT")
            try:
                refusal = knock(access, host.strip("[]"), int(port))
            except NotLetIn as refused:
                never = NotLetIn(f"Kafka at {address} does not let us in: {refused}")
            else:
                if not refusal:
                    return
        if never is not None:
            raise never
        if time.monotonic() > deadline:
            raise ClusterError(f"no Kafka answers at {access.address}: {refusal}")
        time.sleep(_PAUSE_S)
