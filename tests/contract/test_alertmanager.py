"""The Alertmanager sink on a real Alertmanager, and what a receiver behind that one is told."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from alerts.errors import Refused, Unavailable
from alerts.notify import page_text
from alerts.sinks.alertmanager import (
    NOTHING_FIRES,
    Alertmanager,
    Firing,
    ended,
    labels,
    opened,
)
from alerts.sinks.port import Message
from alerts.sinks.post import Poster, safe_url
from alerts.sinks.retry import Attempt, Backoff, deliver
from deploy.alertmanager.server import AlertmanagerServer
from schemas.alert import Alert
from streams.receivers import receivers
from streams.settings import read_settings
from streams.watch.teller import Teller
from tests.contract.receiver import Answer, Receiver
from tests.contract.test_sinks import a_page as page_of_the_sinks

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
CONFIG = """\
route:
  receiver: ward
  group_by: ['...']
  group_wait: 0s
  group_interval: 200ms
  repeat_interval: 1h
receivers:
  - name: ward
    webhook_configs:
      - url: {url}/told
        send_resolved: true
"""
"""As the site's own (deploy/compose/alertmanager.yml), in a hurry."""

QUICK = Backoff(least_s=0.05, most_s=0.1)
Told = tuple[str, str, str]
"""What the ward's receiver heard: status, severity, bed."""


def a_page(**changes: Any) -> Message:
    """Make a message of an alert of a minute ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    then = {"onset": now - timedelta(seconds=60), "at": now - timedelta(seconds=30)}
    alert = replace(page_of_the_sinks().alert, **(then | changes))
    kind = "resolve" if alert.phase == "cleared" else "trigger"
    return Message(kind=kind, alert=alert, text=page_text(alert, alert.at))


def told(receiver: Receiver) -> list[Told]:
    """List what the ward's receiver was told, one entry an alert."""
    return [
        (alert["status"], alert["labels"]["severity"], alert["labels"]["bed"])
        for post in receiver.posts
        for alert in json.loads(post.body)["alerts"]
    ]


async def hears(receiver: Receiver, *expected: Told) -> None:
    """Wait until the receiver has heard so many, and then for what should not come."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + 15
    while len(told(receiver)) < len(expected) and clock() < until_s:  # noqa: ASYNC110 - a list has no event to wait for
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.6)  # three intervals
    assert sorted(told(receiver)) == sorted(expected)


def played(
    program: Path,
    home: Path,
    scene: Callable[[Alertmanager, Receiver, AlertmanagerServer], Awaitable[None]],
) -> None:
    """Run ``scene`` with a sink, the Alertmanager that it posts to, and the receiver behind it."""

    async def run() -> None:
        async with Receiver() as receiver:
            config = home / "alertmanager.yml"
            config.write_text(CONFIG.format(url=receiver.url))
            with AlertmanagerServer(config, program) as server:
                sink = Alertmanager(server.url)
                try:
                    await scene(sink, receiver, server)
                finally:
                    await sink.close()

    asyncio.run(run())


async def fires(server: AlertmanagerServer) -> list[dict[str, Any]]:
    """Ask Alertmanager itself what fires."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/api/v2/alerts") as answer,
    ):
        listed: list[dict[str, Any]] = await answer.json()
        return listed


def test_from_the_first_word_to_the_last(alertmanager: Path, tmp_path: Path) -> None:
    """Raised is told once, also sent twice; escalated is told, the old severity ends; then all."""

    async def scene(sink: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        raised = a_page(priority="medium")
        for _ in range(2):
            assert (await sink.send(raised)).startswith("200")
        await hears(receiver, ("firing", "medium", "4"))
        (alert,) = await fires(server)
        assert alert["labels"] == {
            "alertname": "abrupt-stop",
            "severity": "medium",
            "alert": raised.alert.id,
            "unit": "nicu-a",
            "bed": "4",
        }
        assert alert["annotations"]["summary"] == raised.text
        assert alert["annotations"].keys() == {"summary", "source", "note"}
        assert datetime.fromisoformat(alert["startsAt"]) == raised.alert.onset
        # No silence ends it: not Alertmanager's 5 min, nor any time that an occurrence may last.
        assert datetime.fromisoformat(alert["endsAt"]).year > raised.alert.at.year + 50

        receiver.posts.clear()
        for _ in range(2):
            await sink.send(a_page(phase="escalated", priority="high"))
        await hears(receiver, ("firing", "high", "4"), ("resolved", "medium", "4"))

        receiver.posts.clear()
        # As after a de-escalation, which nobody is called to hear.
        cleared = a_page(phase="cleared", priority="low")
        assert (await sink.send(cleared)).startswith("200")
        assert await sink.send(cleared) == NOTHING_FIRES
        await hears(receiver, ("resolved", "high", "4"))
        assert await fires(server) == []

    played(alertmanager, tmp_path, scene)


def test_a_baby_who_moves(alertmanager: Path, tmp_path: Path) -> None:
    """An alert that was told at one bed is over when it is over at another; others stay."""

    async def scene(sink: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        await sink.send(a_page(id="another", bed="7"))
        await sink.send(a_page(bed="4", priority="medium"))
        await hears(receiver, ("firing", "high", "7"), ("firing", "medium", "4"))

        receiver.posts.clear()
        await sink.send(a_page(phase="escalated", bed="5"))
        await hears(receiver, ("firing", "high", "5"), ("resolved", "medium", "4"))

        receiver.posts.clear()
        await sink.send(a_page(phase="cleared", bed="6", unit="picu"))
        await hears(receiver, ("resolved", "high", "5"))
        assert [one["labels"]["alert"] for one in await fires(server)] == ["another"]

    played(alertmanager, tmp_path, scene)


def test_what_never_fired_is_not_told(alertmanager: Path, tmp_path: Path) -> None:
    """A resolve of what Alertmanager does not know raises nothing, not even by a clock ahead."""

    async def scene(sink: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        ahead = datetime.now(UTC) + timedelta(seconds=90)
        assert await sink.send(a_page(phase="cleared", at=ahead)) == NOTHING_FIRES
        await hears(receiver)
        assert await fires(server) == []

    played(alertmanager, tmp_path, scene)


def test_a_restart_forgets(alertmanager: Path, tmp_path: Path) -> None:
    """While it is away it is tried again; restarted, it has only what is told from then on."""

    async def scene(sink: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        await sink.send(a_page(id="before"))
        await hears(receiver, ("firing", "high", "4"))
        server.stop()
        attempts: list[Attempt] = []
        failed = asyncio.Event()

        async def report(attempt: Attempt) -> None:
            attempts.append(attempt)
            failed.set()

        page = a_page(id="meanwhile", bed="5")
        telling = asyncio.create_task(deliver(sink, page, report, backoff=QUICK))
        await asyncio.wait_for(failed.wait(), 15)
        await asyncio.to_thread(server.start)
        await asyncio.wait_for(telling, 30)
        assert attempts[0].outcome == "failed"
        assert attempts[-1].outcome == "delivered"
        await hears(receiver, ("firing", "high", "4"), ("firing", "high", "5"))
        assert [one["labels"]["alert"] for one in await fires(server)] == ["meanwhile"]

    played(alertmanager, tmp_path, scene)


def test_the_watchdog_tells_through_it(alertmanager: Path, tmp_path: Path) -> None:
    """What the settings name is the watchdog's receiver too: blindness is told, and its end."""
    noted: list[tuple[str, str]] = []

    def note(sink: str, alert: Alert, outcome: str, reason: str, attempt: int) -> None:
        assert (alert.rule, reason[:3], attempt) == ("monitor-blind", "200", 1)
        noted.append((sink, outcome))

    async def scene(_: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        env = {"INOWATCH_KAFKA": "127.0.0.1:9", "INOWATCH_ALERTMANAGER_URL": server.url}
        (sink,) = receivers(read_settings(env))
        teller = Teller(sink, lambda: datetime.now(UTC), note)
        serving = asyncio.create_task(teller.serve())
        blind = a_page(rule="monitor-blind", unit="*", bed="*").alert
        teller.tell(blind)
        await hears(receiver, ("firing", "high", "*"))
        teller.tell(replace(blind, phase="cleared"))
        await hears(receiver, ("firing", "high", "*"), ("resolved", "high", "*"))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await teller.close()

    played(alertmanager, tmp_path, scene)
    assert noted == [("alertmanager", "delivered")] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b'[{"labels": 5}]',
        b'[{"labels": {}}]',
        b'[{"labels": {"a": "b"}, "startsAt": "soon"}]',
    ],
)
def test_garbage_is_refused_with_its_reason(
    alertmanager: Path, tmp_path: Path, body: bytes
) -> None:
    """What Alertmanager will not take is refused in its own words."""

    async def scene(_: Alertmanager, receiver: Receiver, server: AlertmanagerServer) -> None:
        poster = Poster()
        with pytest.raises(Refused, match=r"^4\d\d .*\w"):
            await poster.post(safe_url(f"{server.url}/api/v2/alerts"), body, {})
        await poster.close()
        assert receiver.posts == []

    played(alertmanager, tmp_path, scene)


def test_as_in_compose(alertmanager: Path, tmp_path: Path) -> None:
    """The site's own files: its configuration is valid, and by TLS with its authority a page goes.

    Without that authority nothing is sent.
    """
    made = tmp_path / "secrets"
    subprocess.run(["sh", str(COMPOSE / "make-secrets.sh"), str(made)], check=True)
    web = tmp_path / "web.yml"
    written = (COMPOSE / "alertmanager-web.yml").read_text()
    web.write_text(written.replace("/run/secrets", str(made)))
    page = a_page()

    async def scene(server: AlertmanagerServer) -> None:
        env = {
            "INOWATCH_KAFKA": "127.0.0.1:9",
            "INOWATCH_ALERTMANAGER_URL": server.url,
            "INOWATCH_ALERTMANAGER_CA_FILE": str(made / "ca.pem"),
        }
        (sink,) = receivers(read_settings(env))
        unbelieving = Alertmanager(server.url)
        with pytest.raises(Unavailable, match=r"(?i)certificate"):
            await unbelieving.send(a_page(id="not by us"))
        await unbelieving.close()
        assert (await sink.send(page)).startswith("200")
        assert (await sink.send(a_page(phase="cleared"))).startswith("200")
        assert await sink.send(a_page(phase="cleared")) == NOTHING_FIRES
        await sink.close()

    config, ca_file = COMPOSE / "alertmanager.yml", made / "ca.pem"
    with AlertmanagerServer(config, alertmanager, web_config=web, ca_file=ca_file) as server:
        asyncio.run(scene(server))


# ---- without Alertmanager: what it does not say of itself


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Refused) for status in (301, 400, 401, 404)),
        *((status, Unavailable) for status in (408, 429, 500, 503)),
    ],
)
def test_a_status_means_what_it_means_for_all_sinks(status: int, outcome: type[Exception]) -> None:
    """Later or never, after exactly one post; a wait that is asked for is handed on."""

    async def scene() -> None:
        answer = Answer(status, "no {path} {body}", headers={"Retry-After": "17"})
        async with Receiver(answer) as receiver:
            sink = Alertmanager(f"{receiver.url}/T0KEN-in-the-path", "s3cret-token")
            with pytest.raises(outcome) as said:
                await sink.send(a_page())
            await sink.close()
            (post,) = receiver.posts
            assert post.path == "/T0KEN-in-the-path/api/v2/alerts"
            assert post.headers["Authorization"] == "Bearer s3cret-token"
            written = f"{said.value.args} {said.value!r} {sink!r}"
            assert "T0KEN" not in written
            assert "s3cret" not in written
            assert getattr(said.value, "retry_after_s", 17.0) == 17.0

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(503), "^503 noted"),
        (Answer(200, "<html>"), "does not say what fires"),
        (Answer(200, '[{"labels": {}}]'), "does not say what fires"),
        (Answer(200, "[", manner="hang-in-body"), "does not say what fires"),
    ],
)
def test_a_page_is_out_before_anything_else(answer: Answer, said: str) -> None:
    """Where nobody says what else fires, the page has been told; and it is tried again."""

    async def scene() -> None:
        async with Receiver(Answer(200), answer) as receiver:
            sink = Alertmanager(receiver.url, timeout_s=0.5)
            with pytest.raises(Unavailable, match=said):
                await sink.send(a_page())
            await sink.close()
            page, question = receiver.posts
            assert json.loads(page.body)[0]["labels"]["bed"] == "4"
            assert question.body == b""

    asyncio.run(scene())


def test_no_page_waits_behind_a_refused_question() -> None:
    """Who may post and not ask has told, and says what it could not do; a resolve is refused."""

    async def scene() -> None:
        async with Receiver(Answer(200), Answer(403, "no"), Answer(403, "no")) as receiver:
            sink = Alertmanager(receiver.url)
            assert (await sink.send(a_page())).endswith("the place of stays: 403 no")
            with pytest.raises(Refused, match=r"^403 no"):
                await sink.send(a_page(phase="cleared"))
            await sink.close()

    asyncio.run(scene())


def test_the_same_message_is_the_same_bytes() -> None:
    """What is sent depends on the message alone, and carries neither pseudonym field nor device."""
    page = a_page()
    alert = page.alert
    said = opened(page)
    assert said == opened(page)
    assert "SERIAL" not in repr(said)
    assert alert.patient not in repr(said).replace(alert.id, "")
    assert "bed" not in labels(a_page(bed="").alert)


def test_an_end_is_never_before_its_start() -> None:
    """Alertmanager would refuse it, and the alert would stay open."""
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    firing = Firing(labels={"alert": "a"}, starts_at=start)
    assert ended(firing, start - timedelta(seconds=1))["endsAt"] == start
    assert ended(firing, start + timedelta(seconds=1))["endsAt"] == start + timedelta(seconds=1)


def test_what_it_cannot_work_with_is_said_at_the_start(tmp_path: Path) -> None:
    """An unsafe address, a token of two lines, a file without a certificate: in words, unseen."""
    with pytest.raises(ValueError, match="https only"):
        Alertmanager("http://alertmanager:9093")
    for token in ("two\nlines", "", "käse"):
        with pytest.raises(ValueError, match="one line of ASCII") as refusal:
            Alertmanager("https://alertmanager:9093", token)
        assert not token or token not in str(refusal.value)
    empty = tmp_path / "ca.pem"
    empty.touch()
    with pytest.raises(ValueError, match=r"ca\.pem is no certificate"):
        Alertmanager("https://alertmanager:9093", ca_file=empty)
