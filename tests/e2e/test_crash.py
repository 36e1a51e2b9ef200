"""A monitor killed in the middle: nothing missing, nothing told twice, back within seconds."""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from schemas.alert import Alert
from streams.clock import FastClock
from streams.replay import replay, replay_until
from streams.stores.open import open_store
from streams.stores.points import record_of
from streams.ward import Ward
from tests.e2e.listening import listening
from tests.e2e.product import Json, Product, eventually, product

SPEED = 60.0
MINUTE = timedelta(minutes=1)
"""Of ward time; a second of wall time."""
KILLED, BACK, END = 14 * MINUTE, 22 * MINUTE, 38 * MINUTE
HOUR = timedelta(hours=1)


class Bed:
    """A patient's timeline: how long on therapy at the start, and what is set from when on."""

    def __init__(self, patient: str, started: timedelta, *changes: tuple[timedelta, Json]) -> None:
        self.patient = patient
        self.started = started
        self.changes = [(-started, {"mode": "delivering", "set_ppm": 20.0}), *changes]

    def samples(self, zero: datetime) -> Iterator[tuple[timedelta, Json]]:
        """Yield when, and what: once a minute before ``zero``, six times a minute from then on."""
        at = -self.started
        while at <= END:
            fields = next(fields for since, fields in reversed(self.changes) if since <= at)
            if fields:
                yield at, self._sample(zero + at, fields)
            at += MINUTE if at < timedelta() else MINUTE / 6

    def _sample(self, time_: datetime, fields: Json) -> Json:
        return {
            "type": "telemetry",
            "time": time_.isoformat(),
            "device": f"device-{self.patient}",
            "patient": self.patient,
            "unit": "nicu",
            "bed": self.patient,
            **fields,
        }


OFF: Json = {"mode": "off"}
HIGH: Json = {"mode": "delivering", "set_ppm": 45.0}
SAME: Json = {"mode": "delivering", "set_ppm": 20.0}
BEDS = (
    # Its 8 h deadline falls while the monitor is down.
    Bed("overdue", 8 * HOUR - 18 * MINUTE),
    Bed("before", HOUR, (9 * MINUTE, HIGH), (11 * MINUTE, SAME)),
    Bed("during", HOUR, (16 * MINUTE, HIGH), (30 * MINUTE, SAME)),
    Bed("across", HOUR, (12 * MINUTE, HIGH), (26 * MINUTE, SAME)),
    Bed("after", HOUR, (31 * MINUTE, HIGH)),
    Bed("stopped", 5 * HOUR, (17 * MINUTE, OFF)),
    Bed("silent", 5 * HOUR, (25 * MINUTE, {})),
    Bed("fourteen", 336 * HOUR - 10 * MINUTE),
)


def test_the_monitor_is_killed(kafka: str, tmp_path: Path) -> None:
    """kill -9 and restart: every alert, once in effect, with its own time, within 10 s."""
    zero = datetime.now(UTC).replace(microsecond=0)
    records = sorted(
        (entry for bed in BEDS for entry in bed.samples(zero)), key=lambda entry: entry[0]
    )
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())
    secret.chmod(0o600)
    with listening() as receiver:
        extra = {
            "INOWATCH_WEBHOOK_URL": f"{receiver.url}/hook",
            "INOWATCH_WEBHOOK_SECRET_FILE": str(secret),
        }
        with product(kafka, tmp_path, extra) as site:
            site.send(record for at, record in records if at < timedelta())
            clock = FastClock(zero, time.time(), SPEED)
            site.env["INOWATCH_CLOCK"] = str(clock)
            _live(site, clock, zero, [entry for entry in records if entry[0] >= timedelta()])
            expected = _oracle(zero, [record for _, record in records])
            end = zero + END
            eventually(lambda: not expected - _transitions(site.alerts(), end))
            assert _transitions(site.alerts(), end) == expected
            paged = {key for key in expected if key[3] != "info"}
            wanted = Counter((key[5], key[1], key[3]) for key in paged)
            eventually(lambda: (_posts(receiver.posts, end) + _old(site, end)) >= wanted)
            assert eventually(lambda: _stored(site, end) == Counter(key[:3] for key in expected))
            time.sleep(3)  # a post too many would have come by now
            # On a slow machine something may be over, and old, before it can be told.
            assert _posts(receiver.posts, end) + _old(site, end) == wanted


def _live(
    site: Product, clock: FastClock, zero: datetime, records: list[tuple[timedelta, Json]]
) -> None:
    """Feed the live records at the ward's pace; kill the monitor and bring it back meanwhile."""
    over = Event()

    def feed() -> None:
        for at, record in records:
            while clock() < zero + at:
                time.sleep(0.01)
            site.send([record])
        over.set()

    site.start("monitor", "recorder", "pager")
    feeder = Thread(target=feed, daemon=True)
    feeder.start()
    _until(clock, zero + KILLED)
    assert site.alerts(), "the monitor has decided something before it is killed"
    site.kill("monitor")
    before = len(site.alerts())
    _until(clock, zero + BACK)
    assert len(site.alerts()) == before
    site.start("monitor")
    assert eventually(lambda: len(site.alerts()) > before, within_s=10)
    assert over.wait(60)


def _until(clock: FastClock, ward_time: datetime) -> None:
    while clock() < ward_time:
        time.sleep(0.02)


Key = tuple[str, str, str, str, datetime, str]


def _transitions(alerts: list[Alert], end: datetime) -> set[Key]:
    """Rule, phase, bed, priority, time and id; what was published twice alike counts once.

    After the end everybody is silent, which is not what this test is about.
    """
    return {(a.rule, a.phase, a.bed, a.priority, a.at, a.id) for a in alerts if a.at <= end}


def _oracle(zero: datetime, records: list[Json]) -> set[Key]:
    """What the core decides over the whole log, in one piece and without a crash."""
    ward = Ward()
    lines = [msgspec.json.encode(record) for record in records]
    told = list(replay(lines, ward, lambda *why: pytest.fail(str(why))))
    told += replay_until(ward, zero + END)
    return _transitions(told, zero + END)


def _posts(posts: list[object], end: datetime) -> Counter[tuple[str, str, str]]:
    """Count the posts by alert id, phase and priority."""
    bodies = [json.loads(post.body)["alert"] for post in posts]  # type: ignore[attr-defined] # Post
    return Counter(
        (body["id"], body["phase"], body["priority"])
        for body in bodies
        if datetime.fromisoformat(body["at"]) <= end
    )


def _old(site: Product, end: datetime) -> Counter[tuple[str, str, str]]:
    """Count what was withheld because it was over, and old, before it could be told."""
    old = (page for page in site.pages() if page.reason == "over-and-old" and page.at <= end)
    return Counter({(page.alert, page.phase, page.priority) for page in old})


def _stored(site: Product, end: datetime) -> Counter[tuple[str, str, str]]:
    store = open_store(site.settings.store)
    start, stop = datetime(2015, 1, 1, tzinfo=UTC), end + timedelta(microseconds=1)
    found = [record_of(point) for point in store.read("alert", start, stop)]
    store.close()
    return Counter((a.rule, a.phase, a.bed) for a in found if isinstance(a, Alert))
