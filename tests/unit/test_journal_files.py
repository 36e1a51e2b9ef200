"""The journal on a disk: crashes, full disks, files that are changed or lost, keys."""

import base64
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from click.testing import CliRunner, Result

from schemas.entry import Entry
from streams.cli import main
from streams.journal.anchoring import Anchors
from streams.journal.chain_file import MissingKey
from streams.journal.entries import entry_of
from streams.journal.keys import InvalidKeys, Keys, read_keys
from streams.journal.shelf import Shelf, ShelfTaken, file_of

if TYPE_CHECKING:
    from streams.batch import KafkaRecord

CHAIN = "ino.pages/2"
START = datetime(2026, 11, 20, 10, tzinfo=UTC)


def entry(offset: int, value: bytes | None = b'{"x":1}', late: timedelta = timedelta()) -> Entry:
    """Make the entry of a record of the chain."""
    made = SimpleNamespace(topic="ino.pages", partition=2, offset=offset, value=value)
    arrived = START + timedelta(seconds=offset) + late
    return entry_of(cast("KafkaRecord", made), "page", arrived)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """Write a key file with one key."""
    return written(tmp_path / "keys", "first " + "ab" * 32)


@pytest.fixture
def keys(key_file: Path) -> Keys:
    """Read it."""
    return read_keys(key_file)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Name the journal's folder."""
    return tmp_path / "journal"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    """Write a key file."""
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


@contextmanager
def shelf(home: Path, keys: Keys) -> Iterator[Shelf]:
    """Hold the journal for the length of a block."""
    held = Shelf(home, keys)
    try:
        yield held
    finally:
        held.close()


def fill(home: Path, keys: Keys, offsets: range) -> bytes:
    """Append entries of these offsets; return the whole file."""
    with shelf(home, keys) as held:
        held.append(CHAIN, map(entry, offsets))
    return file_of(home, CHAIN).read_bytes()


def verify(home: Path, key_file: Path, *words: str) -> Result:
    """Run the command."""
    command = ["audit", "verify", "--journal", str(home), "--key-file", str(key_file), *words]
    return CliRunner().invoke(main, command, env={"INOWATCH_STORE": "", "INOWATCH_ANCHORS": ""})


def reports(result: Result) -> dict[str, dict[str, Any]]:
    """Read what it wrote for machines, by chain."""
    *found, _notes = map(json.loads, result.stdout.splitlines())
    return {report["chain"]: report for report in found}


def test_a_torn_line_is_written_anew(home: Path, keys: Keys) -> None:
    """A process that dies in the midst of a line: the next one makes the file what it would be."""
    whole = fill(home, keys, range(9))
    path = file_of(home, CHAIN)
    for left in range(len(whole) - 1, len(whole) - 700, -90):
        path.write_bytes(whole[:left])
        with shelf(home, keys) as held:
            expected = held.next_offset(CHAIN)
            assert expected == whole.count(b"\n", 0, left)
        assert fill(home, keys, range(expected, 9)) == whole


def test_a_record_is_in_it_once(home: Path, keys: Keys) -> None:
    """What Kafka delivers again is there already, in one process and over a restart."""
    whole = fill(home, keys, range(5))
    assert fill(home, keys, range(5)) == whole
    with shelf(home, keys) as held:
        held.append(CHAIN, map(entry, range(2, 7)))
        held.append(CHAIN, map(entry, range(3, 7)))
    assert fill(home, keys, range(8)).count(b"\n") == 8


def test_a_topic_that_was_made_anew_goes_on(home: Path, keys: Keys, key_file: Path) -> None:
    """Offsets that begin again with later times are other records, and are journaled."""
    fill(home, keys, range(5))
    later = timedelta(hours=1)
    with shelf(home, keys) as held:
        held.append(CHAIN, [entry(offset, late=later) for offset in range(3)])
        held.append(CHAIN, [entry(offset, late=later) for offset in range(4)])
    [found] = reports(verify(home, key_file, "--format", "json")).values()
    assert (found["entries"], found["lost"], found["fault"]) == (9, 0, None)


def test_a_full_disk_loses_nothing(home: Path, keys: Keys) -> None:
    """The write is refused as a whole and may be made again; the file is what it would be."""
    whole = fill(home / "calm", keys, range(40))
    path = file_of(home / "full", CHAIN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with shelf(home / "full", keys) as held:
        held.append(CHAIN, map(entry, range(10)))
        before = path.read_bytes()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 1000, limits[1]))
            with pytest.raises(OSError, match="too large"):
                held.append(CHAIN, map(entry, range(10, 40)))
            assert path.read_bytes() == before
            assert held.next_offset(CHAIN) == 10
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        held.append(CHAIN, map(entry, range(10, 40)))
    assert path.read_bytes() == whole


def test_a_file_that_goes_is_missed(home: Path, keys: Keys) -> None:
    """A file that is cut or removed while it is being written: the chain says what it lacks."""
    path = file_of(home, CHAIN)
    whole = fill(home, keys, range(9))
    with shelf(home, keys) as held:
        assert held.next_offset(CHAIN) == 9
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:4]))
        assert held.next_offset(CHAIN) == 4
        path.unlink()
        assert held.next_offset(CHAIN) == 0
        held.append(CHAIN, map(entry, range(9)))
    assert path.read_bytes() == whole


def test_what_was_anchored_stays_anchored(
    home: Path, keys: Keys, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An anchor over a chain that was cut repeats what the one before it saw; and it is said."""
    whole = fill(home, keys, range(9))
    path = file_of(home, CHAIN)
    for left in (9, 4):
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:left]))
        with shelf(home, keys) as held:
            anchors = Anchors(home / "anchors.jsonl", keys)
            anchors.drop(START, held.heads())
            anchors.close()
    first, second = map(json.loads, (home / "anchors.jsonl").read_text().splitlines())
    assert first["heads"] == second["heads"]
    assert f"{CHAIN} ends after 4 entries, but the last anchor has seen 9" in caplog.text
    assert "entry 5, line 5, truncated" in verify(home, key_file).stdout
    assert fill(home, keys, range(4, 9)) == whole
    assert verify(home, key_file).exit_code == 0


def test_an_anchor_is_not_dropped_elsewhere(tmp_path: Path, keys: Keys) -> None:
    """While the disk of the anchors is away no other chain of anchors is begun in its place."""
    path = tmp_path / "elsewhere" / "anchors.jsonl"
    anchors = Anchors(path, keys)
    anchors.drop(START, [])
    before = path.read_bytes()
    path.unlink()
    with pytest.raises(OSError, match="has lost its end: of 1 anchors it has 0"):
        anchors.drop(START, [])
    path.unlink()
    path.write_bytes(before)
    anchors.drop(START, [])
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2]
    anchors.close()


def test_another_folder_in_its_place_is_not_written(home: Path, keys: Keys, tmp_path: Path) -> None:
    """Where the journal's disk was mounted nothing is written while it is away."""
    with shelf(home, keys) as held:
        held.append(CHAIN, map(entry, range(3)))
        home.rename(tmp_path / "away")
        home.mkdir()
        (home / "lock").touch()
        with pytest.raises(FileNotFoundError, match="not the folder that it was"):
            held.next_offset(CHAIN)
        with pytest.raises(FileNotFoundError, match="not the folder that it was"):
            held.append(CHAIN, map(entry, range(3, 5)))
        assert [path.name for path in home.iterdir()] == ["lock"]
        (home / "lock").unlink()
        home.rmdir()
        (tmp_path / "away").rename(home)
        held.append(CHAIN, map(entry, range(3, 5)))
        assert held.next_offset(CHAIN) == 5


def test_an_edited_end_stays(home: Path, keys: Keys, key_file: Path) -> None:
    """The journal goes on after a last line that was edited, and verify names just that one."""
    whole = fill(home, keys, range(4))
    path = file_of(home, CHAIN)
    path.write_bytes(whole[:-100] + b"f" * 99 + b"\n")
    fill(home, keys, range(3, 6))
    assert path.read_bytes().count(b"\n") == 4 + 3
    result = verify(home, key_file)
    assert result.exit_code == 1
    assert "FIRST BAD: entry 4, line 4, edited" in result.stdout


def test_the_file_of_another_chain_is_not_gone_on_with(
    home: Path, keys: Keys, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was put in another's place counts for nothing, in one line of the log."""
    fill(home, keys, range(3))
    path = file_of(home, "ino.pages/1")
    file_of(home, CHAIN).rename(path)
    with shelf(home, keys) as held:
        assert held.next_offset("ino.pages/1") == 0
    assert caplog.text.count("is entry 3 of ino.pages/2") == len(caplog.records) == 1
    assert "FIRST BAD: entry 1, line 1, replaced" in verify(home, key_file).stdout


def test_a_site_has_one_journal(home: Path, keys: Keys) -> None:
    """A second process, or a second shelf in this one, may not write into the same folder."""
    with shelf(home, keys), pytest.raises(ShelfTaken, match="another journal writes"):
        Shelf(home, keys)
    with shelf(home, keys):
        pass


def test_keys_change(home: Path, tmp_path: Path) -> None:
    """The newest key seals; with the old one kept all is whole, without it nothing is appended."""
    first, second = "first " + "ab" * 32, "second " + "cd" * 32
    key_file = written(tmp_path / "both", f"# ours\n{first}\n\n{second}")
    fill(home, read_keys(written(tmp_path / "one", first)), range(3))
    text = fill(home, read_keys(key_file), range(6)).decode()
    names = [json.loads(line)["key_id"] for line in text.splitlines()]
    assert names == ["first"] * 3 + ["second"] * 3
    assert verify(home, key_file).exit_code == 0
    only_old = tmp_path / "one"
    with pytest.raises(MissingKey, match="'second' is not at hand"):
        Shelf(home, read_keys(only_old))
    result = verify(home, only_old)
    assert (result.exit_code, "entry 4, line 4, unknown-key" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("first " + "ab" * 32, 0o644, "mode 644"),
        ("first " + "ab" * 32, 0o640, "mode 640"),
        ("first " + "ab" * 16, 0o600, "has 16 bytes; at least 32"),
        ("first " + "xy" * 32, 0o600, "not hexadecimal"),
        ("ab" * 32, 0o600, "line 1: it is not a name and a key"),
        ("a " + "ab" * 32 + "\na " + "cd" * 32, 0o600, "line 2: 'a' is there already"),
        ("# nothing", 0o600, "has no key"),
        ("\N{BABY}", 0o600, "no text of names and keys"),
    ],
)
def test_bad_keys_are_refused(tmp_path: Path, text: str, mode: int, said: str) -> None:
    """A key file that others may read, or that holds no good key, is refused without showing it."""
    with pytest.raises(InvalidKeys, match=said) as refused:
        read_keys(written(tmp_path / "keys", text, mode))
    assert "ab" * 16 not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        b'{"time":"2026-11-20T11:00:00+01:00", "x":  1e5,"x":2}',
        b'{"time": 5}',
        '"béb\N{BABY}"'.encode(),
        b'{\n  "time": "2026-11-20T10:00:00Z"\n}',
        b"not json \xff\x00",
        b"[" * 100_000,
        b"",
        None,
    ],
)
def test_a_record_is_kept_byte_for_byte(
    home: Path, keys: Keys, key_file: Path, value: bytes | None
) -> None:
    """Whatever a record is, its bytes stand in its entry, and the entry stands on one line."""
    with shelf(home, keys) as held:
        held.append(CHAIN, [entry(0, value)])
    [line] = file_of(home, CHAIN).read_bytes().splitlines()
    found = json.loads(line)
    if found["raw"] is not None:
        assert (base64.b64decode(found["raw"]), found["body"]) == (value, None)
    elif value:
        assert b'"body":' + value + b',"raw":null' in line
    else:
        assert found["body"] is None
    if value and b"11-20T1" in value:
        assert datetime.fromisoformat(found["at"]) == START
    assert verify(home, key_file).exit_code == 0


def test_the_command_says_what_it_found(home: Path, keys: Keys, key_file: Path) -> None:
    """A whole journal is 0; one that was cut is 1, and the entry and the anchor are named."""
    whole = fill(home, keys, range(6))
    result = verify(home, key_file)
    assert result.exit_code == 0
    assert "there is no anchor" in result.stderr
    with shelf(home, keys) as held:
        anchors = Anchors(home / "anchors.jsonl", keys)
        anchors.drop(START, held.heads())
        anchors.close()
    result = verify(home, key_file, "--format", "json")
    assert (result.exit_code, set(reports(result))) == (0, {"anchors", CHAIN})
    assert "as they were written" in result.stderr

    path = file_of(home, CHAIN)
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:4]))
    result = verify(home, key_file)
    assert result.exit_code == 1
    wanted = "entry 5, line 5, truncated: the chain ends after 4 entries, but anchor 1 has seen"
    assert wanted in result.stdout
    path.unlink()
    found = reports(verify(home, key_file, "--format", "json"))[CHAIN]
    assert (found["entries"], found["fault"]["what"]) == (0, "truncated")


def test_offsets_that_kafka_lost_are_told(home: Path, keys: Keys, key_file: Path) -> None:
    """A gap in Kafka's offsets is no fault of the journal, and is said."""
    fill(home, keys, range(3))
    fill(home, keys, range(5, 7))
    result = verify(home, key_file)
    assert result.exit_code == 0
    assert f"{CHAIN}: 2 offsets were not in Kafka any more" in result.stderr


def test_wrong_use_of_the_command(home: Path, key_file: Path) -> None:
    """An empty folder is not taken for a whole journal; what is missing is named."""
    home.mkdir()
    result = verify(home, key_file)
    assert (result.exit_code, "nothing here to verify" in result.stderr) == (1, True)
    assert verify(home / "none", key_file).exit_code == 2
    key_file.chmod(0o644)
    result = verify(home, key_file)
    assert (result.exit_code, "chmod 600" in result.stderr) == (2, True)
    key_file.chmod(0o600)
    result = verify(home, key_file, "--store", f"sqlite:///{home}/none.db")
    assert (result.exit_code, "unreadable: the store cannot be read" in result.stdout) == (1, True)
    assert verify(home, key_file, "--store", "oracle:x").exit_code == 2
