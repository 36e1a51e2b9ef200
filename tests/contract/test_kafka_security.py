"""Kafka with TLS and logins: the product works there, with just the rights that its page lists.

One broker for all of it. A role that needs more than docs/security.md says fails here.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from kafka.admin import ACLOperation, ResourceType

from deploy.kafka.access import KafkaAccess
from deploy.kafka.cluster import ClusterError, wait_for_kafka
from streams.app import ROLES
from streams.ending import EXIT_CANNOT_START
from streams.groups import app_id
from streams.kafka_settings import read_access
from streams.stores.open import open_store
from streams.watch.kafka_view import KafkaView
from tests.contract.secured import Right, Secured, secured_kafka
from tests.e2e.product import Product, eventually, journal_in, product
from tests.e2e.test_pager_and_board import board_of, high_dose

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
INPUTS = ("ino.telemetry", "ino.labs", "ino.courses", "ino.actions")
CANARY = "canary-7f3a"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Run a Kafka with doors for certificates and for logins."""
    with secured_kafka(tmp_path_factory.mktemp("secured")) as kafka:
        yield kafka


def rights_on_the_page() -> dict[str, list[Right]]:
    """Return what each user of the table needs, for the prefix ``ino``."""
    rights: dict[str, list[Right]] = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 6 or cells[1] in {"user", "---"}:
            continue
        reads, writes, groups = (re.findall(r"`([^`]+)`", cell) for cell in cells[2:5])
        reads += INPUTS if "inputs" in cells[2] else ()
        writes += INPUTS if "inputs" in cells[3] else ()
        of_group = ACLOperation.READ if cells[4].startswith("Read") else ACLOperation.DESCRIBE
        rights[cells[1]] = [
            *((ResourceType.TOPIC, name, ACLOperation.READ) for name in reads),
            *((ResourceType.TOPIC, name, ACLOperation.WRITE) for name in writes),
            *((ResourceType.GROUP, name, of_group) for name in groups),
        ]
    return rights


def let_in(secured: Secured, site: Product, user: str, rights: list[Right]) -> None:
    """Make a user for a site, who may do that there, and describe the site's topics."""
    prefix = site.topics.prefix
    here = [(kind, name.replace("ino", prefix, 1), right) for kind, name, right in rights]
    secured.add_user(f"{prefix}-{user}", f"{CANARY}-{user}")
    secured.allow(f"User:{prefix}-{user}", here)
    describe = [(ResourceType.TOPIC, prefix, ACLOperation.DESCRIBE)]
    secured.allow(f"User:{prefix}-{user}", describe, prefixed=True)


def as_user(secured: Secured, site: Product, user: str) -> None:
    """From now on the site's commands are this user's."""
    site.env |= secured.by_login(f"{site.topics.prefix}-{user}", f"{CANARY}-{user}")


def inowatch(site: Product, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the site's settings; neither stream may show a secret."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *words],
        env={**os.environ, **site.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert not {word for word in (CANARY, "Traceback") if word in done.stdout + done.stderr}
    return done


def shown(site: Product) -> set[str]:
    """Ask the board for the rules of the alerts that it shows and of which somebody was told."""
    alerts = [alert for row in board_of(site).get("rows", []) for alert in row["alerts"]]
    return {alert["rule"] for alert in alerts if alert["told"]["status"] == "told"}


def stored(site: Product, measurement: str) -> int:
    """Count what the store has of a kind."""
    with closing(open_store(site.settings.store)) as store:
        now = datetime.now(UTC)
        return len(list(store.read(measurement, now - timedelta(hours=1), now)))


def test_everybody_has_a_login_and_only_the_rights_it_needs(
    secured: Secured, tmp_path: Path
) -> None:
    """Each role and command works as a user of its own with the rights of docs/security.md."""
    rights = rights_on_the_page()
    assert rights.keys() == {*ROLES, "status", "devices", "letters"}
    extra = {"INOWATCH_TERMINAL": "1"} | journal_in(tmp_path)
    # The test itself comes by the plain door, where it may do everything.
    with product(secured.broker.bootstrap, tmp_path, extra, deploy=False) as site:
        for user, allowed in {**rights, "deploy": []}.items():
            let_in(secured, site, user, allowed)
        makes = (ACLOperation.CREATE, ACLOperation.DESCRIBE_CONFIGS)
        prefix = site.topics.prefix
        everything = [(ResourceType.TOPIC, prefix, right) for right in makes]
        secured.allow(f"User:{prefix}-deploy", everything, prefixed=True)
        as_user(secured, site, "deploy")
        assert inowatch(site, "deploy", "kafka").returncode == 0
        again = inowatch(site, "deploy", "kafka")
        assert (again.returncode, again.stderr) == (0, "")

        for role in ROLES:
            as_user(secured, site, role)
            site.start(role)
        as_user(secured, site, "devices")
        # Ward time runs ahead of the clock, so that what is sent is refused and lies as a letter.
        ahead = ("--scenario", "ward", "--beds", "1", "--speed", "1000", "--for", "2")
        sent = inowatch(site, "simulate", *ahead)
        assert sent.returncode == 0
        site.send(high_dose("one"))

        assert eventually(lambda: "set-dose-high" in shown(site))
        assert eventually(lambda: all(stored(site, kind) for kind in ("alert", "page", "health")))
        as_user(secured, site, "letters")
        letters = inowatch(site, "dead-letters", "list", "--format", "json").stdout.splitlines()
        assert json.loads(letters[0])["reason"] == "from-the-future"
        back = inowatch(site, "dead-letters", "replay", json.loads(letters[0])["place"], "--yes")
        assert "1 put back" in back.stderr
        as_user(secured, site, "status")
        assert eventually(lambda: inowatch(site, "status").stdout.splitlines()[0]) == "well"
        for role in ROLES:
            assert CANARY not in site.log_of(role)
            assert "uthorization" not in site.log_of(role)


def test_a_worker_without_its_group_does_not_start(secured: Secured, tmp_path: Path) -> None:
    """Kafka's client would wait for ever in silence; the worker names the group and ends."""
    with product(secured.broker.bootstrap, tmp_path) as site:
        group = app_id("pager", site.settings)
        site.start("pager")
        with closing(KafkaView(site.settings.kafka)) as view:
            assert eventually(lambda: view.members([group])[group])
        rights = [one for one in rights_on_the_page()["pager"] if one[0] != ResourceType.GROUP]
        describe: Right = (ResourceType.GROUP, "ino-pager", ACLOperation.DESCRIBE)
        for user, allowed in {"none": rights, "less": [*rights, describe]}.items():
            let_in(secured, site, user, allowed)
            as_user(secured, site, user)
            done = inowatch(site, "run", "pager")
            assert done.returncode == EXIT_CANNOT_START
            assert f"may not read as group {group}" in done.stderr


def test_a_certificate_is_enough(secured: Secured, tmp_path: Path) -> None:
    """Where the broker asks for a certificate a worker shows it, and watches."""
    by_certificate = secured.by_certificate()
    with product(by_certificate["INOWATCH_KAFKA"], tmp_path, by_certificate) as site:
        site.start("monitor")
        site.send(high_dose("one"))
        assert eventually(site.alerts)[0].rule == "set-dose-high"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "monitor"], EXIT_CANNOT_START),
        (["deploy", "kafka"], 1),
        (["simulate", "--for", "1"], 1),
        (["dead-letters", "list"], 1),
        (["status"], 1),
    ],
)
def test_a_refused_login_is_said(
    secured: Secured, tmp_path: Path, words: list[str], code: int
) -> None:
    """With a wrong password each command says who was refused, and never with what."""
    wrong = secured.by_login("somebody", f"{CANARY}-wrong")
    with product(wrong["INOWATCH_KAFKA"], tmp_path, wrong, deploy=False) as site:
        done = inowatch(site, *words)
    assert done.returncode == code
    assert "it refuses the login of somebody: Authentication failed" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("door", "change", "says"),
    [
        (
            "certificate",
            {"CA_FILE": "strange-ca.pem"},
            "certificate is not believed: unable to get",
        ),
        ("certificate", {"CERT_FILE": "", "KEY_FILE": ""}, "it wants a certificate"),
        (
            "certificate",
            {"CERT_FILE": "strange.pem", "KEY_FILE": "strange.key"},
            "it does not accept our certificate",
        ),
        ("another name", {}, "certificate is not valid for 'localhost'"),
        ("certificate", {"SECURITY": "", "CA_FILE": "", "CERT_FILE": "", "KEY_FILE": ""}, "TLS"),
        ("login", {"MECHANISM": "PLAIN"}, "does not take PLAIN, but SCRAM-SHA-512"),
        ("plain", {}, "TLS fails there"),
    ],
)
def test_what_does_not_fit_is_said(
    secured: Secured, door: str, change: dict[str, str], says: str
) -> None:
    """A wrong authority, certificate, mechanism or port has a sentence of its own, at once."""
    env = secured.by_login("ward", "x") if door == "login" else secured.by_certificate()
    if door == "another name":
        env["INOWATCH_KAFKA"] = env["INOWATCH_KAFKA"].replace("127.0.0.1", "localhost")
    if door == "plain":
        env["INOWATCH_KAFKA"] = secured.broker.bootstrap
    for name, value in change.items():
        file = secured.folder / value
        env[f"INOWATCH_KAFKA_{name}"] = str(file) if file.is_file() else value
    access, faults = read_access({name: value for name, value in env.items() if value})
    assert faults == []
    with pytest.raises(ClusterError, match=says):
        wait_for_kafka(access, within_s=0)


class _Greeting(BaseRequestHandler):
    """Speaks as a mail server does, unasked."""

    def handle(self) -> None:
        self.request.sendall(b"220 mail.example ready for you and for everybody else\r\n")


def test_what_is_no_kafka_is_not_taken_for_one() -> None:
    """Another server answers too, and is told from a Kafka."""
    with ThreadingTCPServer(("127.0.0.1", 0), _Greeting) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            with pytest.raises(ClusterError, match="no Kafka answers"):
                wait_for_kafka(KafkaAccess(f"127.0.0.1:{server.server_address[1]}"), within_s=0)
        finally:
            server.shutdown()
