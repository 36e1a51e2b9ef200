"""A gateway fails live: its devices are in four partitions, and there is one occurrence."""

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
from schemas.stand_in import whole_unit
from streams.clock import FastClock
from streams.home import home_of
from streams.replay import replay
from streams.ward import Ward
from tests.e2e.listening import listening
from tests.e2e.product import Json, Product, eventually, product
from tests.e2e.test_pager_and_board import webhook

SPEED, PARTITIONS, BEDS, EVERY_S = 10.0, 4, 12, 10
BEGIN_S, SILENT_S, KILLED_S, BACK_S, END_S = -60, 150, 290, 480, 580
"""Of ward time, ten of which are a second here: one device in twelve goes on all the time."""


def records(zero: datetime) -> Iterator[tuple[int, Json]]:
    """Yield when, and what is sent: each device in its own second."""
    for second in range(BEGIN_S, END_S):
        for bed in range(BEDS):
            sends = bed == 0 or not SILENT_S <= second < BACK_S
            if sends and (second + bed) % EVERY_S == 0:
                yield (
                    second,
                    {
                        "type": "telemetry",
                        "time": (zero + timedelta(seconds=second)).isoformat(),
                        "device": f"d{bed}",
                        "patient": f"p{bed}",
                        "unit": "nicu",
                        "bed": str(bed),
                        "mode": "delivering",
                        "set_ppm": 20,
                    },
                )


def feed(site: Product, clock: FastClock, entries: list[tuple[int, Json]], over: Event) -> None:
    """Send the records at the ward's pace."""
    for second, record in entries:
        while clock() < clock.ward + timedelta(seconds=second):
            time.sleep(0.01)
        site.send([record])
    over.set()


Key = tuple[str, str, str, str, datetime]


def lost(alerts: list[Alert]) -> set[Key]:
    """Id, patient, phase, priority and time of what was told of silence, but for its end."""
    return {
        (a.id, a.patient, a.phase, a.priority, a.at)
        for a in alerts
        if a.rule == "telemetry-lost" and a.phase != "cleared"
    }


def by_replay(entries: list[tuple[int, Json]]) -> list[Alert]:
    """Return what the core decides over the same records in one piece."""
    lines = [msgspec.json.encode(record) for _, record in entries]
    return list(replay(lines, Ward(), lambda *why: pytest.fail(str(why))))


def test_one_gateway_is_one_page(kafka: str, tmp_path: Path) -> None:
    """Eleven beds fall silent, the monitor is killed meanwhile: one page a tier, none for a bed."""
    assert len({home_of(f"p{bed}", PARTITIONS) for bed in range(BEDS)}) == PARTITIONS
    zero = datetime.now(UTC).replace(microsecond=0)
    entries = list(records(zero))
    expected = lost(by_replay(entries))
    assert {key[1:4] for key in expected} == {
        (whole_unit("nicu"), "raised", "low"),
        (whole_unit("nicu"), "escalated", "medium"),
    }
    with listening() as receiver:
        extra = webhook(receiver, tmp_path) | {"INOWATCH_PARTITIONS": str(PARTITIONS)}
        with product(kafka, tmp_path, extra) as site:
            site.send(record for second, record in entries if second < 0)
            clock = FastClock(zero, time.time(), SPEED)
            site.env["INOWATCH_CLOCK"] = str(clock)
            site.start("monitor", "pager")
            over = Event()
            live = [entry for entry in entries if entry[0] >= 0]
            Thread(target=feed, args=(site, clock, live, over), daemon=True).start()
            while clock() < zero + timedelta(seconds=KILLED_S):
                time.sleep(0.02)
            assert {key[2] for key in lost(site.alerts())} == {"raised"}
            site.kill("monitor")
            site.start("monitor")
            assert over.wait(60)
            assert eventually(lambda: any(a.phase == "cleared" for a in site.alerts()))
            assert lost(site.alerts()) == expected
            assert eventually(lambda: len(receiver.posts) >= 3)
            time.sleep(2)  # a post too many would have come by now
            bodies = [json.loads(post.body) for post in receiver.posts]
            assert Counter((b["kind"], b["alert"]["phase"]) for b in bodies) == {
                ("trigger", "raised"): 1,
                ("trigger", "escalated"): 1,
                ("resolve", "cleared"): 1,
            }
            assert {b["alert"]["id"] for b in bodies} == {key[0] for key in expected}
            assert site.dead_letters() == []
