"""What every sink promises, held against real receivers; then what each promises for itself."""

import asyncio
import base64
import io
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import Refused, SinkError, Unavailable
from alerts.notify import Kind, page_text
from alerts.sinks.pagerduty import DEDUP_KEY_MAX_CHARS, EVENT_MAX_BYTES, PagerDuty, event
from alerts.sinks.port import Message, Sink
from alerts.sinks.post import Poster, retry_after_s, safe_url
from alerts.sinks.retry import ASKED_MAX_S, Attempt, Backoff, deliver
from alerts.sinks.terminal import Terminal
from alerts.sinks.webhook import Body, Unverified, Webhook, verify, webhook_id
from schemas.alert import PRIORITIES, Alert, Phase, Priority
from tests.contract.receiver import Answer, Post, Receiver, contract_file, validating_server

KEY = "0123456789abcdefABCDEF0123456789"
SECRET = "whsec_" + base64.b64encode(b"a secret of exactly 32 bytes 123").decode()
ONSET = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
QUICK = Backoff(least_s=0.001, most_s=0.01)
PHASES: tuple[Phase, ...] = ("raised", "escalated", "deescalated", "cleared")

Make = Callable[..., Sink]
"""Makes a sink that posts to the given URL; takes ``timeout_s`` as well."""


def an_alert(phase: Phase = "raised", priority: Priority = "high") -> Alert:
    """Make a transition of one stop."""
    return Alert(
        id="abrupt-stop-p17-20261120T100000Z",
        rule="abrupt-stop",
        phase=phase,
        priority=priority,
        onset=ONSET,
        at=ONSET + timedelta(seconds=30),
        patient="p17",
        unit="nicu-a",
        bed="4",
        device="SERIAL-88341",
        course=datetime(2026, 11, 15, 3, 7, 41, tzinfo=UTC),
        summary="Bed 4: delivery ended from 20 ppm; wean to 1 ppm first",
        value=20.0,
        limit=1.0,
        unit_of_measure="ppm",
        reason="over-limit",
        profile="default",
        rules_version="1",
        source="S0",
    )


def a_page(phase: Phase = "raised", priority: Priority = "high") -> Message:
    """Make its message, in time."""
    alert = an_alert(phase, priority)
    kind: Kind = "resolve" if phase == "cleared" else "trigger"
    return Message(kind=kind, alert=alert, text=page_text(alert, alert.at))


def pagerduty(url: str, *, timeout_s: float = 10) -> PagerDuty:
    """Make the PagerDuty sink, pointed at ``url``."""
    return PagerDuty(KEY, base=url, timeout_s=timeout_s)


def webhook(url: str, *, timeout_s: float = 10) -> Webhook:
    """Make the webhook sink, pointed at a path of ``url`` that is a secret itself."""
    return Webhook(f"{url}/hooks/T0KEN-in-the-path", SECRET, timeout_s=timeout_s)


both = pytest.mark.parametrize("make", [pagerduty, webhook])


async def one_attempt(sink: Sink, page: Message | None = None) -> str | SinkError:
    """Make one attempt and close the sink; the error is an answer like any other."""
    try:
        return await sink.send(page or a_page())
    except SinkError as error:
        return error
    finally:
        await sink.close()


def answered(make: Make, answer: Answer) -> tuple[str | SinkError, list[Post]]:
    """One attempt at a receiver that gives ``answer``, and what the receiver saw."""

    async def scene() -> tuple[str | SinkError, list[Post]]:
        async with Receiver(answer) as receiver:
            return await one_attempt(make(receiver.url)), receiver.posts

    return asyncio.run(scene())


# ---- one contract for all that speak HTTP


@both
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, str),
        (202, str),
        (204, str),
        (301, Refused),
        (307, Refused),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (410, Refused),
        (413, Refused),
        (422, Refused),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_a_status_has_one_meaning_for_all_sinks(
    make: Make, status: int, outcome: type[object]
) -> None:
    """Taken, later or never: the status alone decides, after exactly one post."""
    result, posts = answered(make, Answer(status, text="" if status == 204 else "noted"))
    assert isinstance(result, outcome)
    assert len(posts) == 1
    said = result if isinstance(result, str) else result.reason
    assert said.startswith(str(status))


@both
@pytest.mark.parametrize("status", [408, 429, 503])
def test_retry_after_is_handed_on(make: Make, status: int) -> None:
    """The wait that a receiver asks for reaches the retry."""
    result, _ = answered(make, Answer(status, headers={"Retry-After": "17"}))
    assert isinstance(result, Unavailable)
    assert result.retry_after_s == 17.0


@both
def test_a_redirect_is_not_followed(make: Make) -> None:
    """A page goes where the site said and nowhere else."""

    async def scene() -> tuple[str | SinkError, int]:
        async with Receiver() as other:
            aside = Answer(307, headers={"Location": f"{other.url}/elsewhere"})
            async with Receiver(aside) as receiver:
                return await one_attempt(make(receiver.url)), len(other.posts)

    result, elsewhere = asyncio.run(scene())
    assert isinstance(result, Refused)
    assert elsewhere == 0


@both
@pytest.mark.parametrize("manner", ["hang", "drop"])
def test_no_answer_may_have_been_taken(make: Make, manner: str) -> None:
    """A time-out or a lost connection after the post is tried again: the receiver drops doubles."""

    async def scene() -> tuple[str | SinkError, int]:
        async with Receiver(Answer(manner=manner)) as receiver:  # type: ignore[arg-type] # the table's own two words
            return await one_attempt(make(receiver.url, timeout_s=0.3)), len(receiver.posts)

    result, posts = asyncio.run(scene())
    assert isinstance(result, Unavailable)
    assert result.retry_after_s is None
    assert posts == 1


@both
def test_an_answer_that_hangs_after_its_status_counts(make: Make) -> None:
    """What was taken is not sent again because the rest of the answer is late."""

    async def scene() -> str | SinkError:
        async with Receiver(Answer(202, manner="hang-in-body")) as receiver:
            return await one_attempt(make(receiver.url, timeout_s=0.3))

    assert asyncio.run(scene()) == "202"


@both
def test_nobody_there_is_unavailable(make: Make) -> None:
    """A closed port may open again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: no other process can take the port
        result = asyncio.run(one_attempt(make(f"http://127.0.0.1:{taken.getsockname()[1]}")))
    assert isinstance(result, Unavailable)


@both
def test_a_failed_tls_handshake_is_unavailable(make: Make) -> None:
    """A certificate is mended more often than it is meant; nothing is sent in the clear."""

    async def scene() -> tuple[str | SinkError, int]:
        async with Receiver() as receiver:
            secure = receiver.url.replace("http:", "https:")
            return await one_attempt(make(secure)), len(receiver.posts)

    result, posts = asyncio.run(scene())
    assert isinstance(result, Unavailable)
    assert posts == 0


@both
def test_no_secret_leaves_by_reason_log_or_repr(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that repeats the request does not bring its secrets into our records."""
    caplog.set_level(logging.DEBUG)
    echo = Answer(400, text="Cannot POST {path}\n\x1b[31m{body}")
    result, posts = answered(make, echo)
    assert isinstance(result, Refused)
    assert "[secret]" in result.reason
    written = result.reason + repr(result) + caplog.text + repr(make("http://localhost:1"))
    for secret in (KEY, SECRET, SECRET.removeprefix("whsec_"), "T0KEN"):
        assert secret not in written
    assert "\n" not in result.reason
    assert "\x1b" not in result.reason
    assert len(posts) == 1


@both
def test_the_same_message_twice_carries_the_same_key(make: Make) -> None:
    """A receiver can tell that a repeated attempt is no new event."""

    async def scene() -> list[Post]:
        async with Receiver() as receiver:
            sink = make(receiver.url)
            await sink.send(a_page())
            await sink.send(a_page())
            await sink.close()
            return receiver.posts

    first, second = asyncio.run(scene())
    assert first.body == second.body
    assert first.headers.get("webhook-id") == second.headers.get("webhook-id")


def test_a_session_passed_in_stays_open() -> None:
    """A sink closes what it opened, and nothing else."""

    async def scene() -> tuple[int, bool]:
        async with Receiver() as receiver, aiohttp.ClientSession() as session:
            for sink in (
                PagerDuty(KEY, base=receiver.url, session=session),
                Webhook(receiver.url, SECRET, session=session),
            ):
                await one_attempt(sink)
            return len(receiver.posts), session.closed

    assert asyncio.run(scene()) == (2, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://pager.example/hook",
        "http://127.0.0.1.example/hook",
        "ftp://pager.example",
        "https:///hook",
        "pager.example/hook",
        "https://nurse:word@pager.example/hook",
        "http://[::1",
        "",
    ],
)
def test_an_unsafe_url_is_refused_at_the_start(url: str) -> None:
    """Pages leave this machine by https only, and no password stands in a URL."""
    with pytest.raises(ValueError, match=r"URL|plain http"):
        PagerDuty(KEY, base=url)
    with pytest.raises(ValueError, match=r"URL|plain http"):
        Webhook(url, SECRET)


@pytest.mark.parametrize(
    "url",
    ["https://pager.example/hook", "http://127.0.0.1:8/x", "http://[::1]:8", "http://localhost"],
)
def test_https_and_this_machine_are_safe(url: str) -> None:
    """Plain http is for a relay on the same machine."""
    assert str(safe_url(url)).rstrip("/") == url


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 120 "}, 120.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:01:30 GMT"}, None),
        (
            {
                "Retry-After": "Fri, 20 Nov 2026 10:01:30 GMT",
                "Date": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            90.0,
        ),
        (
            {
                "Retry-After": "Fri, 20 Nov 2026 09:00:00 -0000",
                "Date": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
    ],
)
def test_retry_after_is_read_or_unknown(headers: dict[str, str], expected_s: float | None) -> None:
    """Seconds or a date against the answer's own clock; what cannot be read is not guessed."""
    assert retry_after_s(headers) == expected_s


# ---- PagerDuty


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """PagerDuty's own description of its Events API, as a server that refuses what breaks it."""
    description = contract_file("pagerduty-events-v2.openapi.json")
    with validating_server(description, tmp_path_factory.mktemp("prism")) as url:
        yield url


@pytest.mark.parametrize("priority", PRIORITIES)
@pytest.mark.parametrize("phase", PHASES)
def test_the_vendors_description_takes_every_event(
    vendor: str, phase: Phase, priority: Priority
) -> None:
    """Every phase at every priority is an event that PagerDuty's own file allows."""
    result = asyncio.run(one_attempt(pagerduty(vendor), a_page(phase, priority)))
    assert isinstance(result, str)
    assert result.startswith("202")


@pytest.mark.parametrize(
    ("good", "broken"),
    [
        (b'"severity":"critical"', b'"severity":"dire"'),
        (b'"event_action":"trigger"', b'"event_action":"shout"'),
        (b'"timestamp":"2026-', b'"timestamp":"in 2026-'),
        (b'"source":', b'"sauce":'),
    ],
)
def test_the_vendors_description_refuses_a_broken_event(
    vendor: str, good: bytes, broken: bytes
) -> None:
    """The check above can fail."""
    body = event(a_page(), KEY)
    assert body.count(good) == 1

    async def scene() -> str:
        poster = Poster()
        try:
            return await poster.post(
                safe_url(f"{vendor}/v2/enqueue"), body.replace(good, broken), {}
            )
        finally:
            await poster.close()

    with pytest.raises(Refused, match=r"^4\d\d"):
        asyncio.run(scene())


def test_a_trigger_says_where_what_and_how_bad() -> None:
    """The event has the alert id as its key, and no more about the patient than the contract."""
    _, (post,) = answered(pagerduty, Answer())
    assert post.path == "/v2/enqueue"
    assert post.json == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "abrupt-stop-p17-20261120T100000Z",
        "client": "inowatch",
        "payload": {
            "summary": "*** Bed 4: delivery ended from 20 ppm; wean to 1 ppm first",
            "source": "nicu-a/4",
            "severity": "critical",
            "timestamp": "2026-11-20T10:00:30Z",
            "component": "inhaled nitric oxide",
            "group": "nicu-a",
            "class": "abrupt-stop",
            "custom_details": {
                "alert": "abrupt-stop-p17-20261120T100000Z",
                "phase": "raised",
                "priority": "high",
                "patient": "p17",
                "unit": "nicu-a",
                "bed": "4",
                "onset": "2026-11-20T10:00:00Z",
                "value": 20.0,
                "limit": 1.0,
                "unit_of_measure": "ppm",
                "reason": "over-limit",
                "limit_from": "S0",
                "profile": "default",
                "rules_version": "1",
                "note": "secondary notification: the delivery device's own alarms come first",
            },
        },
    }


def test_a_resolve_carries_its_key_alone() -> None:
    """What ends an incident need not say whose it was."""
    assert json.loads(event(a_page("cleared"), KEY)) == {
        "routing_key": KEY,
        "event_action": "resolve",
        "dedup_key": an_alert().id,
    }


@pytest.mark.parametrize(
    ("priority", "severity"),
    [("high", "critical"), ("medium", "error"), ("low", "warning"), ("info", "info")],
)
def test_each_priority_has_its_own_severity(priority: Priority, severity: str) -> None:
    """Four words onto four words."""
    payload = json.loads(event(a_page(priority=priority), KEY))["payload"]
    assert payload["severity"] == severity


def test_no_device_serial_and_no_course_start_leave_the_house() -> None:
    """A serial number and a date of care can lead to a person."""
    for phase in PHASES:
        written = event(a_page(phase), KEY)
        assert b"SERIAL" not in written
        assert b"2026-11-15" not in written


def test_the_vendors_limits_are_kept() -> None:
    """A long summary is cut and says so; details that are too much give way to the page."""
    page = a_page()
    long = Message(
        kind="trigger",
        alert=msgspec.structs.replace(page.alert, source="x" * EVENT_MAX_BYTES),
        text="y" * 3000,
    )
    written = event(long, KEY)
    assert len(written) < EVENT_MAX_BYTES
    payload = json.loads(written)["payload"]
    assert len(payload["summary"]) == 1024
    assert payload["summary"].endswith(" [cut]")
    assert payload["custom_details"] == {"left_out": f"more than {EVENT_MAX_BYTES} bytes"}


def test_a_key_that_is_too_long_is_refused_and_not_cut() -> None:
    """Two alerts with one beginning must not become one incident."""
    alert = msgspec.structs.replace(an_alert(), id="i" * (DEDUP_KEY_MAX_CHARS + 1))
    page = Message(kind="trigger", alert=alert, text="t")
    result = asyncio.run(one_attempt(pagerduty("http://localhost:1"), page))
    assert isinstance(result, Refused)


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "0", KEY[:-1] + "\n", KEY[:-1] + "é"])
def test_a_wrong_routing_key_is_refused_unseen(key: str) -> None:
    """A key that cannot be one stops the start, and the message does not show it."""
    with pytest.raises(ValueError, match="32 letters and digits") as refusal:
        PagerDuty(key)
    assert not key or key not in str(refusal.value)


# ---- webhook


def test_what_arrives_can_be_verified() -> None:
    """The receiver's check takes what the sink sent, and reads the whole transition from it."""
    page = a_page()
    sent = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)

    async def scene() -> Post:
        async with Receiver() as receiver:
            sink = Webhook(f"{receiver.url}/hook", SECRET, clock=sent.timestamp)
            await one_attempt(sink, page)
            return receiver.posts[0]

    post = asyncio.run(scene())
    assert verify(SECRET, post.headers, post.body, sent) == webhook_id(page.alert)
    body = msgspec.json.decode(post.body, type=Body)
    assert body == Body(kind="trigger", text=page.text, alert=page.alert)


VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 # a published example
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_TIME = datetime.fromtimestamp(1614265330, UTC)
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The example that the specification's own libraries are tested with."""


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"webhook-signature": f"v1,AAAA v2,BBBB {VECTOR['webhook-signature']}"},
    ],
)
def test_a_true_signature_is_believed(change: dict[str, str]) -> None:
    """The specification's own example verifies, alone or among others, in any case of letters."""
    headers = {name.upper(): value for name, value in (VECTOR | change).items()}
    for secret in (VECTOR_SECRET, VECTOR_SECRET.removeprefix("whsec_")):
        assert verify(secret, headers, VECTOR_BODY, VECTOR_TIME) == VECTOR["webhook-id"]


@pytest.mark.parametrize("off", [timedelta(minutes=-5), timedelta(minutes=5)])
def test_the_window_is_five_minutes_either_way(off: timedelta) -> None:
    """Exactly 5 min off is believed, a second more is not."""
    assert verify(VECTOR_SECRET, VECTOR, VECTOR_BODY, VECTOR_TIME + off)
    with pytest.raises(Unverified, match="5 min"):
        verify(VECTOR_SECRET, VECTOR, VECTOR_BODY, VECTOR_TIME + off + off / 300)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"webhook-id": "msg_other"}, "no signature fits"),
        ({"webhook-id": "msg_é"}, "ASCII"),
        ({"webhook-timestamp": "1614265331"}, "no signature fits"),
        ({"webhook-timestamp": "01614265330"}, "no signature fits"),
        ({"webhook-timestamp": "1614265330.0"}, "whole seconds"),
        ({"webhook-timestamp": "9" * 5000}, "whole seconds"),
        ({"webhook-signature": ""}, "no signature fits"),
        ({"webhook-signature": "v1,"}, "no signature fits"),
        ({"webhook-signature": VECTOR["webhook-signature"][3:]}, "no signature fits"),
        ({"webhook-signature": "v2" + VECTOR["webhook-signature"][2:]}, "no signature fits"),
        ({"webhook-signature": "v1,\udce9"}, "ASCII"),
        ({"webhook-id": None}, "no webhook-id header"),
        ({"webhook-timestamp": None}, "no webhook-timestamp header"),
        ({"webhook-signature": None}, "no webhook-signature header"),
    ],
)
def test_a_request_that_was_touched_is_not_believed(
    change: dict[str, str | None], why: str
) -> None:
    """Whatever of the request is changed or missing, the receiver hears why it must not believe."""
    changed = VECTOR | change
    headers = {name: value for name, value in changed.items() if value is not None}
    with pytest.raises(Unverified, match=why):
        verify(VECTOR_SECRET, headers, VECTOR_BODY, VECTOR_TIME)


@given(flipped=st.integers(0, 8 * len(VECTOR_BODY) - 1))
def test_any_flipped_bit_of_the_body_is_noticed(flipped: int) -> None:
    """The signature covers every bit."""
    body = bytearray(VECTOR_BODY)
    body[flipped // 8] ^= 1 << flipped % 8
    with pytest.raises(Unverified, match="no signature fits"):
        verify(VECTOR_SECRET, VECTOR, bytes(body), VECTOR_TIME)


def test_the_id_differs_for_what_must_be_told_apart() -> None:
    """A receiver that drops doubles by id still hears an escalation and a clearing."""
    alerts = [an_alert(phase, priority) for phase in PHASES for priority in PRIORITIES]
    ids = {webhook_id(alert) for alert in alerts}
    assert len(ids) == len(alerts)
    assert all(known.isascii() and "." not in known for known in ids)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "not base64!", base64.b64encode(b"x" * 23).decode(), "A" * 88]
)
def test_a_weak_or_unreadable_secret_is_refused_unseen(secret: str) -> None:
    """Sender and receiver alike take 24 to 64 bytes of base64 and show nothing of it."""
    with pytest.raises(ValueError, match="a webhook secret") as refusal:
        Webhook("https://pager.example", secret)
    assert not secret or secret not in str(refusal.value)
    with pytest.raises(ValueError, match="a webhook secret"):
        verify(secret, VECTOR, VECTOR_BODY, VECTOR_TIME)


# ---- terminal


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


def printed(phase: Phase, priority: Priority, *, colour: bool | None = None) -> str:
    """Send one message to a stream that is no terminal, and return what stands there."""
    stream = io.StringIO()
    terminal = Terminal(stream, ward_time=UTC, colour=colour)
    assert asyncio.run(terminal.send(a_page(phase, priority))) == "printed"
    return stream.getvalue()


@pytest.mark.parametrize(
    ("phase", "priority", "start"),
    [
        ("raised", "high", "10:00:30 *** HIGH   raised      abrupt-stop  Bed 4: "),
        ("escalated", "medium", "10:00:30 **  MEDIUM escalated   abrupt-stop  Bed 4: "),
        ("deescalated", "low", "10:00:30 *   LOW    deescalated abrupt-stop  Bed 4: "),
        ("cleared", "info", "10:00:30     INFO   cleared     abrupt-stop  Bed 4: "),
    ],
)
def test_a_transition_is_one_line_that_reads_without_colour(
    phase: Phase, priority: Priority, start: str
) -> None:
    """Time, stars, word, phase, rule, sentence."""
    written = printed(phase, priority)
    assert written.startswith(start)
    assert written.endswith("wean to 1 ppm first\n")
    assert written.count("\n") == 1


@pytest.mark.parametrize(
    ("phase", "priority", "code"),
    [
        ("raised", "high", "1;31"),
        ("raised", "medium", "33"),
        ("escalated", "low", "36"),
        ("raised", "info", None),
        ("cleared", "high", "38;5;108"),
    ],
)
def test_colours_only_add(phase: Phase, priority: Priority, code: str | None) -> None:
    """With the colours taken away the line is the plain one."""
    plain = printed(phase, priority, colour=False)
    expected = plain if code is None else f"\x1b[{code}m{plain[:-1]}\x1b[0m\n"
    assert printed(phase, priority, colour=True) == expected


@pytest.mark.parametrize(
    ("stream", "env", "colour", "coloured"),
    [
        (io.StringIO, {}, None, False),
        (Screen, {}, None, True),
        (Screen, {"NO_COLOR": "1"}, None, False),
        (Screen, {"NO_COLOR": ""}, None, True),
        (Screen, {"NO_COLOR": "1"}, True, True),
        (Screen, {}, False, False),
        (io.StringIO, {}, True, True),
    ],
)
def test_colours_come_where_they_are_wanted(
    stream: type[io.StringIO], env: dict[str, str], *, colour: bool | None, coloured: bool
) -> None:
    """On a terminal without NO_COLOR, or where the caller says so."""
    screen = stream()
    Terminal(screen, ward_time=UTC, colour=colour, env=env).show(an_alert())
    assert ("\x1b" in screen.getvalue()) == coloured


def test_no_field_can_drive_the_terminal() -> None:
    """A bed named by an attacker is a bed with question marks, on one line."""
    screen = Screen()
    evil = msgspec.structs.replace(an_alert(), summary="Bed\n\x1b[2J\r4\x07", rule="r\x9b1m")
    Terminal(screen, ward_time=UTC, colour=False).show(evil)
    assert screen.getvalue().endswith("r?1m  Bed??[2J?4?\n")


def test_an_old_terminal_gets_its_line() -> None:
    """A sign that the encoding lacks is replaced; the line is not lost."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    alert = msgspec.structs.replace(an_alert(), summary="metHb ≥ 2.5 %")
    Terminal(stream, ward_time=UTC).show(alert)
    assert raw.getvalue().endswith(b"metHb ? 2.5 %\n")


def test_a_terminal_that_is_gone_is_not_tried_again() -> None:
    """A closed stream refuses: waiting for it would hold up nothing but memory."""
    stream = io.StringIO()
    terminal = Terminal(stream, colour=False)
    stream.close()
    assert isinstance(asyncio.run(one_attempt(terminal)), Refused)


# ---- retry


def delivered(
    scene: Callable[[Callable[[Attempt], Awaitable[None]]], Awaitable[Attempt]],
) -> list[Attempt]:
    """Every attempt that was reported; the last is what came back."""
    reported: list[Attempt] = []

    async def report(attempt: Attempt) -> None:
        reported.append(attempt)

    async def run() -> Attempt:
        return await asyncio.wait_for(scene(report), timeout=30)

    assert asyncio.run(run()) == reported[-1]
    assert reported[-1].wait_s is None, "settled"
    assert all(attempt.wait_s is not None for attempt in reported[:-1])
    return reported


@both
def test_it_is_tried_until_it_is_taken(make: Make) -> None:
    """Outage, throttling, a lost connection: each attempt is a record, and the last delivers."""
    rough = [Answer(503), Answer(429, headers={"Retry-After": "0"}), Answer(manner="drop")]

    async def scene(report: Callable[[Attempt], Awaitable[None]]) -> Attempt:
        async with Receiver(*rough, Answer(202)) as receiver:
            sink = make(receiver.url)
            last = await deliver(sink, a_page(), report, backoff=QUICK)
            await sink.close()
            assert len(receiver.posts) == 4
            assert len({post.body for post in receiver.posts}) == 1
            return last

    reported = delivered(scene)
    assert [(a.number, a.outcome) for a in reported] == [
        (1, "failed"),
        (2, "failed"),
        (3, "failed"),
        (4, "delivered"),
    ]
    assert reported[0].reason == "503 noted"


@both
def test_what_is_refused_is_not_tried_again(make: Make) -> None:
    """One post, one record."""

    async def scene(report: Callable[[Attempt], Awaitable[None]]) -> Attempt:
        async with Receiver(Answer(400, text="bad event")) as receiver:
            sink = make(receiver.url)
            last = await deliver(sink, a_page(), report, backoff=QUICK)
            await sink.close()
            assert len(receiver.posts) == 1
            return last

    assert delivered(scene) == [
        Attempt(number=1, outcome="refused", reason="400 bad event", wait_s=None)
    ]


@both
def test_a_receiver_that_comes_back_is_found(make: Make) -> None:
    """An outage of the whole receiver is outlived without a word from anybody."""

    async def scene(report: Callable[[Attempt], Awaitable[None]]) -> Attempt:
        async with Receiver() as first:
            port = first.port
        failed = asyncio.Event()

        async def noted(attempt: Attempt) -> None:
            await report(attempt)
            failed.set()

        sink = make(f"http://127.0.0.1:{port}")
        telling = asyncio.create_task(deliver(sink, a_page(), noted, backoff=QUICK))
        await failed.wait()
        async with Receiver(port=port) as second:
            last = await telling
            await sink.close()
            assert len(second.posts) == 1
            return last

    reported = delivered(scene)
    assert {attempt.outcome for attempt in reported[:-1]} == {"failed"}
    assert reported[-1].outcome == "delivered"


def test_the_wait_asked_for_is_the_wait_taken() -> None:
    """Retry-After goes before the own back-off, and the record of the attempt shows it."""

    async def scene(report: Callable[[Attempt], Awaitable[None]]) -> Attempt:
        async with Receiver(Answer(429, headers={"Retry-After": "1"})) as receiver:
            sink = pagerduty(receiver.url)
            last = await deliver(sink, a_page(), report, backoff=QUICK)
            await sink.close()
            return last

    assert [attempt.wait_s for attempt in delivered(scene)] == [1.0, None]


def test_with_a_limit_it_gives_up_as_failed_and_can_go_on() -> None:
    """A caller may decide anew in between: it learns the wait, and numbering goes on."""
    brief = Backoff(least_s=0.001, most_s=0.01, give_up_after_s=0.5)
    later = Answer(503, headers={"Retry-After": "60"})

    async def scene(report: Callable[[Attempt], Awaitable[None]]) -> Attempt:
        async with Receiver(later) as receiver:
            sink = pagerduty(receiver.url)
            gave_up: list[Attempt] = []

            async def noted(attempt: Attempt) -> None:
                gave_up.append(attempt)

            last = await deliver(sink, a_page(), noted, backoff=brief, attempts_before=7)
            assert gave_up == [last]
            assert (last.number, last.outcome, last.wait_s) == (8, "failed", 60.0)
            again = await deliver(sink, a_page(), report, backoff=brief, attempts_before=8)
            await sink.close()
            return again

    assert [(a.number, a.outcome) for a in delivered(scene)] == [(9, "delivered")]


def test_a_report_that_fails_stops_the_telling() -> None:
    """An attempt without its record must not be followed by another."""

    async def scene() -> int:
        async def broken(attempt: Attempt) -> None:
            raise RuntimeError(f"no record of attempt {attempt.number}")

        async with Receiver(Answer(503)) as receiver:
            sink = pagerduty(receiver.url)
            with pytest.raises(RuntimeError, match="attempt 1"):
                await deliver(sink, a_page(), broken, backoff=QUICK)
            await sink.close()
            return len(receiver.posts)

    assert asyncio.run(scene()) == 1


@given(
    number=st.integers(1, 10_000),
    asked_s=st.none() | st.floats(0, 1e9),
    spread=st.floats(0, 1),
)
def test_every_wait_is_within_its_bounds(number: int, asked_s: float | None, spread: float) -> None:
    """Never under 0.5 s; over 30 s only where asked, and then no longer than asked or 5 min."""
    wait_s = Backoff().wait_s(number, asked_s, spread)
    asked = min(asked_s or 0.0, ASKED_MAX_S)
    assert max(0.5, asked) <= wait_s <= max(30.0, asked)


@pytest.mark.parametrize(
    ("number", "ceiling_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (5000, 30.0)]
)
def test_the_ceiling_doubles_up_to_thirty_seconds(number: int, ceiling_s: float) -> None:
    """The jitter spreads over the whole range from 0.5 s to the ceiling."""
    assert Backoff().wait_s(number, None, 0.0) == 0.5
    assert Backoff().wait_s(number, None, 1.0) == ceiling_s
