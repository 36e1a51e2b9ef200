"""`inowatch whatif` as it is used: tables, lines for machines, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of

SCENARIOS = Path(__file__).parents[1] / "scenarios"
TWO = ("--profile", "default", "--profile", "floor-2")


def whatif(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    command = [sys.executable, "-m", "streams.cli", "whatif", *words]
    return subprocess.run(command, capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recording that ends with a stop from 2 ppm."""
    path = tmp_path_factory.mktemp("recording") / "weaned.ndjson"
    records = records_of(read_scenario(SCENARIOS / "weaned-to-2.yaml"))
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return str(path)


def test_for_machines(recording: str) -> None:
    """JSON: one object a difference and the summary last, the same bytes each time."""
    first, second = (whatif(recording, *TWO, "--format", "json") for _ in range(2))
    assert (first.returncode, first.stderr) == (0, b"")
    assert first.stdout == second.stdout
    differs, summary = map(json.loads, first.stdout.splitlines())
    assert (differs["type"], differs["verdict"], differs["rule"]) == (
        "difference",
        "vanishes",
        "abrupt-stop",
    )
    assert [alert["phase"] for alert in differs["old"]] == ["raised", "cleared"]
    assert differs["new"] is None
    assert (summary["type"], summary["from"], summary["to"]) == (
        "summary",
        "2026-03-01T08:00:00Z",
        "2026-03-02T06:30:00.000001Z",
    )
    assert summary["compared"][0]["verdicts"]["vanishes"] == 1


def test_for_people(recording: str) -> None:
    """The summary first, then the differences; what vanishes names the sentence that was lost."""
    done = whatif(recording, *TWO)
    assert done.returncode == 0
    text = done.stdout.decode()
    parts = ("What if:", "Alerts, from", "Load:", "Time in hazard, ", "Differences from")
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert "vanishes, medium: abrupt-stop (1)" in text
    assert "delivery stopped from 2 ppm after 20.0 h" in text


def test_a_profile_that_cannot_be_judged_by(recording: str, tmp_path: Path) -> None:
    """A bad draft is refused before anything is read, with all its faults at once."""
    draft = tmp_path / "nicu-draft.toml"
    draft.write_text(
        'name = "nicu-draft"\nversion = "1"\ninherits = "default"\n[abrupt_stop]\n'
        'hold_s = { value = -3, bound = ">=", source = "a test" }\n'
        '[set_dose_high]\nlimit = { value = 20, bound = ">", source = "a test" }\n'
    )
    words = ("--profile", "default", "--profile", "nicu-draft", "--profiles", str(tmp_path))
    done = whatif(recording, *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"abrupt_stop.hold_s: -3 is not a number" in done.stderr
    assert b"set_dose_high.limit: there is no such number" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (("FILE", "--profile", "default"), 2, b"name two profiles"),
        (("FILE", "--profile", "default", "--profile", "mine"), 2, b"no profile 'mine'"),
        (("FILE", *TWO, "--store", "sqlite:a"), 2, b"recordings or a --store, not both"),
        (("FILE", *TWO, "--recorded"), 2, b"a recording holds no alerts"),
        (
            ("FILE", *TWO, "--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z"),
            2,
            b"--from has to be before --to",
        ),
        (("FILE", *TWO, "--from", "2026-03-02T00:00:00"), 2, b"has no offset"),
        ((*TWO, "--store", "postgres:ward"), 2, b"no store has the scheme"),
        ((*TWO, "--store", "sqlite:not-there.sqlite"), 1, b"there is no not-there.sqlite"),
        (("FILE", *TWO, "--to", "2020-01-01T00:00:00Z"), 1, b"no record to judge"),
    ],
)
def test_what_cannot_be_asked(
    recording: str, words: tuple[str, ...], code: int, fault: bytes
) -> None:
    """Wrong use ends with 2, what is not there with 1, each with a sentence and nothing else."""
    done = whatif(*(recording if word == "FILE" else word for word in words))
    assert (done.returncode, done.stdout) == (code, b"")
    assert fault in done.stderr
    assert b"Traceback" not in done.stderr


def test_refused_lines_are_counted(recording: str, tmp_path: Path) -> None:
    """Lines that cannot be judged are counted on stderr by reason; the rest is judged."""
    path = tmp_path / "rubbish.ndjson"
    path.write_bytes(b"rubbish\n" + Path(recording).read_bytes())
    done = whatif(str(path), *TWO, "--format", "json")
    assert done.returncode == 0
    assert b"1 records refused: not-json" in done.stderr
    assert done.stdout.count(b'"verdict":"vanishes"') == 1
