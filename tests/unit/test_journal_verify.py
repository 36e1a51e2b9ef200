"""`inowatch audit verify` where anchors or whole chains are gone: no good word about nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.journal.anchoring import Anchors
from streams.journal.keys import Keys, read_keys
from streams.journal.shelf import Shelf, file_of
from streams.stores.open import open_store
from tests.unit.test_journal_files import CHAIN, START, entry, written


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Keep a journal of 20 entries, and its anchor elsewhere; return the folder of both."""
    keys = keys_of(tmp_path)
    held = Shelf(tmp_path / "journal", keys)
    held.append(CHAIN, map(entry, range(20)))
    anchors = Anchors(tmp_path / "anchors.jsonl", keys)
    anchors.drop(START, held.heads())
    anchors.close()
    held.close()
    return tmp_path


def keys_of(home: Path) -> Keys:
    """Write a key file, and read it."""
    return read_keys(written(home / "keys", "first " + "ab" * 32))


def verify(home: Path, *words: str, **env: str) -> Result:
    """Run the command on the journal, for machines."""
    command = ["audit", "verify", "--journal", str(home / "journal"), "--format", "json"]
    command += ["--key-file", str(home / "keys"), *words]
    return CliRunner().invoke(
        main, command, env={"INOWATCH_STORE": "", "INOWATCH_ANCHORS": ""} | env
    )


def said(result: Result) -> list[dict[str, Any]]:
    """Read the objects on stdout; the last has the notes."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def cut(home: Path) -> None:
    """Leave 3 of the 20 entries."""
    path = file_of(home / "journal", CHAIN)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))


def test_a_whole_journal_has_notes_for_machines(home: Path) -> None:
    """With its anchors nothing is to be noted; without them the JSON says what cannot be seen."""
    found = verify(home, "--anchors", str(home / "anchors.jsonl"))
    assert (found.exit_code, said(found)[-1]) == (0, {"whole": True, "notes": []})
    found = verify(home)
    assert found.exit_code == 0
    assert said(found)[-1]["whole"] is True
    assert said(found)[-1]["notes"] == [
        "there is no anchor: entries that were cut off an end cannot be missed"
    ]


@pytest.mark.parametrize("by", ["option", "environment"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_named_file_of_anchors_has_to_be_there(home: Path, by: str, *, gone: bool) -> None:
    """A file of anchors that was named and is not there, or is empty, is a fault of its own."""
    anchors = home / "anchors.jsonl"
    cut(home)
    if gone:
        anchors.unlink()
    else:
        anchors.write_bytes(b"")
    if by == "option":
        found = verify(home, "--anchors", str(anchors))
    else:
        found = verify(home, INOWATCH_ANCHORS=str(anchors))
    assert found.exit_code == 1
    report = said(found)[0]
    assert (report["chain"], report["fault"]["what"]) == ("anchors", "missing")
    detail = f"there is no {anchors}" if gone else f"there is no anchor in {anchors}"
    assert report["fault"]["detail"] == detail
    assert "1 of 2 chains are not as they were written" in found.stderr


def test_nothing_is_not_as_it_was_written(home: Path) -> None:
    """An empty journal is no good one, whatever store can be reached; a store is no chain."""
    store = f"sqlite:{home}/store.db"
    open_store(store).close()
    file_of(home / "journal", CHAIN).unlink()
    found = verify(home, "--store", store)
    assert found.exit_code == 1
    assert "nothing here to verify" in found.stderr
    assert "as they were written" not in found.stderr
    assert said(found)[-1]["whole"] is False


def test_a_store_is_not_counted_as_a_chain(home: Path) -> None:
    """The chains that are counted are those of the journal and its anchors."""
    store = f"sqlite:{home}/store.db"
    open_store(store).close()
    found = verify(home, "--store", store, "--anchors", str(home / "anchors.jsonl"))
    assert found.exit_code == 0
    assert "2 chains with 21 entries are as they were written" in found.stderr
