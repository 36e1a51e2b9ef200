"""Dead letters on a real Kafka: what a producer typed is listed, shown and put back as it came."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.free_port import free_port
from deploy.kafka.access import KafkaAccess
from deploy.kafka.broker import Broker
from deploy.kafka.topics import ensure_topics
from schemas.alert import Alert
from schemas.rejected import MOST_KEPT_BYTES, DeadLetter
from schemas.topics import Topics
from tests.e2e.product import Json, Product, eventually, product
from tests.e2e.test_real_input import ANY_TIME, RUBBISH, console

BYTES = b'{"time": \xff\xfe\x00}'
GOOD = {"device": "d", "patient": "baby.7", "unit": "u", "bed": "7", "mode": "off"}


def inowatch(
    site: Product, *words: str, answer: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `inowatch dead-letters` for the site; ``answer`` is what the person types."""
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "dead-letters", *words],
        env={**os.environ, **site.env},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def listed(site: Product, *words: str) -> list[Json]:
    """List letters as a machine does."""
    done = inowatch(site, "list", "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def records(site: Product, topic: str) -> list[tuple[int, bytes | None, bytes | None]]:
    """Return partition, key and value of all that lies on a topic, ticks left out."""
    consumer = KafkaConsumer(**site.settings.kafka.client(), enable_auto_commit=False)
    try:
        numbers = consumer.partitions_for_topic(topic) or set()
        places = [TopicPartition(topic, number) for number in numbers]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found = []
        while any(consumer.position(place) < ends[place] for place in places):
            for several in consumer.poll(timeout_ms=200).values():
                found += [(one.partition, one.key, one.value) for one in several]
        return [one for one in found if b'"tick"' not in (one[2] or b"")]
    finally:
        consumer.close()


def write(site: Product, topic: str, *sent: tuple[bytes | None, bytes | None]) -> None:
    """Send bytes as they are."""
    producer = KafkaProducer(
        **site.settings.kafka.client(),
        acks="all",
        max_request_size=16 * 1024 * 1024,
        compression_type="gzip",
    )
    for key, value in sent:
        producer.send(topic, key=key, value=value, partition=0 if key is None else None)
    producer.close()


def letter(**changes: object) -> bytes:
    """Write a dead letter as the monitor does."""
    made = DeadLetter(
        time=datetime.now(UTC),
        topic="",
        partition=0,
        offset=7,
        reason="not-json",
        detail="a test",
        key=b"baby.7",
        value=b"x",
    )
    return msgspec.json.encode(msgspec.structs.replace(made, **changes))


@pytest.fixture(scope="module")
def ward(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Run a site whose monitor has refused each kind of rubbish, and bytes that are no text."""
    with product(kafka, tmp_path_factory.mktemp("ward")) as site:
        site.start("monitor")
        console(site, [line % ANY_TIME if "%s" in line else line for line in RUBBISH.values()])
        write(site, site.topics.labs, (b"baby.7", BYTES))
        eventually(lambda: len(site.dead_letters()) == len(RUBBISH) + 1)
        yield site


@pytest.fixture
def desk(kafka: str, tmp_path: Path) -> Iterator[Product]:
    """Make a site without a worker: its dead letters are those that the test writes."""
    with product(kafka, tmp_path) as site:
        yield site


def test_everything_refused_is_listed(ward: Product) -> None:
    """Each kind of rubbish is a line with its place, origin, reason and size, and is counted."""
    letters = listed(ward)
    assert Counter(one["reason"] for one in letters) == Counter([*RUBBISH, "not-utf8"])
    assert {one["topic"] for one in letters} == {ward.topics.telemetry, ward.topics.labs}
    typed = {
        reason: (line % ANY_TIME if "%s" in line else line).partition("|")[2]
        for reason, line in RUBBISH.items()
    }
    for one in letters:
        if one["reason"] in typed:
            assert one["value_bytes"] == len(typed[one["reason"]].encode())
    table = inowatch(ward, "list")
    assert table.returncode == 0
    for one in letters:
        (row,) = [line for line in table.stdout.splitlines() if line.startswith(f"{one['place']} ")]
        assert one["reason"] in row
        assert f"{one['topic']}/{one['partition']}:{one['offset']}" in row
    assert f"{len(letters)} dead letters" in table.stdout
    assert "         1  not-json" in table.stdout


def test_a_list_is_narrowed(ward: Product) -> None:
    """By reason, by topic of origin and by time of refusal; the end of a span is not in it."""
    letters = listed(ward)
    assert [one["reason"] for one in listed(ward, "--reason", "not-json")] == ["not-json"]
    assert [one["reason"] for one in listed(ward, "--topic", ward.topics.labs)] == ["not-utf8"]
    times = sorted(datetime.fromisoformat(one["time"]) for one in letters)
    later = (times[-1] + timedelta(seconds=1)).isoformat()
    assert listed(ward, "--from", times[0].isoformat(), "--to", later) == letters
    assert listed(ward, "--to", times[0].isoformat()) == []
    assert listed(ward, "--from", later) == []
    none = inowatch(ward, "list", "--reason", "bad-gestational-age")
    assert (none.returncode, "0 dead letters" in none.stdout) == (0, True)


def test_a_letter_is_shown_whole(ward: Product) -> None:
    """Reason, detail and origin, and the value: laid out as JSON, as text, or in hexadecimal."""
    place = {one["reason"]: one["place"] for one in listed(ward)}
    shown = {reason: inowatch(ward, "show", place[reason]) for reason in place}
    assert {done.returncode for done in shown.values()} == {0}
    assert '  "set_ppm": 2000' in shown["out-of-range"].stdout.splitlines()
    assert shown["not-json"].stdout.splitlines()[-1] == "this is no JSON"
    assert shown["not-utf8"].stdout.splitlines()[-1] == BYTES.hex(" ")
    assert "2000" in shown["out-of-range"].stdout
    assert "`$.set_ppm`" in shown["out-of-range"].stdout


def test_a_place_where_no_letter_lies(ward: Product) -> None:
    """A place that is not there is a failure in words, and what is no place is wrong use."""
    gone = inowatch(ward, "show", "0:999999")
    assert gone.returncode == 1
    assert "there is no dead letter 0:999999" in gone.stderr
    assert "holds 0:0 to" in gone.stderr
    assert inowatch(ward, "show", "77:0").returncode == 1
    wrong = inowatch(ward, "show", "newest")
    assert (wrong.returncode, "PARTITION:OFFSET" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    "words", [[], ["--all", "--reason", "not-json"], ["0:0", "--all"], ["--reason", "bad-mood"]]
)
def test_what_goes_back_is_named_once(ward: Product, words: list[str]) -> None:
    """Without a selection, or with two, nothing is done and it is wrong use."""
    before = len(ward.dead_letters())
    done = inowatch(ward, "replay", *words, "--yes")
    assert done.returncode == 2
    assert len(ward.dead_letters()) == before


def test_a_dry_run_changes_nothing(ward: Product) -> None:
    """It asks the front door as it stands now, says what would be, and sends nothing."""
    before = (len(ward.dead_letters()), records(ward, ward.topics.telemetry))
    done = inowatch(ward, "replay", "--all", "--dry-run")
    assert done.returncode == 0
    assert done.stdout == ""
    for one in listed(ward):
        assert f"{one['place']} would be refused again: {one['reason']}" in done.stderr
    assert "nothing was done" in done.stderr
    assert (len(ward.dead_letters()), records(ward, ward.topics.telemetry)) == before


def test_nothing_is_put_back_without_a_word(desk: Product) -> None:
    """Only a yes puts anything back; a no, or nobody there to ask, is a failure."""
    write(desk, desk.topics.dead_letters, (b"k", letter(topic=desk.topics.telemetry)))
    for answer in ("n\n", ""):
        done = inowatch(desk, "replay", "--all", answer=answer)
        assert done.returncode == 1
        assert "Put back 1?" in done.stderr
        assert records(desk, desk.topics.telemetry) == []
    done = inowatch(desk, "replay", "--all", answer="y\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert [value for _, _, value in records(desk, desk.topics.telemetry)] == [b"x"]


def test_a_record_goes_back_as_it_came(desk: Product) -> None:
    """Key and bytes are the same, whatever they are; it lies where Kafka's partitioner puts it."""
    keys = [b"baby.7", b"\xff\x00", b"", b"k" * 999, *(f"p{n}".encode() for n in range(9))]
    values = [BYTES, b"", None, b"z" * 500_000, *(f'{{"n":{n}}}'.encode() for n in range(9))]
    sent = list(zip(keys, values, strict=True))
    write(desk, desk.topics.telemetry, *sent)
    first = records(desk, desk.topics.telemetry)
    write(
        desk,
        desk.topics.dead_letters,
        *((k, letter(topic=desk.topics.telemetry, key=k, value=v)) for k, v in sent),
    )
    done = inowatch(desk, "replay", "--all", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is back as") == len(sent)
    assert f"{len(sent)} put back, 0 not" in done.stderr
    assert "harmless" in done.stderr
    assert Counter(records(desk, desk.topics.telemetry)) == Counter(first * 2)


def test_the_ones_that_are_named_go_back(desk: Product) -> None:
    """Places or a reason choose; a record without a key goes to the partition that it was in."""
    to = desk.topics.courses
    write(
        desk,
        desk.topics.dead_letters,
        (None, letter(topic=to, key=None, value=b"a", partition=1)),
        (None, letter(topic=to, key=None, value=b"b", reason="bad-time")),
        (None, letter(topic=to, key=None, value=b"c")),
    )
    done = inowatch(desk, "replay", "0:2", "0:0", "0:2", "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(records(desk, to)) == [(0, None, b"c"), (1, None, b"a")]
    assert inowatch(desk, "replay", "--reason", "bad-time", "--yes").returncode == 0
    assert sorted(records(desk, to)) == [(0, None, b"b"), (0, None, b"c"), (1, None, b"a")]
    none = inowatch(desk, "replay", "--reason", "too-large", "--yes")
    assert (none.returncode, "0 can be put back" in none.stderr) == (0, True)


def test_what_cannot_go_back_stays(desk: Product) -> None:
    """What was cut, and what came from an output topic, stays with its reason; the rest goes."""
    write(
        desk,
        desk.topics.dead_letters,
        (b"k", letter(topic=desk.topics.telemetry, value=b"x" * MOST_KEPT_BYTES)),
        (b"k", letter(topic=desk.topics.alerts, reason="unreadable-output")),
        (b"k", letter(topic=desk.topics.labs, value=b"good")),
        (b"k", b"no dead letter"),
    )
    done = inowatch(desk, "replay", "--all", "--yes")
    assert done.returncode == 1
    assert "1 put back, 2 not" in done.stderr
    assert "bytes of its value were kept" in done.stderr
    assert f"{desk.topics.alerts} is no input of this site" in done.stderr
    assert "1 records there are no dead letters" in done.stderr
    assert [value for _, _, value in records(desk, desk.topics.labs)] == [b"good"]
    assert records(desk, desk.topics.telemetry) == []
    assert records(desk, desk.topics.alerts) == []
    assert listed(desk)[0]["value_bytes"] == MOST_KEPT_BYTES


def test_a_record_that_the_broker_refuses_is_told(desk: Product) -> None:
    """A record too large for its topic stays, with Kafka's own word, and stops no other."""
    huge = os.urandom(2 * 1024 * 1024)
    write(
        desk,
        desk.topics.dead_letters,
        (b"k", letter(topic=desk.topics.labs, value=huge, reason="too-large")),
        (b"k", letter(topic=desk.topics.labs, value=b"good")),
    )
    done = inowatch(desk, "replay", "--all", "--yes")
    assert done.returncode == 1
    assert "MessageSizeTooLarge" in done.stderr
    assert "1 put back, 1 not" in done.stderr
    assert [value for _, _, value in records(desk, desk.topics.labs)] == [b"good"]


def test_put_back_it_is_judged_once(desk: Product) -> None:
    """A record refused in the wrong partition is taken when put back, and twice is as once."""
    start = datetime.now(UTC) - timedelta(seconds=100)
    stray = [
        json.dumps(
            GOOD
            | {"mode": "delivering", "set_ppm": 25 if second > 20 else 20}
            | {"time": (start + timedelta(seconds=second)).isoformat()}
        ).encode()
        for second in range(0, 100, 5)
    ]
    desk.start("monitor")
    write(desk, desk.topics.courses, (b"baby.7", b"{}"))
    (home,) = [part for part, _, _ in records(desk, desk.topics.courses)]
    producer = KafkaProducer(**desk.settings.kafka.client(), acks="all")
    for value in stray:
        producer.send(desk.topics.telemetry, key=b"baby.7", value=value, partition=1 - home)
    producer.close()
    eventually(lambda: len(desk.dead_letters()) == len(stray) + 1)
    dry = inowatch(desk, "replay", "--reason", "wrong-partition", "--dry-run")
    assert dry.stderr.count("would be taken by") == len(stray)
    for _ in range(2):
        done = inowatch(desk, "replay", "--reason", "wrong-partition", "--yes")
        assert done.returncode == 0, done.stderr
        raised = eventually(lambda: judged(desk))
        assert [(a.rule, a.phase, a.patient) for a in raised] == [
            ("set-dose-high", "raised", "baby.7")
        ]
    at_end = len(records(desk, desk.topics.telemetry))
    assert at_end == 3 * len(stray)
    # A record behind all of them, so that they are known to have been judged.
    write(desk, desk.topics.telemetry, (b"baby.7", b"the last"))
    eventually(lambda: "the last" in str([one.value for one in desk.dead_letters()]))
    assert len(judged(desk)) == 1
    assert len(desk.dead_letters()) == len(stray) + 2


def judged(desk: Product) -> list[Alert]:
    """What was said of the therapy; that so many records were refused is an alert of its own."""
    return [alert for alert in desk.alerts() if alert.rule != "data-rejected"]


def test_many_letters_are_read_with_a_bar(desk: Product) -> None:
    """A long list shows how far it is on stderr, holds every letter, and stdout stays JSON."""
    producer = KafkaProducer(**desk.settings.kafka.client(), acks="all", linger_ms=20)
    raw = letter(topic=desk.topics.labs)
    for _ in range(20_001):
        producer.send(desk.topics.dead_letters, value=raw, key=os.urandom(2))
    producer.close()
    done = inowatch(desk, "list", "--format", "json")
    assert done.returncode == 0
    places = {json.loads(line)["place"] for line in done.stdout.splitlines()}
    assert len(places) == 20_001
    assert "dead letters" in done.stderr
    assert "20001  not-json" in done.stderr


def test_letters_that_arrive_meanwhile_do_not_matter(desk: Product) -> None:
    """A reading ends where the topic ended when it began, however fast letters arrive."""
    from streams.letters.topic import opened

    raw = letter(topic=desk.topics.labs)
    write(desk, desk.topics.dead_letters, *[(b"k", raw)] * 3)
    with opened(desk.settings.kafka, desk.topics.dead_letters) as topic:
        seen = []
        for found in topic.read():
            seen.append(found)
            write(desk, desk.topics.dead_letters, (b"k", raw))
        assert len(seen) == 3
        assert len(list(topic.read())) == 3
    assert len(listed(desk)) == 6


def test_without_a_kafka(desk: Product) -> None:
    """Where nothing answers, where no such topic is and where no address is set: in words."""
    desk.env["INOWATCH_KAFKA"] = f"127.0.0.1:{free_port()}"
    away = inowatch(desk, "list")
    assert (away.returncode, "no Kafka answers at" in away.stderr) == (1, True)
    assert "Traceback" not in away.stderr
    desk.env["INOWATCH_KAFKA"] = desk.settings.kafka.address
    desk.env["INOWATCH_PREFIX"] = "nobodys"
    none = inowatch(desk, "list")
    assert (none.returncode, "there is no topic nobodys.dead-letters" in none.stderr) == (1, True)
    desk.env["INOWATCH_KAFKA"] = ""
    unset = inowatch(desk, "list")
    assert (unset.returncode, "INOWATCH_KAFKA" in unset.stderr) == (2, True)


def test_a_kafka_that_goes_away(tmp_path: Path) -> None:
    """A reading that Kafka breaks off is a failure in words, not half a list that looks whole."""
    impatient = "from streams.letters import topic; topic.PATIENCE_S = 2.0; import streams.cli as c"
    count = 20_000
    with Broker() as broker:
        names = Topics("gone")
        ensure_topics(KafkaAccess(broker.bootstrap), names, 1, 1)
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", linger_ms=20)
        for _ in range(count):
            producer.send(names.dead_letters, letter(topic=names.labs))
        producer.close()
        # What it writes fills the pipe, so it is in the middle for as long as nobody reads on.
        with (
            (tmp_path / "said").open("wb") as said,
            subprocess.Popen(
                [sys.executable, "-c", f"{impatient}; c.main()", "dead-letters", "list"],
                env={**os.environ, "INOWATCH_KAFKA": broker.bootstrap, "INOWATCH_PREFIX": "gone"},
                stdout=subprocess.PIPE,
                stderr=said,
            ) as command,
        ):
            assert command.stdout is not None
            assert b"place" in command.stdout.readline()
            assert b"not-json" in command.stdout.readline()
            broker.kill()
            rows = command.stdout.read().count(b"not-json")
        assert command.returncode == 1
        assert rows < count - 1
        assert "Kafka sent nothing of gone.dead-letters for 2 s" in (tmp_path / "said").read_text()
