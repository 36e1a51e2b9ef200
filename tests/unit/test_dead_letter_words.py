"""Dead letters in words, and what may go back: without Kafka."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerts.profile_book import packaged
from schemas.rejected import MOST_KEPT_BYTES, DeadLetter
from schemas.topics import Topics
from streams.letters.letter import Found, Place, Wanted, letter_of
from streams.letters.way_back import WayBack
from streams.letters.words import HEADING, as_json, as_row, counts, in_full

T = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
S = timedelta(seconds=1)
LETTER = DeadLetter(
    time=T,
    topic="ino.telemetry",
    partition=3,
    offset=99,
    reason="not-json",
    detail="JSON is malformed",
    key=b"p-1",
    value=b"rubbish",
)
GOOD = b'{"time":"2026-11-20T10:00:00Z","id":"c","patient":"p-1"}'
SITE = WayBack(Topics().inputs, dict.fromkeys(Topics().inputs, 4), packaged())


def letter(**changes: object) -> DeadLetter:
    """Write a letter that differs in these fields."""
    return msgspec.structs.replace(LETTER, **changes)


def found(**changes: object) -> Found:
    """Lay such a letter at a place."""
    return Found(Place(2, 1041), letter(**changes))


def shown(**changes: object) -> list[str]:
    """Show such a letter in full."""
    return list(in_full(found(**changes)))


@pytest.mark.parametrize("text", ["0:0", "2:1041", f"{10**9 - 1}:{10**18 - 1}"])
def test_a_place_is_read_as_it_is_written(text: str) -> None:
    """The name in the list is the name that is asked for."""
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "7", "a:b", "1:-1", "1:2:3", " 1:2", "1:2\n", "\u0661:2", "1:"]
)
def test_what_is_no_place_is_said(text: str) -> None:
    """Anything else is refused with a sentence that shows the form."""
    with pytest.raises(ValueError, match="PARTITION:OFFSET"):
        Place.parse(text)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (Wanted(), True),
        (Wanted(reason="not-json"), True),
        (Wanted(reason="not-utf8"), False),
        (Wanted(topic="ino.telemetry"), True),
        (Wanted(topic="ino.labs"), False),
        (Wanted(since=T, until=T + S), True),
        (Wanted(since=T + S), False),
        (Wanted(until=T), False),
        (Wanted("not-json", "ino.telemetry", T - S, T + S), True),
        (Wanted("not-json", "ino.labs", T - S, T + S), False),
    ],
)
def test_which_letters_are_meant(wanted: Wanted, *, meant: bool) -> None:
    """Every condition that is given must hold; times are half open."""
    assert wanted.means(LETTER) is meant


@pytest.mark.parametrize("raw", [None, b"", b"{}", b"\xff", GOOD])
def test_what_is_no_letter_is_known(raw: bytes | None) -> None:
    """Only what this product wrote is taken for a dead letter."""
    assert letter_of(raw) is None
    assert letter_of(msgspec.json.encode(LETTER)) == LETTER


def test_a_row() -> None:
    """A letter is one line: its name, when, where it was sent to, why, how large."""
    assert as_row(found()) == (
        "2:1041     2026-11-20T10:00:00.250Z ino.telemetry/3:99           not-json"
        "                  7  JSON is malformed"
    )
    assert as_row(found(value=None)).split()[4] == "-"
    assert HEADING.index("reason") == as_row(found()).index("not-json")


def test_a_row_in_json() -> None:
    """For machines the same, with its names, and the detail whole."""
    detail = "x\x1b" * 500
    assert json.loads(as_json(found(detail=detail))) == {
        "place": "2:1041",
        "time": "2026-11-20T10:00:00.250000Z",
        "topic": "ino.telemetry",
        "partition": 3,
        "offset": 99,
        "reason": "not-json",
        "detail": detail,
        "value_bytes": 7,
    }


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\r", "\x9b1m", "\u202e", "\x00" * 999])
def test_a_sender_cannot_command_a_terminal(text: str) -> None:
    """Whatever a sender wrote is shown; nothing of it is obeyed, and a line stays a line."""
    value = msgspec.json.encode({"x": 1}) + text.encode()
    lines = [as_row(found(detail=text, topic=text)), *shown(detail=text, key=text.encode())]
    lines += shown(value=value)
    assert all(line.isprintable() for line in lines)
    assert len(as_row(found(detail=text))) < 300


def test_counts() -> None:
    """The most frequent reason comes first, and the total before all."""
    found_reasons = Counter({"not-json": 2, "bad-time": 11, "missing-field": 2})
    assert list(counts(found_reasons)) == [
        "15 dead letters",
        "        11  bad-time",
        "         2  missing-field",
        "         2  not-json",
    ]
    assert list(counts(Counter())) == ["0 dead letters"]
    assert next(counts(Counter({"not-json": 1}))) == "1 dead letter"


def test_json_is_shown_readably() -> None:
    """A value that is JSON is laid out; its words and numbers stay as they came."""
    lines = shown(value=b'{"set_ppm":20.10,"seq":12345678901234567890,"unit":"s\xc3\xbcd"}')
    assert lines[-5:] == [
        "{",
        '  "set_ppm": 20.10,',
        '  "seq": 12345678901234567890,',
        '  "unit": "süd"',
        "}",
    ]
    assert lines[-6].endswith(" bytes, JSON")


def test_text_and_bytes_are_shown_as_they_are() -> None:
    """Text is text, line by line; bytes that are none are hexadecimal; nothing is nothing."""
    assert shown(value=b"{no JSON\nat all")[-3:] == [
        "value    15 bytes, text",
        "{no JSON",
        "at all",
    ]
    assert shown(value=b"\xff\x00" * 20)[-3:] == [
        "value    40 bytes, not UTF-8, in hex",
        " ".join(["ff 00"] * 16),
        " ".join(["ff 00"] * 4),
    ]
    assert shown(value=None)[-1] == "value    none"
    assert shown(key=b"p-1")[5:7] == ["key      3 bytes, text", "p-1"]


def test_a_letter_that_was_cut_says_so() -> None:
    """Of a huge value the beginning is shown, and it is said that it is only that."""
    line = next(one for one in shown(value=b"x" * MOST_KEPT_BYTES) if one.startswith("value"))
    assert line.endswith("the rest was not kept")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"topic": "ino.alerts"}, "no input of this site"),
        ({"topic": "ino.dead-letters"}, "no input of this site"),
        ({"topic": "other.telemetry"}, "no input of this site"),
        ({"value": b"x" * MOST_KEPT_BYTES}, "bytes of its value were kept"),
        ({"key": b"x" * MOST_KEPT_BYTES}, "bytes of its key were kept"),
        ({"key": None, "value": None}, "neither key nor value"),
    ],
)
def test_what_cannot_go_back(changes: dict[str, object], words: str) -> None:
    """What is not whole, and what no producer sent, stays, with its reason."""
    assert words in (SITE.obstacle(letter(**changes)) or "")


def test_a_topic_that_is_gone() -> None:
    """A record whose topic is not there is not lost on the way."""
    site = WayBack(Topics().inputs, {}, packaged())
    assert "deploy kafka" in (site.obstacle(LETTER) or "")


@pytest.mark.parametrize("value", [b"", b"\xff", b"x" * (MOST_KEPT_BYTES - 1), None])
def test_what_can_go_back(value: bytes | None) -> None:
    """Whole records go back whatever they are: that the door refuses them again loses nothing."""
    assert SITE.obstacle(letter(value=value)) is None


def test_the_key_leads_home() -> None:
    """By Kafka's own partitioner (its Java client's numbers), and without a key as before."""
    assert [
        SITE.partition(letter(key=key)) for key in (b"21", b"foobar", b"a-little-bit-long-string")
    ] == [
        (-973932308 & 0x7FFFFFFF) % 4,
        (-790332482 & 0x7FFFFFFF) % 4,
        (-985981536 & 0x7FFFFFFF) % 4,
    ]
    assert SITE.partition(letter(key=None)) == 3


def test_the_door_is_asked_as_it_stands_now() -> None:
    """A profile that has come to be, or a time that has come, is no reason any more."""
    course = letter(topic="ino.courses", value=GOOD)
    early = SITE.verdict(course, T - timedelta(hours=1))
    assert early is not None
    assert early.reason == "from-the-future"
    assert SITE.verdict(course, T) is None
    still = SITE.verdict(LETTER, T)
    assert still is not None
    assert still.reason == "not-json"


def test_a_record_without_its_patients_key_would_be_refused_again() -> None:
    """Beside the door, the partition is looked at: a record must lie where its patient's do."""
    home = SITE.partition(letter(key=b"p-1"))
    astray = letter(topic="ino.courses", key=None, value=GOOD, partition=(home + 1) % 4)
    refused = SITE.verdict(astray, T)
    assert refused is not None
    assert (refused.reason, str(home) in refused.detail) == ("wrong-partition", True)
    assert SITE.verdict(msgspec.structs.replace(astray, key=b"p-1"), T) is None
    tick = letter(key=None, value=b'{"type":"tick","time":"2026-11-20T10:00:00Z"}')
    assert SITE.verdict(tick, T) is None
