"""Who looked: a look at patients' records is noted before it is shown.

Promise: with INOWATCH_KAFKA the look is in Kafka when ``note_view`` returns, from where it comes to
the store and to the journal; without it, it is in the store that was read. Where neither takes it,
one line on stderr says so and the work goes on: nobody is kept from looking at night.
"""

import getpass
import os
import re
import sys
import uuid
from collections.abc import Mapping
from contextlib import closing

from schemas.encode import encode
from schemas.topics import Topics
from schemas.view import View
from streams.clock import parse_clock
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.port import PointsRefused, StoreUnavailable

SEND_S = 10.0
"""Kafka has it within so much, or it is said that it has not."""
NOBODY = "unknown"
_PSEUDONYM = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WORD_CHARACTERS = 256


class NotNoted(RuntimeError):
    """A look that nothing has taken; the message says why."""


def viewer(env: Mapping[str, str]) -> str:
    """Name who runs this process: INOWATCH_USER, or the user that the machine knows."""
    if env.get("INOWATCH_USER"):
        return env["INOWATCH_USER"]
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have a number and no name
        return NOBODY


def looked(by: str, what: str, env: Mapping[str, str], patient: str = "", unit: str = "") -> View:
    """Make the view of a look that happens now, with a name of its own.

    What is no pseudonym (``*`` for a whole unit) is left out, and long names are cut.
    """
    return View(
        time=parse_clock(env.get("INOWATCH_CLOCK", ""))(),
        id=uuid.uuid4().hex,
        by=by.strip()[:_WORD_CHARACTERS] or NOBODY,
        what=what,
        patient=patient if _PSEUDONYM.fullmatch(patient) else "",
        unit=unit[:_WORD_CHARACTERS],
    )


def note_view(
    what: str,
    *,
    patient: str = "",
    unit: str = "",
    store: str | None = None,
    env: Mapping[str, str] = os.environ,
) -> None:
    """Note that whoever runs this command looks at ``what``; ``store`` is the one it reads."""
    view = looked(viewer(env), what, env, patient, unit)
    try:
        if env.get("INOWATCH_KAFKA"):
            _send(view, env, Topics(env.get("INOWATCH_PREFIX", "ino")).views)
        else:
            _keep(view, store or env.get("INOWATCH_STORE", "sqlite:inowatch.sqlite"))
    except NotNoted as wrong:
        print(  # noqa: T201 - people read stderr
            f"this look at {what} by {view.by} could not be noted: {wrong}", file=sys.stderr
        )


def _keep(view: View, address: str) -> None:
    try:
        with closing(open_store(address, make=False)) as store:
            store.write(points_of(view))
    except (StoreUnavailable, PointsRefused, ValueError) as wrong:
        raise NotNoted(str(wrong)) from wrong


def _send(view: View, env: Mapping[str, str], topic: str) -> None:
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    from deploy.kafka.cluster import wait_for_kafka
    from deploy.kafka.refused import ClusterError
    from streams.kafka_settings import read_access

    kafka, faults = read_access(env)
    if faults:
        raise NotNoted("; ".join(faults))
    wait_ms = int(SEND_S * 1000)
    try:
        wait_for_kafka(kafka)
        producer = KafkaProducer(
            **kafka.client(),
            acks="all",
            allow_auto_create_topics=False,
            max_block_ms=wait_ms,
            request_timeout_ms=wait_ms // 2,
            delivery_timeout_ms=wait_ms,
        )
        with closing(producer):
            producer.send(topic, key=view.by.encode(), value=encode(view)).get(timeout=SEND_S)
    except (ClusterError, KafkaError) as wrong:
        raise NotNoted(str(wrong) or repr(wrong)) from wrong
