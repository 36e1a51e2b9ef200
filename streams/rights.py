"""Who may do what in Kafka: the least that each role, each sender and each onlooker needs.

``docs/security.md`` has the same as a table. What a role reads is said once, in ``groups``.
"""

from collections.abc import Iterable, Iterator

from deploy.kafka.users import Grant, May
from streams.app import WORKERS
from streams.groups import app_id, topics_read
from streams.settings import Settings
from streams.worker import own_topics


def rights(settings: Settings) -> dict[str, frozenset[Grant]]:
    """List every user with what it may do under this site's prefix."""
    names = settings.topics
    inputs = tuple(names.inputs)
    written = {
        "monitor": (*inputs, names.alerts, names.board, names.dead_letters, names.changes),
        "recorder": (names.dead_letters,),
        "pager": (names.pages,),
        "board": (names.views,),
        "journal": (names.anchors,),
    }
    users = {role: set(_of_role(role, written[role], settings)) for role in WORKERS}
    looked_at = {topic for role in WORKERS for topic in topics_read(role, names)}
    onlooker = {*_may("read", looked_at), *_groups("describe", settings)}
    users["status"] = onlooker
    users["watchdog"] = {*onlooker, *_may("write", (names.alerts, names.pages, names.health))}
    # Each sender the one input that is its own.
    senders = {"devices": names.telemetry, "laboratory": names.labs}
    senders |= {"records": names.courses, "staff": names.actions}
    for sender, topic in senders.items():
        users[sender] = set(_may("write", (topic,)))
    # A person with `inowatch dead-letters`, whose looks are noted.
    users["letters"] = {
        *_may("read", (names.dead_letters,)),
        *_may("write", (*inputs, names.views)),
    }
    known = Grant("topic", settings.prefix, "describe", prefixed=True)
    return {user: frozenset({*grants, known}) for user, grants in users.items()}


def _of_role(role: str, written: Iterable[str], settings: Settings) -> Iterator[Grant]:
    own = tuple(own_topics(role, settings))
    yield from _may("read", (*topics_read(role, settings.topics), *own))
    yield from _may("write", (*written, *own))
    yield Grant("group", app_id(role, settings), "read")


def _may(may: May, topics: Iterable[str]) -> Iterator[Grant]:
    return (Grant("topic", topic, may) for topic in topics)


def _groups(may: May, settings: Settings) -> Iterator[Grant]:
    return (Grant("group", app_id(role, settings), may) for role in WORKERS)
