"""The watchdog's own ways out: its receivers, its heartbeat, its record in Kafka."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient

from alerts.notify import History, remember
from alerts.sinks.webhook import Webhook
from deploy.kafka.access import KafkaAccess
from deploy.kafka.broker import Broker
from schemas.alert import Alert
from schemas.page import Page
from streams.watch.heartbeat import Heartbeat
from streams.watch.records import MOST as AT_MOST
from streams.watch.records import Records
from streams.watch.teller import MOST, Teller
from tests.contract.receiver import Answer, Receiver
from tests.unit.test_watch_ledger import a_page, an_alert

SECRET = "whsec_" + "A" * 44
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
OFTEN = timedelta(seconds=0.1)


def blind(phase: Any = "raised", name: str = "w") -> Alert:
    """Make a transition of the watchdog's."""
    return an_alert(phase, "high", name=name, rule="monitor-blind", device="watchdog-0")


def told(receiver: Receiver) -> list[tuple[object, str]]:
    """List what arrived: kind and alert id."""
    bodies: list[Any] = [post.json for post in receiver.posts]
    return [(body["kind"], body["alert"]["id"]) for body in bodies]


async def until(look: Callable[[], object]) -> None:
    """Wait until it is so, at most for a while."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + 20
    while not look() and clock() < deadline:  # noqa: ASYNC110 - a list has no event to wait for
        await asyncio.sleep(0.02)


def with_teller(
    act: Callable[[Teller, Receiver], Awaitable[None]], *answers: Answer
) -> tuple[Receiver, list[tuple[str, str, int]]]:
    """Run ``act`` over a teller of a real webhook; return its receiver and what was noted."""
    noted: list[tuple[str, str, int]] = []

    def note(sink: str, alert: Alert, outcome: str, reason: str, attempt: int) -> None:
        assert (sink, alert.rule) == ("webhook", "monitor-blind")
        noted.append((alert.phase, outcome if outcome != "withheld" else reason, attempt))

    async def run() -> Receiver:
        async with Receiver(*answers) as receiver:
            teller = Teller(Webhook(f"{receiver.url}/hook", SECRET), lambda: NOW, note)
            serving = asyncio.create_task(teller.serve())
            await act(teller, receiver)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await teller.close()
            return receiver

    return asyncio.run(run()), noted


def test_raised_and_resolved_in_order() -> None:
    """A receiver that is away at first gets both, in their order; every attempt is noted."""

    async def act(teller: Teller, receiver: Receiver) -> None:
        teller.tell(blind())
        teller.tell(blind("cleared"))
        await until(lambda: len(receiver.posts) > 2)

    receiver, noted = with_teller(act, Answer(503))
    assert told(receiver) == [("trigger", "w"), ("trigger", "w"), ("resolve", "w")]
    assert noted[:2] == [("raised", "failed", 1), ("raised", "delivered", 2)]


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    """With what is on record, only what is new is told."""

    async def act(teller: Teller, receiver: Receiver) -> None:
        teller.recall("w", remember(History(), blind(), "delivered"))
        teller.tell(blind())
        teller.tell(blind("cleared"))
        await until(lambda: receiver.posts)

    receiver, _ = with_teller(act)
    assert told(receiver) == [("resolve", "w")]


def test_a_refused_page_holds_up_nothing() -> None:
    """What the receiver will never take is noted, and the next occurrence is told."""

    async def act(teller: Teller, receiver: Receiver) -> None:
        teller.tell(blind())
        teller.tell(blind("cleared"))
        teller.tell(blind(name="x"))
        await until(lambda: len(receiver.posts) > 1)

    receiver, noted = with_teller(act, Answer(400, "no"))
    assert told(receiver) == [("trigger", "w"), ("trigger", "x")]
    assert noted[:2] == [("raised", "refused", 1), ("cleared", "never-told", 1)]


def test_what_waits_has_a_bound() -> None:
    """However long a receiver is away, no more than MOST transitions wait for it: the newest."""

    async def act(teller: Teller, receiver: Receiver) -> None:
        for number in range(MOST + 5):
            teller.tell(blind(name=str(number)))
        await until(lambda: len(receiver.posts) >= MOST)

    receiver, _ = with_teller(act)
    assert [name for _, name in told(receiver)] == [str(n) for n in range(5, MOST + 5)]


def test_the_heartbeat_beats_while_all_is_well() -> None:
    """It pings while well, is silent while not, and pings at once when it is well again."""

    async def run() -> None:
        async with Receiver() as receiver:
            well = [True]
            heartbeat = Heartbeat(f"{receiver.url}/ping/key", OFTEN)
            beating = asyncio.create_task(heartbeat.beat_while(lambda: well[0]))
            await until(lambda: len(receiver.posts) > 1)
            assert {post.path for post in receiver.posts} == {"/ping/key"}
            well[0] = False
            await asyncio.sleep(0.6)  # a ping that was under way has arrived
            silent = len(receiver.posts)
            await asyncio.sleep(1.2)
            assert len(receiver.posts) == silent
            well[0] = True
            await until(lambda: len(receiver.posts) > silent)
            assert len(receiver.posts) > silent
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    asyncio.run(run())


def test_a_ping_that_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, without the address, and it goes on pinging; redirects lead nowhere."""
    answers = [Answer(500), Answer(302, headers={"Location": "/elsewhere"}), Answer(manner="drop")]

    async def run() -> list[str]:
        async with Receiver(*answers) as receiver:
            heartbeat = Heartbeat(f"{receiver.url}/ping/key", OFTEN)
            beating = asyncio.create_task(heartbeat.beat_while(lambda: True))
            await until(lambda: len(receiver.posts) > 3)
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            return [post.path for post in receiver.posts]

    with caplog.at_level(logging.WARNING, logger="inowatch"):
        assert set(asyncio.run(run())) == {"/ping/key"}
    assert [record.getMessage() for record in caplog.records] == [
        "the heartbeat is not heard: it answered 500"
    ]


@pytest.mark.parametrize("url", ["http://example.org/x", "https://me:pass@example.org/", "ping"])
def test_a_heartbeat_address_that_is_not_safe(url: str) -> None:
    """Plain http to another machine, or a password in the address, is refused."""
    with pytest.raises(ValueError, match=r"https|password"):
        Heartbeat(url, OFTEN)


def read(kafka: str, topic: str) -> list[bytes]:
    """Read all values of a topic with one partition."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=3000,
    )
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


def test_what_kafka_does_not_take_waits(caplog: pytest.LogCaptureFixture) -> None:
    """Records made while Kafka is away are on its topics when it is back: none lost, in order.

    Of what is soon out of date only the newest is, however many there were: they push out nothing.
    """
    prefix = f"t{uuid.uuid4().hex[:8]}"
    topic, health = f"{prefix}.pages", f"{prefix}.health"
    with Broker(settings={"auto.create.topics.enable": "true"}) as broker:
        records = Records(KafkaAccess(broker.bootstrap))
        pages = [a_page("failed", f"attempt {number}", of=blind()) for number in range(4)]
        records.add(topic, "w", pages[0])
        records.send()
        broker.kill()
        for page in pages[1:3]:
            records.add(topic, "w", page)
        for number in range(AT_MOST + 1):
            records.add_newest(health, "w", a_page("failed", f"look {number}", of=blind()))
        records.send()
        assert "3 records of the watchdog wait" in caplog.text
        broker.start()
        records.add(topic, "w", pages[3])
        records.send()
        found = [msgspec.json.decode(value, type=Page) for value in read(broker.bootstrap, topic)]
        assert found == pages
        (word,) = read(broker.bootstrap, health)
        assert msgspec.json.decode(word, type=Page).reason == f"look {AT_MOST}"


def test_a_topic_that_is_missing_is_not_waited_for(
    kafka: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest word for it is not tried, and goes out when it is there; the rest goes at once."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    pages, health = f"{prefix}.pages", f"{prefix}.health"
    records = Records(KafkaAccess(kafka))
    page, word = (a_page("failed", reason, of=blind()) for reason in ("page", "look"))
    records.add(pages, "w", page)
    records.add_newest(health, "w", word)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics({pages: {"num_partitions": 1}}, wait_for_metadata=True)
        records.send([health])
        assert [msgspec.json.decode(value, type=Page) for value in read(kafka, pages)] == [page]
        assert "of the watchdog wait" not in caplog.text
        admin.create_topics({health: {"num_partitions": 1}}, wait_for_metadata=True)
    records.send()
    assert [msgspec.json.decode(value, type=Page) for value in read(kafka, health)] == [word]
