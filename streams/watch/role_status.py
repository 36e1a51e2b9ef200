"""``inowatch status --role``: one role alone, for a probe that stands beside it.

Is anybody of this role at work, and does nothing wait for it for too long? It asks no more of Kafka
than the role itself may ask, and knows neither receivers nor the other roles: that all of it is
well is for ``inowatch status`` and the watchdog to say.
"""

import logging
from contextlib import closing

from deploy.kafka.cluster import ClusterError
from streams.clock import wall_clock
from streams.groups import app_id, topics_read
from streams.settings import Settings
from streams.watch.health import judge
from streams.watch.kafka_view import KafkaView
from streams.watch.observation import Observation, Workers
from streams.watch.unread import Unread

_OF_THE_ROLE = {"topics-missing", "gone", "stalled", "lagging"}


def role_faults(settings: Settings, role: str) -> list[str]:
    """Look once; a sentence for each thing wrong. A Kafka that does not answer is one."""
    # What Kafka's client has to say comes back as an error, and is said once.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        with closing(KafkaView(settings.kafka)) as view:
            seen = _observe(view, settings, role)
    except ClusterError as away:
        return [str(away)]
    limits = settings.book.named(settings.profile).monitor_blind
    faults = judge(seen, seen.at, "", seen.at, limits) or []
    return [fault.words for fault in faults if fault.reason in _OF_THE_ROLE]


def _observe(view: KafkaView, settings: Settings, role: str) -> Observation:
    at, group = wall_clock(), app_id(role, settings)
    places = view.places(topics_read(role, settings.topics))
    spans = view.spans([place for found in places.values() for place in found])
    return Observation(
        at=at,
        missing=tuple(topic for topic, found in places.items() if not found),
        ticks=(),
        workers=(Workers(role=role, running=view.members([group])[group], gone=None),),
        lags=tuple(Unread().lags(view, role, group, spans, at)),
        receivers=(),
        untold=(),
    )
