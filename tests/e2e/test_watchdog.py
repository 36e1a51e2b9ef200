"""The watchdog over real workers: what it notices, what it tells by its own way, when it is quiet.

Its limits are some seconds here in place of half a minute, by a profile of the site's own.
"""

import base64
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from deploy.free_port import free_port
from deploy.kafka.broker import Broker
from schemas.health import Health
from streams.stores.open import open_store
from streams.stores.points import record_of
from tests.contract.receiver import Receiver
from tests.e2e.listening import listening
from tests.e2e.product import Product, eventually, product
from tests.e2e.test_pager_and_board import high_dose, webhook

QUICK = """
name = "quick"
version = "1"
inherits = "default"

[monitor_blind]
age_s = { value = 10, bound = ">", source = "a test's patience" }
sink_s = { value = 8, bound = ">", source = "a test's patience" }
page_s = { value = 8, bound = ">", source = "a test's patience" }
clear_s = { value = 4, bound = ">=", source = "a test's patience" }
start_s = { value = 30, bound = ">=", source = "a test's patience" }
heartbeat_s = { value = 1, bound = ">=", source = "a test's patience" }
"""


def quick(home: Path, pulse: Receiver) -> dict[str, str]:
    """Settings of a site whose watchdog is quick, and watches monitor and pager alone.

    Its first ping to ``pulse`` says that it has seen everything well.
    """
    home.joinpath("profiles").mkdir()
    home.joinpath("profiles/quick.toml").write_text(QUICK)
    return {
        "INOWATCH_PROFILES": str(home / "profiles"),
        "INOWATCH_PROFILE": "quick",
        "INOWATCH_WATCHED": "monitor,pager",
        "INOWATCH_HEARTBEAT_URL": f"{pulse.url}/ping",
    }


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """List what the webhook was told of the monitor itself: kind and id, in order."""
    bodies: list[Any] = [json.loads(post.body) for post in receiver.posts]
    return [(b["kind"], b["alert"]["id"]) for b in bodies if b["alert"]["rule"] == "monitor-blind"]


def status(site: Product) -> tuple[int, Any]:
    """Ask ``inowatch status``."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "status", "--format", "json"],
        env={**os.environ, **site.env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout)


def is_well(site: Product) -> bool:
    """Whether ``inowatch status`` says so."""
    code, said = status(site)
    assert (code == 0) == said["well"]
    return code == 0


def has_faust(site: Product, role: str) -> bool:
    """Whether the compiled parts of Faust's Kafka client are in the process."""
    maps = psutil.Process(site.workers[role].pid_of_child).memory_maps()
    return any("aiokafka" in one.path for one in maps)


def transitions(site: Product) -> list[tuple[str, str]]:
    """List what is on record of the monitor itself."""
    return [(a.phase, a.id) for a in site.alerts() if a.rule == "monitor-blind"]


def words(site: Product) -> list[Health]:
    """List what the watchdog left in the store of how the site is, in order."""
    with closing(open_store(site.settings.store)) as store:
        points = store.read("health", datetime(2015, 1, 1, tzinfo=UTC), datetime.now(UTC))
        found = [record_of(point) for point in points]
    return sorted((one for one in found if isinstance(one, Health)), key=lambda one: one.time)


def test_a_stopped_monitor(kafka: str, tmp_path: Path) -> None:
    """A monitor that is stopped is told of once, though the watchdog dies; when it runs on, over.

    The heartbeat is silent meanwhile, ``status`` says why, and the pager leaves it alone. The store
    has it from the watchdog, by way of the recorder: well, not well and why, well again.
    """
    with listening() as receiver, listening() as pulse:
        settings = webhook(receiver, tmp_path) | quick(tmp_path, pulse)
        with product(kafka, tmp_path, settings | {"INOWATCH_TERMINAL": "1"}) as site:
            site.start("monitor", "recorder", "pager", "watchdog")
            assert eventually(lambda: pulse.posts), site.log_of("watchdog")
            assert is_well(site)
            assert eventually(lambda: [word for word in words(site) if word.well])
            assert (has_faust(site, "monitor"), has_faust(site, "watchdog")) == (True, False)
            os.kill(site.workers["monitor"].pid_of_child, signal.SIGSTOP)
            ((kind, name),) = eventually(lambda: told(receiver))
            assert kind == "trigger"
            pings = len(pulse.posts)
            code, said = status(site)
            assert code == 1
            assert any("no tick for" in fault for fault in said["faults"]), said
            assert eventually(lambda: transitions(site)) == [("raised", name)]
            ill = eventually(lambda: [w for w in words(site) if "no tick for" in "".join(w.faults)])
            assert (ill[0].watcher, ill[0].well, set(ill[0].roles), set(ill[0].sinks)) == (
                "watchdog-0",
                False,
                {"monitor", "pager"},
                {"webhook", "terminal"},
            )
            assert (ill[0].clock_s or 0) >= 10, "more than 10 s, to a tenth"
            assert eventually(lambda: [p.outcome for p in site.pages() if p.alert == name])
            site.kill("watchdog")
            before = site.log_of("watchdog").count("no tick for")
            site.start("watchdog")
            assert eventually(lambda: site.log_of("watchdog").count("no tick for") > before)
            assert len(pulse.posts) == pings
            os.kill(site.workers["monitor"].pid_of_child, signal.SIGCONT)
            assert eventually(lambda: len(told(receiver)) > 1)
            assert told(receiver) == [("trigger", name), ("resolve", name)]
            assert eventually(lambda: len(pulse.posts) > pings)
            assert eventually(lambda: len(transitions(site)) > 1)
            assert transitions(site) == [("raised", name), ("cleared", name)]
            assert eventually(lambda: is_well(site))
            assert eventually(lambda: words(site)[-1].well)

            def attempts() -> set[tuple[str, str]]:
                pages = [page for page in site.pages() if page.alert == name]
                return {(p.phase, p.outcome) for p in pages if p.reason != "told-by-watchdog"}

            assert eventually(lambda: len(attempts()) > 1)
            assert attempts() == {("raised", "delivered"), ("cleared", "delivered")}
            assert "told-by-watchdog" in {page.reason for page in site.pages()}
            assert site.log_of("watchdog").count(" raised      monitor-blind ") == 1
            assert "monitor-blind" not in site.log_of("pager")


def test_a_stopped_pager(kafka: str, tmp_path: Path) -> None:
    """A pager that is stopped while there is nothing to tell is missed by its group."""
    with listening() as receiver, listening() as pulse:
        settings = webhook(receiver, tmp_path) | quick(tmp_path, pulse)
        with product(kafka, tmp_path, settings) as site:
            site.start("monitor", "pager", "watchdog")
            assert eventually(lambda: pulse.posts), site.log_of("watchdog")
            os.kill(site.workers["pager"].pid_of_child, signal.SIGSTOP)
            ((kind, name),) = eventually(lambda: told(receiver))
            assert kind == "trigger"
            assert "no worker of the role pager" in str(receiver.posts[-1].json["text"])
            code, _ = status(site)
            assert code == 1
            os.kill(site.workers["pager"].pid_of_child, signal.SIGCONT)
            assert eventually(lambda: len(told(receiver)) > 1)
            assert told(receiver) == [("trigger", name), ("resolve", name)]
            assert eventually(lambda: is_well(site))


def test_a_receiver_that_is_away(kafka: str, tmp_path: Path) -> None:
    """A receiver that takes nothing is told of by the other one, until it takes pages again."""
    key = tmp_path / "key"
    key.write_text("k" * 32)
    key.chmod(0o600)
    port = free_port()
    secret = tmp_path / "secret"
    secret.write_text(base64.b64encode(bytes(32)).decode())
    secret.chmod(0o600)
    with listening() as pagerduty, listening() as pulse:
        settings = quick(tmp_path, pulse) | {
            "INOWATCH_PAGERDUTY_KEY_FILE": str(key),
            "INOWATCH_PAGERDUTY_URL": pagerduty.url,
            "INOWATCH_WEBHOOK_URL": f"http://127.0.0.1:{port}/hook",
            "INOWATCH_WEBHOOK_SECRET_FILE": str(secret),
        }

        def blind() -> list[tuple[str, str]]:
            bodies = [post.json for post in pagerduty.posts]
            raised: list[Any] = [
                b["dedup_key"] for b in bodies if "blind" in str(b.get("payload", ""))
            ]
            return [
                (str(b["event_action"]), str(b["dedup_key"]))
                for b in bodies
                if b["dedup_key"] in raised
            ]

        with product(kafka, tmp_path, settings) as site:
            site.start("monitor", "pager", "watchdog")
            assert eventually(lambda: pulse.posts), site.log_of("watchdog")
            site.send(high_dose("one"))
            ((kind, name),) = eventually(blind)
            assert kind == "trigger"
            code, said = status(site)
            assert code == 1
            assert any("webhook has taken nothing" in fault for fault in said["faults"]), said
            with listening(port=port) as hook:
                assert eventually(lambda: len(told(hook)) > 1)
                assert told(hook) == [("trigger", name), ("resolve", name)]
                assert eventually(lambda: len(blind()) > 1)
                assert blind() == [("trigger", name), ("resolve", name)]
                assert is_well(site)


def test_kafka_is_gone(tmp_path: Path) -> None:
    """Without Kafka the watchdog tells all the same, and puts it on record when Kafka is back."""
    with listening() as receiver, listening() as pulse, Broker() as broker:
        settings = webhook(receiver, tmp_path) | quick(tmp_path, pulse)
        with product(broker.bootstrap, tmp_path, settings) as site:
            site.start("monitor", "pager", "watchdog")
            assert eventually(lambda: pulse.posts), site.log_of("watchdog")
            broker.kill()
            ((kind, name),) = eventually(lambda: told(receiver))
            assert kind == "trigger"
            text = receiver.posts[-1].json["text"]
            assert "Kafka has not answered" in str(text)
            code, said = status(site)
            assert (code, len(said["faults"])) == (1, 1)
            broker.start()
            for role in ("monitor", "pager"):
                if site.workers[role].poll() is not None:
                    site.start(role)
            assert eventually(lambda: len(told(receiver)) > 1)
            assert told(receiver) == [("trigger", name), ("resolve", name)]
            assert eventually(lambda: len(transitions(site)) > 1)
            assert transitions(site) == [("raised", name), ("cleared", name)]
