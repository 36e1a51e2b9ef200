"""``inowatch deploy``: set up what the workers need, once or again."""

import sys

from deploy.kafka.cluster import connected
from deploy.kafka.topics import TopicSpec, ensure_topics
from streams.app import ROLES
from streams.settings import Settings
from streams.worker import own_topics


def make_topics(settings: Settings) -> list[str]:
    """Make what is missing; returns a sentence for each topic that is not as it should be."""
    report = ensure_topics(
        settings.kafka,
        settings.topics,
        settings.partitions,
        settings.replication,
        _extras(settings),
    )
    for name in report.created:
        sys.stderr.write(f"made {name}\n")
    return list(report.wrong)


def _extras(settings: Settings) -> dict[str, TopicSpec]:
    extras: dict[str, TopicSpec] = {}
    for role in ROLES:
        extras |= own_topics(role, settings)
    return extras


def delete_topics(settings: Settings) -> None:
    """Delete every topic of the site's prefix that was made here."""
    with connected(settings.kafka) as cluster:
        cluster.delete([*settings.topics.cleanup, *_extras(settings)])


def run_deploy_kafka(settings: Settings) -> int:
    """Return the exit code: 1 when a topic is there and wrong."""
    wrong = make_topics(settings)
    for sentence in wrong:
        sys.stderr.write(f"{sentence}\n")
    return 1 if wrong else 0
