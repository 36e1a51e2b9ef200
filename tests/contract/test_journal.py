"""The journal over real Kafka: each record once, whatever happens to its worker and its files."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.guarded import Guarded
from schemas.anchor import Anchor
from schemas.view import View
from streams.cli import main
from streams.journal.keys import read_keys
from streams.journal.looked import note_view
from streams.journal.shelf import Shelf
from streams.stores.open import open_store
from streams.stores.points import record_of
from tests.contract.test_recorder import END, START
from tests.e2e.product import Product, eventually, journal_in, product


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Say where the journal is kept, its anchors elsewhere, and with which key."""
    return journal_in(tmp_path)


def send(site: Product, count: int, since: int = 0) -> None:
    """Send so many records to each topic that is journaled; what is in them is all the same."""
    producer = KafkaProducer(bootstrap_servers=site.settings.kafka.address, acks="all")
    names = site.topics
    for topic in (names.alerts, names.pages, names.actions, names.changes, names.views):
        for number in range(since, since + count):
            value = b'{"time":"2026-11-20T10:00:00Z","at":"2026-11-20T10:00:00Z","n":%d}' % number
            producer.send(topic, key=b"%d" % number, value=value)
    producer.flush()
    producer.close()


def in_kafka(site: Product) -> dict[str, list[str]]:
    """Read what the journaled topics hold: by chain, in the order of offsets."""
    consumer = KafkaConsumer(
        bootstrap_servers=site.settings.kafka.address, enable_auto_commit=False
    )
    names = site.topics
    topics = (names.alerts, names.pages, names.actions, names.changes, names.views)
    places = [TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t) or ()]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    found: dict[str, list[str]] = {f"{tp.topic}/{tp.partition}": [] for tp in places if ends[tp]}
    while any(consumer.position(place) < ends[place] for place in places):
        for tp, records in consumer.poll(timeout_ms=200).items():
            found[f"{tp.topic}/{tp.partition}"] += [one.value.decode() for one in records]
    consumer.close()
    return found


def journaled(site: Product) -> dict[str, list[str]]:
    """Read what the journal holds, by chain, in the order of its lines."""
    found: dict[str, list[str]] = {}
    for path in Path(site.env["INOWATCH_JOURNAL"]).glob("*-*.jsonl"):
        whole, _, _torn = path.read_bytes().rpartition(b"\n")  # it may be written just now
        for line in whole.splitlines():
            entry = json.loads(line)
            body = json.dumps(entry["body"], separators=(",", ":"))
            found.setdefault(entry["chain"], []).append(body)
    return found


def verify(site: Product, store: str) -> Result:
    """Run the command as the site is set up, with or without a store."""
    return CliRunner().invoke(main, ["audit", "verify"], env=site.env | {"INOWATCH_STORE": store})


def file_of(site: Product, chain: str) -> Path:
    """Name the file of a chain."""
    return Path(site.env["INOWATCH_JOURNAL"]) / f"{chain.replace('/', '-')}.jsonl"


def anchors(site: Product) -> list[bytes]:
    """Read the file of anchors."""
    path = Path(site.env["INOWATCH_ANCHORS"])
    return path.read_bytes().splitlines() if path.exists() else []


def views(found: Iterable[Any]) -> set[tuple[str, str]]:
    """Give who looked at what."""
    return {(view.by, view.what) for view in found if isinstance(view, View)}


def test_each_record_is_journaled_once(kafka: str, tmp_path: Path, env: dict[str, str]) -> None:
    """A worker that is killed in the midst of it, twice: each record once, the chains whole."""
    with product(kafka, tmp_path, env) as site:
        send(site, 3000)
        for _ in range(2):
            before = sum(map(len, journaled(site).values()))
            site.start("journal")
            assert eventually(lambda: sum(map(len, journaled(site).values())) > before)  # noqa: B023 - asked at once
            site.kill("journal")
            send(site, 10, since=9000)
        site.start("journal")
        wanted = in_kafka(site)
        assert eventually(lambda: journaled(site) == wanted)
        assert sum(map(len, wanted.values())) == 5 * 3020
        site.workers.pop("journal").stop()
        result = verify(site, "")
        assert result.exit_code == 0, result.output
        assert len(anchors(site)) == 3, "one at each start"


def test_what_a_file_lost_comes_back(kafka: str, tmp_path: Path, env: dict[str, str]) -> None:
    """A chain that was cut, and one that is gone, are made whole from Kafka: the same bytes."""
    with product(kafka, tmp_path, env) as site:
        send(site, 40)
        site.start("journal")
        assert eventually(lambda: journaled(site) == in_kafka(site))
        assert eventually(lambda: sum(site.committed("journal").values()) == 5 * 40)
        site.workers.pop("journal").stop()
        cut, gone = (file_of(site, f"{site.topics.alerts}/{number}") for number in (0, 1))
        whole = cut.read_bytes(), gone.read_bytes()
        cut.write_bytes(b"".join(whole[0].splitlines(keepends=True)[:5]))
        gone.unlink()
        site.start("journal")
        send(site, 40, since=40)
        assert eventually(lambda: journaled(site) == in_kafka(site)), site.log_of("journal")
        assert cut.read_bytes().startswith(whole[0])
        assert gone.read_bytes().startswith(whole[1])
        assert verify(site, "").exit_code == 0


def test_a_cut_chain_contradicts_its_anchors(
    kafka: str, tmp_path: Path, env: dict[str, str]
) -> None:
    """An anchor is in its file, on its topic and in the store: each alone shows what was cut."""
    with product(kafka, tmp_path, env) as site:
        send(site, 20)
        site.start("journal", "recorder")
        assert eventually(lambda: journaled(site) == in_kafka(site))
        site.workers.pop("journal").stop()
        site.start("journal")
        assert eventually(lambda: len(anchors(site)) == 2)
        assert eventually(lambda: sorted(site.read(site.topics.anchors)) == sorted(anchors(site)))
        site.workers.pop("journal").stop()
        store = open_store(site.settings.store)
        kept = eventually(
            lambda: found if len(found := list(store.read("anchor", START, END))) == 2 else []
        )
        store.close()
        newest = max((record_of(point) for point in kept), key=lambda one: one.number)  # type: ignore[union-attr] # asserted below
        assert isinstance(newest, Anchor)
        assert len(newest.heads) == len(in_kafka(site))
        assert verify(site, site.settings.store).exit_code == 0

        path = file_of(site, newest.heads[0].chain)
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        bad = f"entry {newest.heads[0].seq}, line {newest.heads[0].seq}, truncated"
        nowhere = f"sqlite:///{tmp_path}/empty.db"
        open_store(nowhere).close()
        by_file = verify(site, nowhere)
        assert (by_file.exit_code, bad in by_file.stdout) == (1, True)
        # The file of anchors is brought to silence as well: the store speaks.
        Path(site.env["INOWATCH_ANCHORS"]).write_bytes(anchors(site)[0] + b"\n")
        by_store = verify(site, site.settings.store)
        assert by_store.exit_code == 1
        assert bad in by_store.stdout
        assert "entry 2, line 2, truncated: the chain ends after 1" in by_store.stdout


def test_anchors_are_dropped_hour_by_hour(kafka: str, tmp_path: Path, env: dict[str, str]) -> None:
    """With an hour of half a second: one anchor on top of the other, in the file and the topic."""
    with product(kafka, tmp_path, env) as site:
        send(site, 5)
        hurried = (
            "import streams.journal.role as role; role.ANCHOR_S = 0.5; "
            "from streams.cli import main; main(['run', 'journal'])"
        )
        site.workers["journal"] = Guarded(
            [sys.executable, "-c", hurried], env={**os.environ, **site.env}
        )
        assert eventually(lambda: len(anchors(site)) > 4)
        site.workers.pop("journal").stop()
        assert len(set(site.read(site.topics.anchors)) & set(anchors(site))) > 3
        assert [json.loads(line)["number"] for line in anchors(site)][:5] == [1, 2, 3, 4, 5]
        assert verify(site, "").exit_code == 0


def test_a_disk_that_is_away_is_waited_for(kafka: str, tmp_path: Path, env: dict[str, str]) -> None:
    """What cannot be written is not acknowledged; when it can be, it is all there."""
    with product(kafka, tmp_path, env) as site:
        site.start("journal")
        assert eventually(lambda: anchors(site))
        folder = Path(site.env["INOWATCH_JOURNAL"])
        # Not by its mode: a test that runs as root may write anywhere.
        folder.rename(tmp_path / "unplugged")
        folder.write_text("a file where the folder was")
        send(site, 20)
        assert eventually(lambda: "not in the journal yet" in site.log_of("journal"))
        assert set(site.committed("journal").values()) <= {0}
        folder.unlink()
        (tmp_path / "unplugged").rename(folder)
        assert eventually(lambda: journaled(site) == in_kafka(site))
        assert "giving up" not in site.log_of("journal")


def test_a_second_journal_stays_out(env: dict[str, str]) -> None:
    """It ends with a sentence before it reads anything, and so that it is started again."""
    held = Shelf(Path(env["INOWATCH_JOURNAL"]), read_keys(Path(env["INOWATCH_JOURNAL_KEY_FILE"])))
    second = subprocess.run(
        [sys.executable, "-m", "streams.cli", "run", "journal"],
        env={**os.environ, **env, "INOWATCH_KAFKA": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    held.close()
    assert second.returncode == 70
    assert "giving up: the journal cannot be opened: another journal writes" in second.stderr


def test_who_looked_is_known(kafka: str, tmp_path: Path, env: dict[str, str]) -> None:
    """The board and a command note who looked; it comes to the store and to the journal."""
    with product(kafka, tmp_path, env) as site:
        site.start("board", "recorder", "journal")
        note_view("audit:no2", env=site.env | {"INOWATCH_USER": "quality-2"})
        assert eventually(lambda: "board at " in site.log_of("board"))
        address = site.log_of("board").partition("board at ")[2].split()[0]
        for path in ("", "static/board.css", "api/board", "healthz"):
            request = urllib.request.Request(address + path, headers={"X-Forwarded-User": "rn-3"})
            urllib.request.urlopen(request, timeout=10).close()
        urllib.request.urlopen(address, timeout=10).close()
        wanted = {("quality-2", "audit:no2"), ("rn-3", "board"), ("unknown", "board")}
        store = open_store(site.settings.store)
        assert eventually(lambda: views(map(record_of, store.read("view", START, END))) == wanted)
        store.close()
        assert len(site.read(site.topics.views)) == 3, "one look a minute"
        assert eventually(lambda: journaled(site) == in_kafka(site))
        assert verify(site, site.settings.store).exit_code == 0
