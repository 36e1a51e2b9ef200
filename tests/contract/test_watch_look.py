"""What the watchdog sees of a real Kafka without a worker: ages, lags, groups, who was told."""

import gc
import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from deploy.kafka.broker import Broker
from deploy.kafka.cluster import ClusterError
from schemas.encode import encode
from schemas.tick import Tick
from streams.deploy_command import make_topics
from streams.groups import app_id
from streams.settings import Settings, read_settings
from streams.watch.look import LOOK_BACK, TAIL, Look
from streams.watch.observation import Lag, Observation
from tests.e2e.product import eventually
from tests.unit.test_watch_ledger import a_page, an_alert

TICK = encode(Tick(time=datetime(2026, 11, 20, 10, 0, tzinfo=UTC)))
SLACK = timedelta(seconds=0.5)
"""Kafka stamps records in whole milliseconds, and by the same machine's clock."""


def settings_at(kafka: str) -> Settings:
    """Make the settings of a site of its own, with one partition a topic."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    return read_settings(
        {"INOWATCH_KAFKA": kafka, "INOWATCH_PREFIX": prefix, "INOWATCH_PARTITIONS": "1"}
    )


class Site:
    """Topics, and a hand that writes to them and commits for workers that are not there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = settings.topics
        self.look = Look(settings, ["webhook"], "watchdog-0")
        self._producer = KafkaProducer(**settings.kafka.client(), acks="all")
        self._admin = KafkaAdminClient(**settings.kafka.client())

    def send(self, topic: str, value: bytes, key: bytes | None = None, **how: Any) -> datetime:
        """Send a record; return when Kafka took it."""
        sent = self._producer.send(topic, key=key, value=value, **how).get(10)
        return datetime.fromtimestamp(sent.timestamp / 1000, UTC)

    def send_many(self, topic: str, count: int) -> None:
        """Send so many samples."""
        for _ in range(count):
            self._producer.send(topic, key=b"p1", value=b"{}")
        self._producer.flush(30)

    def commit(self, role: str, topic: str, offset: int) -> None:
        """Commit in a role's name."""
        place = {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)}
        group = app_id(role, self.settings)
        eventually(lambda: _is_done(lambda: self._admin.alter_group_offsets(group, place)))

    def expire(self, topic: str, before: int) -> None:
        """Let the records before this offset be gone."""
        self._admin.delete_records({TopicPartition(topic, 0): before})

    def lag(self, role: str, topic: str) -> Lag:
        """Look, and tell how a role fares in a topic."""
        (lag,) = [lag for lag in self.look().lags if (lag.role, lag.topic) == (role, topic)]
        return lag

    def close(self) -> None:
        """Let go of Kafka."""
        self.look.close()
        self._producer.close()
        self._admin.close()


def _is_done(ask: Any) -> bool:
    """Whether Kafka has an answer; a new broker's first is that it will know later."""
    try:
        ask()
    except (ClusterError, KafkaError):
        return False
    return True


@pytest.fixture
def site(kafka: str) -> Iterator[Site]:
    """Make a site whose topics are there."""
    settings = settings_at(kafka)
    assert make_topics(settings) == []
    with closing(Site(settings)) as made:
        yield made


def newest(seen: Observation, topic: str) -> datetime | None:
    """Tell the time of the newest tick that was seen in a topic."""
    (found,) = [one.newest for one in seen.ticks if one.topic == topic]
    return found


def test_the_age_of_the_clock(site: Site) -> None:
    """The newest tick's own arrival counts, also beneath samples; what is no tick does not."""
    labs, actions = site.names.labs, site.names.actions
    ticked = site.send(labs, TICK)
    site.send(labs, b"{}", key=b"p1")
    site.send(labs, TICK, key=b"p1")
    site.send(labs, b'{"type":"tock"}')
    site.send(labs, b"\xff")
    site.send(actions, b"{}", key=b"p1")
    seen = site.look()
    assert newest(seen, labs) == ticked
    assert newest(seen, actions) is None
    assert abs(seen.at - ticked) < timedelta(seconds=10)
    again = site.send(labs, TICK)
    assert newest(site.look(), labs) == again


def test_a_tick_is_remembered_beneath_many_samples(site: Site) -> None:
    """A look reads no more than the tail of a partition; what was seen before is still known."""
    ticked = site.send(site.names.telemetry, TICK)
    assert newest(site.look(), site.names.telemetry) == ticked
    site.send_many(site.names.telemetry, TAIL + 1)
    assert newest(site.look(), site.names.telemetry) == ticked
    with closing(Look(site.settings, [], "w")) as first:
        assert newest(first(), site.names.telemetry) is None


def test_how_far_behind_a_role_is(site: Site) -> None:
    """What is not committed is counted, since its first record; committed, it is gone."""
    labs = site.names.labs
    times = [site.send(labs, b"{}", key=b"p1") for _ in range(3)]
    site.commit("monitor", labs, 1)
    lag = site.lag("monitor", labs)
    assert (lag.records, lag.oldest) == (2, times[1])
    site.commit("monitor", labs, 3)
    lag = site.lag("monitor", labs)
    assert (lag.records, lag.oldest) == (0, None)
    late = site.send(labs, b"{}", key=b"p1")
    assert site.lag("monitor", labs).oldest == late


def test_whether_it_moves(site: Site) -> None:
    """It stands still since the look that first saw the same record waiting."""
    labs = site.names.labs
    for _ in range(3):
        site.send(labs, b"{}", key=b"p1")
    site.commit("monitor", labs, 1)
    first, second = site.lag("monitor", labs), site.lag("monitor", labs)
    assert second.still == first.still
    site.commit("monitor", labs, 2)
    assert site.lag("monitor", labs).still > first.still


def test_what_was_never_committed_waits_from_the_beginning(site: Site) -> None:
    """A role that has never read anything is behind by all there is, and by no more."""
    labs = site.names.labs
    times = [site.send(labs, b"{}", key=b"p1") for _ in range(3)]
    lag = site.lag("recorder", labs)
    assert (lag.records, lag.oldest) == (3, times[0])
    site.expire(labs, 2)
    lag = site.lag("recorder", labs)
    assert (lag.records, lag.oldest) == (1, times[2])


def test_an_offset_of_a_former_topic(site: Site) -> None:
    """An offset beyond the end is of a topic that was made anew: all that is there waits."""
    sent = site.send(site.names.labs, b"{}", key=b"p1")
    site.commit("monitor", site.names.labs, 100)
    lag = site.lag("monitor", site.names.labs)
    assert (lag.records, lag.oldest) == (1, sent)


def test_each_role_has_its_own_topics(site: Site) -> None:
    """The pager is behind in alerts and not in what only the recorder reads."""
    site.send(site.names.alerts, encode(an_alert()), key=b"p1")
    site.send(site.names.dead_letters, b"{}")
    behind = {(lag.role, lag.topic) for lag in site.look().lags if lag.records}
    assert behind == {
        ("pager", site.names.alerts),
        ("recorder", site.names.alerts),
        ("recorder", site.names.dead_letters),
    }


def test_who_is_running(site: Site) -> None:
    """A group's members are counted; nobody knows since when there is none, until one has left."""

    def board() -> tuple[int, datetime | None]:
        (found,) = [one for one in site.look().workers if one.role == "board"]
        return found.running, found.gone

    assert board() == (0, None)
    member = KafkaConsumer(
        site.names.board,
        **site.settings.kafka.client(),
        group_id=app_id("board", site.settings),
    )
    member.poll(1000)
    assert eventually(lambda: member.poll(100) == {} and board()[0] == 1)
    member.close()
    left = datetime.now(UTC)
    running, gone = board()
    assert running == 0
    assert gone is not None
    assert gone - left < SLACK
    assert board() == (0, gone)


def test_who_was_told(site: Site) -> None:
    """An alert is owed since Kafka took it, until a page says otherwise; junk is passed over."""
    sent = site.send(site.names.alerts, encode(an_alert()), key=b"p17")
    site.send(site.names.alerts, b"junk", key=b"p17")
    site.send(site.names.pages, b"\xff")
    seen = site.look()
    assert [(one.alert, one.since) for one in seen.untold] == [("a", sent)]
    failed = site.send(site.names.pages, encode(a_page("failed", "503")), key=b"a")
    seen = site.look()
    assert [(one.sink, one.failing) for one in seen.receivers] == [("webhook", failed)]
    assert len(seen.untold) == 1
    told = site.send(site.names.pages, encode(a_page("delivered")), key=b"a")
    seen = site.look()
    assert seen.untold == ()
    assert [(one.failing, one.told) for one in seen.receivers] == [(None, told)]


def test_how_far_it_looks_back(kafka: str) -> None:
    """The first look finds what was not told within the last day, and nothing older."""
    settings = settings_at(kafka)
    topic = NewTopic(settings.topics.alerts, 1, 1, topic_configs={"retention.ms": "-1"})
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics([topic])
    assert make_topics(settings) == []
    with closing(Site(settings)) as site:
        now_ms = int(time.time() * 1000)
        minute_ms, back_ms = 60_000, int(LOOK_BACK.total_seconds() * 1000)
        for name, age_ms in (("old", back_ms + minute_ms), ("new", back_ms - minute_ms)):
            record = encode(an_alert(name=name))
            site.send(settings.topics.alerts, record, key=b"p17", timestamp_ms=now_ms - age_ms)
        assert [one.alert for one in site.look().untold] == ["new"]


def test_topics_that_are_not_there(kafka: str) -> None:
    """What is missing is named, nothing is made, and the rest is seen."""
    settings = settings_at(kafka)
    with closing(Look(settings, [], "w")) as look:
        seen = look()
        assert set(seen.missing) == {*settings.topics.cleanup}
        assert seen.ticks == ()
        assert look().missing == seen.missing
        assert make_topics(settings) == []
        assert eventually(lambda: look().missing == ())


# Kafka's client lets go of sockets that were refused without closing them.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_kafka_that_does_not_answer(how: str) -> None:
    """Gone or hanging, it is an error in words, not a wait for ever; back, it is seen again."""
    with Broker() as broker:
        settings = settings_at(broker.bootstrap)
        assert make_topics(settings) == []
        with closing(Look(settings, [], "w")) as look:
            seen = look()
            if how == "killed":
                broker.kill()
            else:
                os.kill(broker.pid, signal.SIGSTOP)
            for _ in range(2):  # with the connection that there was, and with none
                with pytest.raises(ClusterError, match=broker.bootstrap):
                    look()
            if how == "killed":
                broker.start()
            else:
                os.kill(broker.pid, signal.SIGCONT)
            assert eventually(lambda: _is_done(look))
            assert look().at > seen.at
    gc.collect()  # here, where its warnings are expected
