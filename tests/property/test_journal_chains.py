"""Whatever is done to a journal is found, and the first bad record is the one that is named."""

import base64
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.anchor import Anchor
from streams.batch import KafkaRecord
from streams.journal.anchoring import Anchors
from streams.journal.chain import Fault, Pin, Pins, pins_of, read_chain
from streams.journal.entries import entry_of
from streams.journal.keys import Keys
from streams.journal.links import ANCHORS, Bad, Link, Read, anchor_link, anchor_of, entry_link
from streams.journal.sealed import sealed
from streams.journal.shelf import Shelf, file_of

ENTRIES = 12
CHAIN, OTHER = "ino.alerts/0", "ino.alerts/1"
START = datetime(2026, 11, 20, 10, tzinfo=UTC)
KEYS = Keys({"old": b"\x01" * 32, "new": b"\x02" * 32}, "new")


def record(offset: int, value: bytes, partition: int = 0) -> KafkaRecord:
    """Make a record as Kafka's client hands it over."""
    made = SimpleNamespace(topic="ino.alerts", partition=partition, offset=offset, value=value)
    return cast("KafkaRecord", made)


class Written:
    """A journal that the product's own code has written, with an anchor after every third entry."""

    def __init__(self, folder: Path) -> None:
        shelf = Shelf(folder, Keys(KEYS.by_id, "old"))
        anchors = Anchors(folder / "anchors.jsonl", KEYS)
        for number in range(ENTRIES):
            if number == ENTRIES // 2:  # a new key in the midst of it
                shelf.close()
                shelf = Shelf(folder, KEYS)
            at = START + timedelta(minutes=number)
            for partition, chain in enumerate((CHAIN, OTHER)):
                value = b'{"at":"2026-11-20T10:00:00Z","note":"b\xc3\xa9b\xc3\xa9 %d"}' % number
                shelf.append(chain, [entry_of(record(number, value, partition), "alert", at)])
            if number % 3 == 2:
                anchors.drop(at, shelf.heads())
        shelf.close()
        anchors.close()
        self.chain = file_of(folder, CHAIN).read_bytes()
        self.other = file_of(folder, OTHER).read_bytes()
        self.anchors = (folder / "anchors.jsonl").read_bytes()
        found = [anchor_of(line, KEYS.by_id) for line in self.anchors.splitlines()]
        good = [anchor for anchor in found if isinstance(anchor, Anchor)]
        self.pins = pins_of(good)[CHAIN]
        self.in_store = {one.number: [Pin(one.hash, one.number)] for one in good}


def read_anchor(line: bytes) -> Link | Bad:
    """Read a line of the file of anchors as a link."""
    found = anchor_of(line, KEYS.by_id)
    return found if isinstance(found, Bad) else anchor_link(found)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Write one journal for all examples."""
    return Written(tmp_path_factory.mktemp("journal"))


Case = tuple[str, bytes, Read, Mapping[int, list[Pin]]]


@pytest.fixture(scope="module", params=["entries", "anchors"])
def case(request: pytest.FixtureRequest, written: Written) -> Case:
    """Give a chain of entries, and that of the anchors: nothing may be done to either."""
    if request.param == "entries":
        return CHAIN, written.chain, partial(entry_link, keys=KEYS.by_id), written.pins
    return ANCHORS, written.anchors, read_anchor, written.in_store


def fault_of(case: Case, text: bytes, pins: Pins | None = None) -> Fault | None:
    """Read the chain with ``text`` in place of its own."""
    name, _, read, own = case
    return read_chain(name, io.BytesIO(text), read, own if pins is None else pins).fault


def lines_of(case: Case) -> list[bytes]:
    """Split the chain of the case into lines with their newlines."""
    return case[1].splitlines(keepends=True)


def test_an_untouched_journal_is_whole(case: Case) -> None:
    """What the product wrote is whole, also over a change of keys."""
    assert fault_of(case, case[1]) is None


@given(data=st.data())
def test_a_changed_byte_is_found(case: Case, data: st.DataObject) -> None:
    """Any one byte, changed into any other: the line that it stood in is the first bad one."""
    text = case[1]
    at = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != text[at]))
    fault = fault_of(case, text[:at] + bytes([byte]) + text[at + 1 :])
    assert fault is not None
    assert fault.seq == fault.line == 1 + text.count(b"\n", 0, at)


@given(data=st.data())
def test_a_deleted_line_is_found(case: Case, data: st.DataObject) -> None:
    """A line taken out anywhere, also at the end: its number is named."""
    lines = lines_of(case)
    gone = data.draw(st.integers(0, len(lines) - 1))
    last = gone == len(lines) - 1
    del lines[gone]
    fault = fault_of(case, b"".join(lines))
    assert fault is not None
    assert (fault.seq, fault.what) == (gone + 1, "truncated" if last else "missing")


@given(data=st.data())
def test_a_swap_is_found(case: Case, data: st.DataObject) -> None:
    """Two lines that changed their places: the earlier place is named, as reordered."""
    lines = lines_of(case)
    pair = st.lists(st.integers(0, len(lines) - 1), min_size=2, max_size=2, unique=True)
    first, second = sorted(data.draw(pair))
    lines[first], lines[second] = lines[second], lines[first]
    fault = fault_of(case, b"".join(lines))
    assert fault is not None
    assert (fault.seq, fault.what) == (first + 1, "reordered")


@given(data=st.data())
def test_a_repeated_line_is_found(case: Case, data: st.DataObject) -> None:
    """A line that stands a second time somewhere: the place where it does not belong is named."""
    lines = lines_of(case)
    which = data.draw(st.integers(0, len(lines) - 1))
    where = data.draw(st.integers(0, len(lines)))
    lines.insert(where, lines[which])
    fault = fault_of(case, b"".join(lines))
    assert fault is not None
    assert fault.seq == (where + 1 if where != which else where + 2)
    assert fault.what == "reordered"


@given(data=st.data())
def test_a_truncation_is_found(case: Case, data: st.DataObject) -> None:
    """Cut anywhere, to the byte, the first entry that is not whole is named by its anchor."""
    text = case[1]
    left = data.draw(st.integers(0, len(text) - 1))
    fault = fault_of(case, text[:left])
    assert fault is not None
    assert (fault.seq, fault.what) == (1 + text.count(b"\n", 0, left), "truncated")


@given(data=st.data())
def test_an_entry_of_another_chain_is_found(written: Written, data: st.DataObject) -> None:
    """A genuine entry of another chain, with the same number and key, is not one of this."""
    case = CHAIN, written.chain, partial(entry_link, keys=KEYS.by_id), written.pins
    lines, others = lines_of(case), written.other.splitlines(keepends=True)
    which = data.draw(st.integers(0, ENTRIES - 1))
    lines[which] = others[which]
    fault = fault_of(case, b"".join(lines))
    assert fault is not None
    assert (fault.seq, fault.what) == (which + 1, "replaced")


VALUES = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.datetimes().map(str)),
        lambda inner: st.one_of(
            st.lists(inner), st.dictionaries(st.sampled_from(["time", "at", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="replace")),
    st.integers(1, 3000).map(lambda depth: b"[" * depth + b"]" * depth),
)


@given(value=VALUES)
def test_any_record_can_be_journaled(value: bytes) -> None:
    """Whatever bytes a record is of, its entry is one genuine line that gives them back."""
    made = sealed(entry_of(record(7, value), "alert", START), KEYS.by_id["new"])
    link = entry_link(made, {"-": KEYS.by_id["new"]})
    assert isinstance(link, Link)
    assert (link.offset, b"\n" in made) == (7, False)
    if value:
        found = json.loads(made)
        whole = b'"body":' + value + b',"raw":null'
        assert whole in made or base64.b64decode(found["raw"]) == value


def test_without_its_key_an_entry_is_not_believed(written: Written) -> None:
    """With the old key gone the first entry is named, as one of an unknown key."""
    read = partial(entry_link, keys={"new": KEYS.by_id["new"]})
    fault = read_chain(CHAIN, io.BytesIO(written.chain), read, written.pins).fault
    assert fault is not None
    assert (fault.seq, fault.what) == (1, "unknown-key")


def test_a_chain_made_anew_is_found(written: Written, tmp_path: Path) -> None:
    """Who has the key and writes the chain anew with one word changed meets the anchors."""
    shelf = Shelf(tmp_path, KEYS)
    for number in range(ENTRIES):
        made = entry_of(record(number, b'{"note":"nothing happened"}'), "alert", START)
        shelf.append(CHAIN, [made])
    shelf.close()
    case = CHAIN, b"", partial(entry_link, keys=KEYS.by_id), written.pins
    forged = file_of(tmp_path, CHAIN).read_bytes()
    fault = fault_of(case, forged)
    assert fault is not None
    assert (fault.seq, fault.what) == (3, "replaced")
    assert fault_of(case, forged, {}) is None, "without an anchor nobody could tell"


def test_a_torn_end_is_told_from_a_cut(written: Written) -> None:
    """A last line without an end that no anchor has seen may be a broken write, and is named so."""
    case = CHAIN, b"", partial(entry_link, keys=KEYS.by_id), written.pins
    fault = fault_of(case, written.chain + b'{"chain":"ino.al')
    assert fault is not None
    assert (fault.seq, fault.what) == (ENTRIES + 1, "torn")
