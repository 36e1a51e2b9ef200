"""The recorder over every store: everything that travels is kept, once."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from deploy.influxdb.server import InfluxServer
from deploy.secret_files import SecretFolder
from schemas.rejected import DeadLetter
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of
from streams.stores.open import open_store
from streams.stores.points import record_of
from streams.stores.port import Point, Store
from tests.e2e.listening import listening
from tests.e2e.product import Json, eventually, product, renamed
from tests.e2e.test_pager_and_board import high_dose, posts, webhook

SCENARIOS = Path(__file__).parents[1] / "scenarios"
START, END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def records() -> list[Json]:
    """Everything a site sends: samples, a result, an order, and what a person did."""
    scenario = read_scenario(SCENARIOS / "stop-planned.yaml")
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
    found = list(records_of(msgspec.structs.replace(scenario, start=start, every="5 min")))
    extra = read_scenario(SCENARIOS / "methb-withdrawn.yaml")
    labs = records_of(msgspec.structs.replace(extra, start=start, every="1 h"))
    found += [renamed(record, "lab") for record in labs if record["type"] == "lab"]
    context = read_scenario(SCENARIOS / "dose-high-ordered.yaml")
    orders = records_of(msgspec.structs.replace(context, start=start, every="10 min"))
    return found + [renamed(record, "order") for record in orders if record["type"] == "course"]


def kept(store: Store) -> dict[str, int]:
    """Count what is in the store; every point must give its record back."""
    names = ("telemetry", "lab", "course", "action", "alert", "page")
    return {name: len([record_of(p) for p in store.read(name, START, END)]) for name in names}


def test_everything_is_kept_once(kafka: str, tmp_path: Path, store_url: str) -> None:
    """Inputs, alerts and pages are in the store, also after a crash in the middle, once each."""
    sent = records()
    with product(kafka, tmp_path, {"INOWATCH_STORE": store_url}) as site:
        store = open_store(store_url)
        site.send(sent[: len(sent) // 2])
        site.start("monitor", "recorder", "pager")
        assert eventually(lambda: kept(store)["telemetry"] > 0)
        site.kill("recorder")
        site.send(sent[len(sent) // 2 :])
        site.start("recorder")
        wanted = {
            kind: sum(record["type"] == kind for record in sent)
            for kind in ("telemetry", "lab", "course", "action")
        }

        def complete() -> bool:
            # One may escalate twice.
            alerts = {(alert.id, alert.phase, alert.at) for alert in site.alerts()}
            expected = wanted | {"alert": len(alerts), "page": len(site.pages())}
            return bool(alerts) and kept(store) == expected

        assert eventually(complete), (kept(store), wanted)

        def acknowledged() -> bool:
            read = [at for (topic, _), at in site.committed("recorder").items() if topic == samples]
            return sum(read) >= wanted["telemetry"]

        samples = site.topics.telemetry
        assert eventually(acknowledged), site.committed("recorder")
        store.close()


def test_a_locked_store_is_waited_for(kafka: str, tmp_path: Path) -> None:
    """While another process holds the embedded store nothing is lost; afterwards all is there."""
    sent = [record for record in records() if record["type"] == "telemetry"]
    path = tmp_path / "store.sqlite"
    with product(kafka, tmp_path) as site:
        store = open_store(site.settings.store)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        site.send(sent)
        site.start("recorder")
        assert eventually(lambda: "not written yet" in site.log_of("recorder"))
        holder.execute("ROLLBACK")
        holder.close()
        assert eventually(lambda: kept(store)["telemetry"] == len(sent))
        store.close()


def test_what_the_store_refuses_is_a_dead_letter(
    kafka: str, tmp_path: Path, store_url: str
) -> None:
    """A record that the store will never take is a dead letter with its bytes; the rest is kept."""
    found = records()
    sent = [record for record in found if record["type"] in {"telemetry", "lab"}]
    store = open_store(store_url)
    # As an older version might have left it: a number where there is a word now. InfluxDB holds a
    # field's kind by the week.
    weeks = [datetime.now(UTC) - timedelta(hours=hours) for hours in (0, 12)]
    store.write([Point("telemetry", {}, {"mode": 1.0}, week) for week in weeks])
    with product(kafka, tmp_path, {"INOWATCH_STORE": store_url}) as site:
        site.send(sent)
        site.start("recorder")
        samples = [record for record in sent if record["type"] == "telemetry"]
        letters = eventually(lambda: whole(site.dead_letters(), len(samples)))
        assert {letter.reason for letter in letters} == {"refused-by-store"}
        assert all("conflict" in letter.detail for letter in letters)
        values = sorted(letter.value or b"" for letter in letters)
        assert values == sorted(msgspec.json.encode(record) for record in samples)
        labs = len(sent) - len(samples)
        assert eventually(lambda: len(list(store.read("lab", START, END))) == labs)
        kept_letters = eventually(
            lambda: len(list(store.read("dead_letter", START, END))) == len(letters)
        )
        assert kept_letters
        assert "giving up" not in site.log_of("recorder")
    store.close()


def test_paging_does_not_wait_for_the_store(kafka: str, tmp_path: Path, influxd: Path) -> None:
    """With InfluxDB killed an alert is paged as ever; when it is back nothing is missing."""
    with listening() as receiver, InfluxServer(program=influxd) as server:
        SecretFolder(tmp_path).write("token", server.token)
        host = server.url.removeprefix("http://")
        store_url = f"influxdb://{host}/{server.org}/{server.bucket}?token-file={tmp_path}/token"
        server.kill()
        extra = {"INOWATCH_STORE": store_url} | webhook(receiver, tmp_path)
        sent = [*high_dose("one"), *high_dose("two")]
        with product(kafka, tmp_path, extra) as site:
            site.start("monitor", "recorder", "pager")
            site.send(sent)
            assert eventually(lambda: "not written yet" in site.log_of("recorder"))
            assert eventually(lambda: posts(receiver).total() == 2)
            assert "are written" not in site.log_of("recorder")
            server.start()
            store = open_store(store_url)
            wanted = {"telemetry": len(sent), "alert": 2, "page": 2}
            assert eventually(lambda: {name: kept(store)[name] for name in wanted} == wanted), kept(
                store
            )
            store.close()
            assert site.dead_letters() == []


def whole(found: list[DeadLetter], count: int) -> list[DeadLetter]:
    """Give what was found once it is all there."""
    return found if len(found) >= count else []
