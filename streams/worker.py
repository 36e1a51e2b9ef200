"""What every Faust worker of this project has in common: its settings, its start, its end.

Faust 0.15.3 decides the shape (docs/adr): raw bytes in and out, one message a batch, at least once,
no web server, static membership so that a killed worker is back in seconds, topics that must exist
before the start.
"""

import asyncio
import logging
import sys
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import faust
from faust.tables import TableManager

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import connected
from deploy.kafka.refused import NotLetIn
from deploy.kafka.topic_spec import DEAD_LETTER_MAX_BYTES, TopicSpec
from deploy.kafka.topics import check_topics
from streams.batch import BATCH_RECORDS, Batch, KafkaRecord
from streams.batch_consumer import BatchTransport
from streams.clock import Clock
from streams.ending import CannotStart, give_up
from streams.groups import app_id, topics_read
from streams.lease import Superseded
from streams.settings import Settings

log = logging.getLogger("inowatch")

FAUST_VERSION = "0.15.3"


async def _nothing() -> None:
    """What most roles do before a commit: with them a batch that is acknowledged is lasting."""


WRITE_S = 10.0
"""How long a write of the monitor may be under way."""


class _Tables(TableManager):  # type: ignore[misc] # Faust ships no types
    """Faust's tables, ready at once: it waits a second for some that are declared late."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class _App(faust.App):  # type: ignore[misc] # Faust ships no types
    """An app that reads in batches and keeps nothing on this machine's disk.

    ``before_commit`` is awaited before offsets are committed that were settled by then.
    """

    before_commit: Callable[[], Awaitable[None]] = staticmethod(_nothing)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make no folder: there is nothing to put into it."""


def new_app(role: str, settings: Settings) -> faust.App:
    """Make the Faust app of one role; its name is its consumer group.

    Whatever its agents read comes in batches (``each_batch``). Raises ``CannotStart`` with another
    Faust than the one whose insides are leaned on.
    """
    if faust.__version__ != FAUST_VERSION:
        raise CannotStart(
            f"faust-streaming {FAUST_VERSION} is needed and {faust.__version__} is installed: how"
            " records are read and acknowledged leans on the insides of that one version"
        )
    return _App(
        app_id(role, settings),
        TableManager=_Tables,
        broker=f"kafka://{','.join(settings.kafka.servers)}",
        broker_credentials=_credentials(settings.kafka),
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication,
        table_standby_replicas=0,
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_request_timeout=30.0,
        consumer_group_instance_id=_member_name(role, settings),
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=BATCH_RECORDS,
        producer_linger=0,
        # What the monitor could not write in good time it must not write later: by then another may
        # have taken over and written newer states.
        producer_request_timeout=WRITE_S if role == "monitor" else 1200.0,
        # A checkpoint is one batch where it can be; topics take 1 MiB unless told otherwise.
        producer_max_batch_size=900_000,
        producer_max_request_size=DEAD_LETTER_MAX_BYTES,
        # What the monitor sends most of is packed already.
        producer_compression_type=None if role == "monitor" else "gzip",
        # The monitor gives a partition away with nothing under way. The others may be waiting for a
        # store or a receiver that is gone; what they hold comes again.
        stream_wait_empty=role == "monitor",
        # Faust's own bound, in messages, from which on it holds back: above that of batches in
        # flight, so that only one of the two is ever at work.
        stream_buffer_maxsize=16_384,
    )


def _member_name(role: str, settings: Settings) -> str:
    """Name the worker as its group knows it: the same after a restart, another with other topics.

    To a name that it knows the group gives back the partitions that it had, whatever topics it asks
    for now: what another version reads in addition would never be read, and of one that reads less
    the client gives up in silence.
    """
    topics = {*topics_read(role, settings.topics), *own_topics(role, settings)}
    digest = zlib.crc32("\n".join(sorted(topics)).encode())
    return f"{app_id(role, settings)}-{settings.instance}-{digest:08x}"


def _credentials(access: KafkaAccess) -> Any:
    """Say the same in Faust's words; without a TLS context it would log in in the clear."""
    tls = access.tls()
    if access.security != "sasl_ssl":
        return tls
    return faust.SASLCredentials(
        username=access.user,
        password=access.password(),
        mechanism=access.mechanism,
        ssl_context=tls,
    )


def new_table(app: faust.App, name: str, settings: Settings) -> Any:
    """Make a plain table of bytes to bytes; its changelog must exist (``own_topics``)."""
    return app.Table(name, partitions=settings.partitions, key_type=bytes, value_type=bytes)


def own_topics(role: str, settings: Settings) -> dict[str, TopicSpec]:
    """List the topics that Faust needs for itself in this role."""
    tables = {"monitor": ("states",), "pager": ("told",), "board": ("rows", "pages")}
    return {
        f"{app_id(role, settings)}-{table}-changelog": TopicSpec(settings.partitions, "compact")
        for table in tables.get(role, ())
    }


def run_worker(app: faust.App, role: str, settings: Settings) -> NoReturn:
    """Run the app until it is told to stop.

    Raises ``CannotStart`` when Kafka does not let it in, or topics or rights are not right.
    """
    try:
        _check(role, settings)
    except NotLetIn as refused:
        raise CannotStart(str(refused)) from None
    worker = faust.Worker(
        app, loglevel="WARNING", quiet=True, redirect_stdouts=False, stdout=sys.stderr
    )
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_worth_reading)
    worker.spinner = None  # it writes control codes to whatever stdout is
    worker.execute_from_commandline()
    sys.exit(0)


def _check(role: str, settings: Settings) -> None:
    faults = check_topics(
        settings.kafka, settings.topics, settings.partitions, own_topics(role, settings)
    )
    if faults:
        raise CannotStart("\n".join([*faults, "run `inowatch deploy kafka` first"]))
    group = app_id(role, settings)
    with connected(settings.kafka) as cluster:
        # Faust's client would ask for ever, and say nothing.
        if not cluster.may_join(group):
            raise CannotStart(f"it may not read as group {group}: see docs/security.md")


def _worth_reading(entry: logging.LogRecord) -> bool:
    """On a new broker the first question always meets this answer, and is asked again."""
    return "GroupCoordinatorNotAvailableError" not in entry.getMessage()


async def published(sends: Iterable[Awaitable[Any]]) -> None:
    """Wait until the broker has every one of these records; a failed one raises."""
    for send in sends:
        await send


_LOG_APPEND_TIME = 1


def arrival(record: KafkaRecord, clock: Clock) -> datetime:
    """Tell the ward's time at which a record reached Kafka: the same for whoever reads it.

    A topic that keeps the producer's own time (not one that we made) is not believed to be ahead.
    """
    stamped_s = record.timestamp / 1000
    if record.timestamp_type != _LOG_APPEND_TIME:
        stamped_s = min(stamped_s, time.time())
    return clock.at(stamped_s)


def arrivals(batch: Batch, clock: Clock) -> Iterator[datetime]:
    """Tell the arrival of each record; what the broker took in together it has stamped alike."""
    stamp_ms: int | None = None
    at = datetime.min.replace(tzinfo=UTC)
    for record in batch:
        if record.timestamp != stamp_ms or record.timestamp_type != _LOG_APPEND_TIME:
            stamp_ms, at = record.timestamp, arrival(record, clock)
        yield at


Handle = Callable[[Batch], Awaitable[None]]


async def each_batch(stream: Any, handle: Handle) -> None:
    """Feed a stream to ``handle``, a fetched batch of one partition at a time, as it comes.

    A batch is acknowledged when ``handle`` returns, and only then. What escapes from ``handle``
    ends the process.
    """
    async for event in stream.events():
        # Faust acknowledges when the loop goes on, and also when the worker is stopped in the
        # middle of it. A reference of our own, given back only when all is done, prevents that.
        event.message.incref()
        await _handled(event, handle)


async def each_batch_apart(stream: Any, handle: Handle) -> None:
    """Like ``each_batch``, but partitions do not wait for one another.

    Those of one partition of one topic are handled one after the other. How many are under way is
    bounded by what the consumer hands out.
    """
    last: dict[tuple[str, int], asyncio.Task[None]] = {}
    lease = stream.app.consumer.lease

    async def after(before: asyncio.Task[None] | None, event: Any, turn: int) -> None:
        if before is not None:
            await before
        if turn == lease.turn:  # else it comes again, here or elsewhere
            await _handled(event, handle)

    async for event in stream.events():
        event.message.incref()
        place = event.value[0].topic, event.value[0].partition
        last[place] = asyncio.create_task(after(last.get(place), event, lease.turn))


async def _handled(event: Any, handle: Handle) -> None:
    consumer = event.app.consumer
    try:
        consumer.lease.not_lost()
        await handle(event.value)
    except Superseded as since:
        log.info("a batch is left: %s", since)
        consumer.leave(event.message)
        return
    except Exception:
        log.exception("a batch could not be handled")
        give_up("a batch could not be handled")
    event.ack()
