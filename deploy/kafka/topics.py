"""Makes the contract's topics and says where they are not as they should be.

What is missing is created; what is there is compared and never changed, because a wrong partition
count or policy may have its reason and its data, and moving keys between partitions is a person's
decision. It knows topics only: no groups, no access rights.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import Cluster, ClusterError, connected
from deploy.kafka.topic_spec import TopicSpec, contract_specs
from schemas.topics import Topics

__all__ = ["ClusterError", "Report", "TopicSpec", "check_topics", "ensure_topics"]


class Report(Struct, frozen=True):
    """What ``ensure_topics`` found and did: topic names, and a sentence for each thing wrong.

    A topic with something wrong is among the ``present`` ones too.
    """

    created: list[str]
    present: list[str]
    wrong: list[str]


def ensure_topics(
    access: KafkaAccess,
    topics: Topics,
    partitions: int,
    replication: int,
    extras: Mapping[str, TopicSpec] | None = None,
) -> Report:
    """Create what is missing of the contract's topics and ``extras`` (by name); compare the rest.

    Safe to repeat and to run twice at a time. ``replication`` is the number of replicas; more than
    that is not wrong.

    Raises:
        ClusterError: Kafka does not answer, or did not create a topic.

    """
    wanted = {**contract_specs(topics, partitions), **(extras or {})}
    with connected(access) as cluster:
        found = cluster.topics(wanted)
        missing = {name: spec for name, spec in wanted.items() if name not in found}
        present = {name: spec for name, spec in wanted.items() if name in found}
        wrong = list(_disagreements(cluster, present, replication)) if present else []
        # Beside topics that are wrong new ones would only be more to set right.
        created = cluster.create(missing, replication) if missing and not wrong else []
    return Report(created=created, present=list(present), wrong=wrong)


def check_topics(
    access: KafkaAccess,
    topics: Topics,
    partitions: int,
    extras: Mapping[str, TopicSpec] | None = None,
) -> list[str]:
    """Return a sentence for each missing topic and each partition count that does not agree.

    Empty means that a worker may start. The inputs, the alerts and the board must have
    ``partitions``; ``extras`` must have their own.

    Raises:
        ClusterError: Kafka does not answer.

    """
    extras = extras or {}
    wanted = [*topics.cleanup, *extras]
    with connected(access) as cluster:
        counts = {name: topic.partitions for name, topic in cluster.topics(wanted).items()}
    missing = [f"topic {name} is missing" for name in wanted if name not in counts]
    unlike = [
        f"topic {name} has {_count(counts[name])} where this worker is set to {partitions}: "
        "a patient must have the same partition in each"
        for name in (*topics.inputs, topics.alerts, topics.board)
        if name in counts and counts[name] != partitions
    ]
    others = [
        f"topic {name} has {_count(counts[name])} and must have {spec.partitions}"
        for name, spec in extras.items()
        if name in counts and counts[name] != spec.partitions
    ]
    return missing + unlike + others


def _disagreements(
    cluster: Cluster, specs: Mapping[str, TopicSpec], replication: int
) -> Iterator[str]:
    found, policies = cluster.topics(specs), cluster.policies(specs)
    for name, spec in specs.items():
        has, policy = found[name], policies[name]
        if has.partitions != spec.partitions:
            yield f"topic {name} has {_count(has.partitions)} and should have {spec.partitions}"
        if has.replicas < replication:
            yield f"topic {name} is kept {has.replicas} times and should be {replication} times"
        if policy != spec.cleanup:
            yield f"topic {name} has the cleanup policy {policy} and should have {spec.cleanup}"


def _count(partitions: int) -> str:
    return f"{partitions} partition" if partitions == 1 else f"{partitions} partitions"
