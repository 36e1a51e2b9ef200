"""What a demo leaves for `inowatch audit`, and where it records when it is told."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.demo_recording import demo_recording, keep_recording
from streams.stores.open import open_store
from streams.stores.port import Point

T = datetime(2026, 3, 1, tzinfo=UTC)


def point(value: float) -> Point:
    """Something that was recorded."""
    return Point("telemetry", {"patient": "p"}, {"set_ppm": value}, T)


def test_a_recording_takes_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is copied whole while the recorder still has it open; nothing of the old one stays."""
    monkeypatch.setenv("INOWATCH_DATA", str(tmp_path / "data"))
    for value in (1.0, 2.0):
        with closing(open_store(f"sqlite:{tmp_path}/{value}.sqlite")) as recorder:
            recorder.write([point(value)])
            keep_recording(tmp_path / f"{value}.sqlite")
        kept = demo_recording()
        assert [path.name for path in kept.parent.iterdir()] == ["demo.sqlite"]
        with closing(open_store(f"sqlite:{kept}", make=False)) as store:
            assert list(store.read("telemetry", T, T.replace(year=2027))) == [point(value)]
        # As a reader leaves it who was killed: its log is no part of the next recording.
        kept.with_name("demo.sqlite-wal").write_bytes(b"old")


def test_what_cannot_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that takes no file is an error for the demo to tell."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INOWATCH_DATA", str(tmp_path / "file"))
    with pytest.raises((OSError, sqlite3.Error)):
        keep_recording(tmp_path / "none.sqlite")


def test_a_wrong_store_is_told_before_anything_starts() -> None:
    """The demo checks the address that it is to record into."""
    done = CliRunner().invoke(main, ["demo", "--store", "oracle:x", "--no-browser"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no store has the scheme" in done.stderr
