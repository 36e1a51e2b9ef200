"""`inowatch replay`, `simulate` and the recordings that they share, as they are used."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import zstandard

from streams.recording import LONG_BYTES
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def inowatch(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli", *words]
    return subprocess.run(command, capture_output=True, check=False, timeout=120)


def lines_of(name: str) -> bytes:
    """Write a scenario's records as a recording."""
    scenario = read_scenario(SCENARIOS / f"{name}.yaml")
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records_of(scenario))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording with an abrupt stop in it."""
    path = tmp_path / "stop.ndjson"
    path.write_bytes(lines_of("stop-after-5-hours"))
    return path


def test_same_file_same_bytes(recording: Path) -> None:
    """Twice the same recording gives the same bytes, JSON lines and nothing else on stdout."""
    first, second = inowatch("replay", str(recording)), inowatch("replay", str(recording))
    assert first.returncode == 0
    assert first.stderr == b""
    assert first.stdout == second.stdout
    found = [json.loads(line) for line in first.stdout.splitlines()]
    assert [(a["rule"], a["phase"]) for a in found if a["rule"] == "abrupt-stop"] == [
        ("abrupt-stop", "raised"),
        ("abrupt-stop", "cleared"),
    ]
    assert set(found[0]) == {
        *("id", "rule", "phase", "priority", "onset", "at", "patient", "unit", "bed", "device"),
        *("course", "summary", "value", "limit", "unit_of_measure", "reason", "profile"),
        *("rules_version", "source"),
    }


def test_compressed_recordings(recording: Path, tmp_path: Path) -> None:
    """gzip and zstd, also in several frames, are read as they are."""
    raw = recording.read_bytes()
    half = len(raw) // 2
    plain = inowatch("replay", str(recording)).stdout
    packed = {
        "a.ndjson.gz": gzip.compress(raw[:half]) + gzip.compress(raw[half:]),
        "a.ndjson.zst": zstandard.compress(raw[:half]) + zstandard.compress(raw[half:]),
    }
    for name, content in packed.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert inowatch("replay", str(path)).stdout == plain


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_damaged_file_is_an_error(tmp_path: Path, ending: str) -> None:
    """A compressed file that is torn off or none at all is a failure, in words."""
    compress = gzip.compress if ending == ".gz" else zstandard.compress
    for content in (compress(lines_of("lost-for-good"))[:-9], b"not compressed at all"):
        path = tmp_path / f"torn{ending}"
        path.write_bytes(content)
        done = inowatch("replay", str(path))
        assert done.returncode == 1
        assert b"torn" in done.stderr
        assert b"Traceback" not in done.stderr


def test_several_files_are_one_recording(recording: Path, tmp_path: Path) -> None:
    """Files given together are judged as one, in their order."""
    lines = recording.read_bytes().splitlines(keepends=True)
    parts = [tmp_path / "one", tmp_path / "two"]
    parts[0].write_bytes(b"".join(lines[:1000]))
    parts[1].write_bytes(b"".join(lines[1000:]))
    together = inowatch("replay", *map(str, parts))
    assert together.stdout == inowatch("replay", str(recording)).stdout


def test_until_moves_the_clock_on(tmp_path: Path) -> None:
    """`--until` lets fall due what the recording did not live to see."""
    path = tmp_path / "one.ndjson"
    path.write_bytes(lines_of("dose-20-is-not-over").splitlines()[0] + b"\n")
    silent = inowatch("replay", str(path))
    later = inowatch("replay", str(path), "--until", "2026-03-01T16:00:00+00:00")
    assert silent.stdout == b""
    rules = {json.loads(line)["rule"] for line in later.stdout.splitlines()}
    expected = {"telemetry-lost", "methb-first-due", "methb-first-overdue", "eligibility-review"}
    assert rules == expected


def test_rejects_are_kept(recording: Path, tmp_path: Path) -> None:
    """What is refused is counted on stderr and kept, with its place, reason and bytes."""
    clean = inowatch("replay", str(recording)).stdout
    lines = recording.read_bytes().splitlines()
    recording.write_bytes(b"\n".join([lines[0], b"rubbish", b"", *lines[1:], b'{"type":"x"}']))
    kept = tmp_path / "rejects.ndjson"
    done = inowatch("replay", str(recording), "--rejects", str(kept))
    assert done.stdout == clean
    assert b"2 records refused: not-json 1, unknown-type 1" in done.stderr
    first, second = map(json.loads, kept.read_text().splitlines())
    assert (first["file"], first["line"], first["reason"]) == ("stop.ndjson", 2, "not-json")
    assert first["value"] == "cnViYmlzaA=="
    assert second["line"] == len(lines) + 3


def test_rejects_never_overwrite_a_recording(recording: Path) -> None:
    """`--rejects` that names a recording is wrong use, and the recording is whole."""
    before = recording.read_bytes()
    done = inowatch("replay", str(recording), "--rejects", str(recording))
    assert done.returncode == 2
    assert recording.read_bytes() == before


def test_marks_and_line_ends_of_other_systems(recording: Path) -> None:
    """A byte order mark and CRLF change nothing."""
    plain = inowatch("replay", str(recording))
    recording.write_bytes(b"\xef\xbb\xbf" + recording.read_bytes().replace(b"\n", b"\r\n"))
    other = inowatch("replay", str(recording))
    assert other.stdout == plain.stdout
    assert other.stderr == b""


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--until", "yesterday"], b"no RFC 3339 time"),
        (["--until", "2026-03-01T16:00:00"], b"has no offset"),
        (["--profile", "mine"], b"no profile 'mine'; there are default"),
    ],
)
def test_wrong_use(recording: Path, words: list[str], fault: bytes) -> None:
    """Wrong use ends with code 2 and says what is wrong."""
    done = inowatch("replay", str(recording), *words)
    assert done.returncode == 2
    assert fault in done.stderr


def test_long_recordings_show_progress(tmp_path: Path) -> None:
    """A long recording has its progress on stderr, and stdout stays as it is."""
    path = tmp_path / "long.ndjson"
    line = lines_of("dose-20-is-not-over").splitlines()[0] + b"\n"
    path.write_bytes(line * (LONG_BYTES // len(line) + 1))
    done = inowatch("replay", str(path))
    assert done.returncode == 0
    assert b"replay" in done.stderr
    assert done.stdout == b""


def test_simulated_wards_are_the_same_and_can_be_replayed(tmp_path: Path) -> None:
    """`simulate --out` with one seed gives one file, and replay finds the hazard in it."""
    paths = [tmp_path / "a.ndjson", tmp_path / "b.ndjson"]
    for path in paths:
        words = ["--scenario", "dose-high", "--beds", "1", "--seed", "7", "--for", "57600"]
        assert inowatch("simulate", *words, "--out", str(path)).returncode == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()
    told = inowatch("replay", str(paths[0])).stdout
    assert b'"rule":"set-dose-high","phase":"raised"' in told
    assert inowatch("simulate", "--scenario", "list").stdout.count(b"\n") >= 9
