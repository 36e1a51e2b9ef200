"""What every Faust worker of this project has in common: its settings, its start, its end.

Faust 0.15.3 decides the shape (docs/adr): raw bytes in and out, at least once, no web server,
static membership so that a killed worker is back in seconds, topics that must exist before the
start.
"""

import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NoReturn

import faust
from faust.types import EventT

from deploy.kafka.topic_spec import DEAD_LETTER_MAX_BYTES, TopicSpec
from deploy.kafka.topics import check_topics
from streams.clock import Clock
from streams.settings import Settings

log = logging.getLogger("inowatch")

FAUST_VERSION = "0.15.3"
BATCH_MAX = 2000
"""Records handled as one: at 64 KiB each at most 128 MiB, in practice well under 1 MiB."""
BATCH_WITHIN_S = 0.05
"""How long a record waits for company at most; part of every alert's delay."""
EXIT_UNRECOVERABLE = 70
EXIT_CANNOT_START = 78
"""As in sysexits.h: a configuration error. Starting again would not help."""


class CannotStart(RuntimeError):
    """A worker that would start into a wrong world: the message says what is wrong."""


class _App(faust.App):  # type: ignore[misc] # Faust ships no types
    """An app that keeps nothing on this machine's disk, and so makes no folder for it."""

    def _create_directories(self) -> None:
        pass


def new_app(role: str, settings: Settings) -> faust.App:
    """Make the Faust app of one role; its name is its consumer group."""
    if faust.__version__ != FAUST_VERSION:
        raise CannotStart(f"Faust {FAUST_VERSION} is needed, {faust.__version__} is installed")
    return _App(
        app_id(role, settings),
        broker=f"kafka://{settings.kafka}",
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
        consumer_group_instance_id=f"{app_id(role, settings)}-{settings.instance}",
        consumer_auto_offset_reset="earliest",
        producer_linger=0,
        producer_max_batch_size=262_144,
        producer_max_request_size=DEAD_LETTER_MAX_BYTES,
        producer_compression_type="gzip",
        # The monitor gives a partition away with nothing under way. The others may be waiting for a
        # store or a receiver that is gone; what they hold comes again.
        stream_wait_empty=role == "monitor",
        stream_buffer_maxsize=16_384,
    )


def new_table(app: faust.App, name: str, settings: Settings) -> Any:
    """Make a plain table of bytes to bytes; its changelog must exist (``own_topics``)."""
    return app.Table(name, partitions=settings.partitions, key_type=bytes, value_type=bytes)


def app_id(role: str, settings: Settings) -> str:
    """Name the app, and with it the consumer group and the internal topics."""
    return f"{settings.prefix}-{role}"


def own_topics(role: str, settings: Settings) -> dict[str, TopicSpec]:
    """List the topics that Faust needs for itself in this role."""
    tables = {"monitor": ("states",), "pager": ("told",), "board": ("rows", "pages")}
    return {
        f"{app_id(role, settings)}-{table}-changelog": TopicSpec(settings.partitions, "compact")
        for table in tables.get(role, ())
    }


def run_worker(app: faust.App, role: str, settings: Settings) -> NoReturn:
    """Run the app until it is told to stop. Raises ``CannotStart`` when topics are not right."""
    faults = check_topics(
        settings.kafka, settings.topics, settings.partitions, own_topics(role, settings)
    )
    if faults:
        raise CannotStart("\n".join([*faults, "run `inowatch deploy kafka` first"]))
    worker = faust.Worker(
        app, loglevel="WARNING", quiet=True, redirect_stdouts=False, stdout=sys.stderr
    )
    logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_worth_reading)
    worker.spinner = None  # it writes control codes to whatever stdout is
    worker.execute_from_commandline()
    sys.exit(0)


def _worth_reading(entry: logging.LogRecord) -> bool:
    """On a new broker the first question always meets this answer, and is asked again."""
    return "GroupCoordinatorNotAvailableError" not in entry.getMessage()


def give_up(reason: str) -> NoReturn:
    """End the process at once, nothing acknowledged.

    An exception would make Faust acknowledge what was not done; a process that is gone has its
    records delivered again to the next one.
    """
    log.critical("giving up: %s", reason)
    logging.shutdown()
    os._exit(EXIT_UNRECOVERABLE)


async def published(sends: Iterable[Awaitable[Any]]) -> None:
    """Wait until the broker has every one of these records; a failed one raises."""
    for send in sends:
        await send


Batch = Sequence[EventT]

_LOG_APPEND_TIME = 1


def arrival(message: Any, clock: Clock) -> datetime:
    """Tell the ward's time at which a record reached Kafka: the same for whoever reads it.

    A topic that keeps the producer's own time (not one that we made) is not believed to be ahead.
    """
    stamped_s = float(message.timestamp)
    if message.timestamp_type != _LOG_APPEND_TIME:
        stamped_s = min(stamped_s, time.time())
    return clock.at(stamped_s)


async def each_batch(stream: Any, handle: Callable[[Batch], Awaitable[None]]) -> None:
    """Feed a stream to ``handle`` in batches; a batch is acknowledged when ``handle`` returns.

    What escapes from ``handle`` ends the process.
    """
    async for events in stream.take_events(BATCH_MAX, within=BATCH_WITHIN_S):
        try:
            await handle(events)
        except Exception:
            log.exception("a batch could not be handled")
            give_up("a batch could not be handled")
