"""`inowatch policy` as it is used: a recording in, one patient's worksheet out."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
CONTEXT = {
    "born": "2026-02-28T08:00:00Z",
    "gestational_age": "33w6d",
    "indication": "hrf-pphn",
    "payer": "PacificSource",
    "flags": {
        "cdh": False,
        "right_to_left_shunt_dependent": False,
        "conventional_therapy_failed": True,
    },
}


def inowatch(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli", "policy", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def at(hours: float) -> str:
    """Write the time that many hours after the start."""
    return (START + timedelta(hours=hours)).isoformat()


def record(kind: str, hours: float, **fields: Any) -> dict[str, Any]:
    """Make one record of the patient ``p1``."""
    named = {} if kind == "telemetry" else {"id": f"{kind}-{hours}"}
    return {"type": kind, "time": at(hours), "patient": "p1", **named, **fields}


def sample(hours: float, mode: str = "delivering", **fields: Any) -> dict[str, Any]:
    """Make one sample."""
    place = {"device": "d1", "unit": "nicu", "bed": "4", "mode": mode}
    return record("telemetry", hours, **place, **fields)


def course(until_h: int = 6) -> list[dict[str, Any]]:
    """A course of some hours, a sample a minute, closed by a person at its end."""
    minutes = [
        sample(minute / 60, set_ppm=20, fio2_pct=60 if minute % 2 else None, spo2_pct=93)
        for minute in range(until_h * 60)
    ]
    return [
        record("course", -1, **CONTEXT),
        *minutes,
        sample(until_h, mode="off", fio2_pct=21, spo2_pct=99),
        record("action", until_h + 0.1, by="n1", action="close-course", reason="weaned"),
    ]


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write a recording, compressed as its name says."""
    raw = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(raw))
    return path


def sheet_of(path: Path, *words: str) -> dict[str, Any]:
    """Ask for the worksheet as JSON."""
    done = inowatch(str(path), "--patient", "p1", "--format", "json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    sheet: dict[str, Any] = json.loads(done.stdout)
    return sheet


def answers(sheet: dict[str, Any], policy: str) -> dict[str, tuple[str, str]]:
    """Answer and ground of each criterion of a policy; of two ways that of the first."""
    found: dict[str, tuple[str, str]] = {}
    for stage in next(one for one in sheet["policies"] if one["name"] == policy)["stages"]:
        for pathway in stage["pathways"]:
            for one in pathway["criteria"]:
                found.setdefault(one["id"], (one["state"], one["rests_on"]))
    return found


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of one closed course."""
    return write(tmp_path / "ward.ndjson", course())


def test_a_worksheet_for_people(recording: Path) -> None:
    """Each policy that applies with version, date and source; each criterion with its ground."""
    done = inowatch(str(recording), "--patient", "p1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("No verdict on care")
    assert "patient p1, Bed 4, unit nicu" in lines[2]
    heads = [line for line in lines if ", version " in line]
    assert heads == [
        "pacificsource, version 2023-11: review needed",
        "label, version 020845s020: review needed",
        "clinical-summary, version 2025-10-07: review needed",
    ]
    assert "  effective 2020-11-01; S2: PacificSource enterprise policy" in done.stdout
    place = lines.index("      indeterminate  echo evidence of pulmonary hypertension")
    assert lines[place + 1].split("because")[1].strip() == (
        "pulmonary hypertension on echo: not recorded"
    )
    assert lines[place + 2].split("source")[1].strip().startswith("I.A.3.a: echocardiogram")
    assert "    B: perioperative: is for another indication" in lines
    assert "denied" not in done.stdout


def test_a_worksheet_for_machines(recording: Path) -> None:
    """As JSON it is one object, and a course that a person closed is in it with its end."""
    sheet = sheet_of(recording)
    assert sheet["note"].startswith("No verdict on care")
    assert (sheet["payer"], sheet["payer_policy"]) == ("PacificSource", "pacificsource")
    seen = sheet["course"]
    assert (datetime.fromisoformat(seen["start"]), seen["elapsed_h"]) == (START, 6.0)
    assert datetime.fromisoformat(seen["end"]) == START + timedelta(hours=6)
    found = answers(sheet, "pacificsource")
    assert found["gestational-age"] == ("not met", "gestational age at birth: 33w6d")
    assert found["age"] == ("met", "age at the start: 1 d")
    assert found["oxygen-need"] == ("met", "FiO2: 60 %, SpO2: 93 %")
    assert found["duration"] == ("met", "time on therapy: 6 h elapsed, 6 h delivered")


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_recordings(recording: Path, tmp_path: Path, ending: str) -> None:
    """A compressed recording gives the same worksheet."""
    packed = write(tmp_path / f"ward.ndjson{ending}", course())
    assert sheet_of(packed) == sheet_of(recording)


def test_as_of_a_time(recording: Path) -> None:
    """`--at` knows what had arrived by then and nothing later; beyond the end time goes on."""
    early = sheet_of(recording, "--at", at(2))
    assert (early["course"]["end"], early["course"]["elapsed_h"]) == (None, 2.0)
    before = sheet_of(recording, "--at", at(-0.5))
    assert before["course"] is None
    assert answers(before, "label")["newborn"][1] == "age at the start: no course has begun"
    late = sheet_of(recording, "--at", at(30))
    assert late["course"]["elapsed_h"] == 6.0


def test_past_14_days_is_for_a_person(tmp_path: Path) -> None:
    """A course that still runs after 14 days wants review, and no more is said."""
    path = write(tmp_path / "long.ndjson", course()[:-2])
    sheet = sheet_of(path, "--at", at(14 * 24 + 1))
    assert answers(sheet, "pacificsource")["duration"][0] == "not met"
    assert {one["overall"] for one in sheet["policies"]} == {"review needed"}


def test_a_course_that_ended_by_itself_and_one_after_it(tmp_path: Path) -> None:
    """A course that lapsed keeps its end; when another begins the sheet is about that one."""
    ended = [*course(2)[:-1], sample(10, mode="standby")]
    sheet = sheet_of(write(tmp_path / "one.ndjson", ended))
    assert sheet["course"]["end"] == at(2).replace("+00:00", "Z")
    again = [*ended, sample(20, set_ppm=20, spo2_pct=91), sample(21, set_ppm=20)]
    sheet = sheet_of(write(tmp_path / "two.ndjson", again))
    assert datetime.fromisoformat(sheet["course"]["start"]) == START + timedelta(hours=20)
    assert sheet["course"]["end"] is None
    assert sheet["course"]["delivered_h"] == 3.0
    assert answers(sheet, "pacificsource")["oxygen-need"][1] == "FiO2: not recorded"


def test_the_response_is_the_one_that_the_rule_knows(tmp_path: Path) -> None:
    """Around heart surgery the worksheet says when the first improvement was recorded."""
    low = [sample(minute / 60, set_ppm=20, spo2_pct=80) for minute in range(120)]
    better = [sample(2.5 + minute / 60, set_ppm=20, spo2_pct=97) for minute in range(11)]
    heart = record("course", 0, payer="pacificsource", indication="perioperative-chd")
    waiting = sheet_of(write(tmp_path / "low.ndjson", [heart, *low]))
    assert answers(waiting, "pacificsource")["response"] == (
        "indeterminate",
        "improvement or taper: none recorded",
    )
    improved = sheet_of(write(tmp_path / "better.ndjson", [heart, *low, *better]))
    state, ground = answers(improved, "pacificsource")["response"]
    assert state == "met"
    assert ground == "improvement or taper: after 2 h 40 min"


def test_another_payer(recording: Path, tmp_path: Path) -> None:
    """`--payer` shows another payer's policy; one that is recorded and unknown is named so."""
    sheet = sheet_of(recording, "--payer", "bcbsma")
    names = [policy["name"] for policy in sheet["policies"]]
    assert names == ["bcbsma-100", "label", "clinical-summary"]
    unknown = write(tmp_path / "other.ndjson", [record("course", 0, payer="Somebody")])
    done = inowatch(str(unknown), "--patient", "p1")
    assert "payer   Somebody, no policy of theirs is known here" in done.stdout
    nobody = write(tmp_path / "none.ndjson", [sample(0, set_ppm=5)])
    assert "payer   not recorded" in inowatch(str(nobody), "--patient", "p1").stdout


def test_a_version_that_came_later_says_so(recording: Path) -> None:
    """A policy that was not in force when the course began is shown with that word."""
    assert "(the course began before)" not in inowatch(str(recording), "--patient", "p1").stdout
    text = recording.read_text().replace('"2026-0', '"2018-0')
    recording.write_text(text)
    done = inowatch(str(recording), "--patient", "p1")
    assert "effective 2020-11-01 (the course began before); S2" in done.stdout


def test_refused_lines_are_counted(recording: Path) -> None:
    """A line that cannot be read is told on stderr, and the sheet is made of the others."""
    clean = inowatch(str(recording), "--patient", "p1")
    recording.write_text("rubbish\n" + recording.read_text())
    done = inowatch(str(recording), "--patient", "p1")
    assert done.stdout == clean.stdout
    assert done.stderr.startswith("1 records refused: not-json 1; inowatch replay --rejects")


def test_an_unknown_patient_is_answered_with_names(recording: Path) -> None:
    """Ten patients of the file are named, the rest and the refusals counted."""
    others = [
        json.dumps({**sample(1), "patient": f"q{n:02}", "device": f"e{n}"}) for n in range(11)
    ]
    recording.write_text("rubbish\n" + recording.read_text() + "\n".join(others))
    done = inowatch(str(recording), "--patient", "x")
    assert (done.returncode, done.stdout) == (1, "")
    named = ", ".join(["p1", *(f"q{n:02}" for n in range(9))])
    assert f"holds 12 patients: {named} and 2 more\n" in done.stderr
    assert "1 records refused: not-json 1; inowatch replay --rejects" in done.stderr


def test_the_example_of_the_readme(tmp_path: Path) -> None:
    """What README says of a simulated ward can be typed as it stands there."""
    text = (ROOT / "README.md").read_text()
    for start in ("simulate --scenario", "policy ward.ndjson"):
        (words,) = (
            line.split("bin/inowatch ")[1].split()
            for line in text.splitlines()
            if line.startswith(f"    .venv/bin/inowatch {start}")
        )
        command = [sys.executable, "-m", "streams.cli", *words]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path, env=env
        )
        assert done.returncode == 0, done.stderr
    assert "pacificsource, version 2023-11: " in done.stdout


def test_what_cannot_be_shown(recording: Path, tmp_path: Path) -> None:
    """An unknown patient or a damaged file fails with a sentence; wrong use says what is right."""
    unknown = inowatch(str(recording), "--patient", "p2")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert f"no patient 'p2': {recording} holds 1 patient: p1\n" in unknown.stderr
    early = inowatch(str(recording), "--patient", "p1", "--at", at(-9))
    assert early.returncode == 1
    assert "holds 0 patients up to 2026-02-28T23:00:00+00:00" in early.stderr
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(recording.read_bytes())[:-9])
    damaged = inowatch(str(torn), "--patient", "p1")
    assert damaged.returncode == 1
    assert "cannot be read to its end" in damaged.stderr
    for words, fault in (
        (["--payer", "aetna"], "no policy of a payer 'aetna'; there are bcbsma-100, pacificsource"),
        (["--profile", "mine"], "no profile 'mine'"),
        (["--at", "yesterday"], "no RFC 3339 time"),
        (["--format", "xml"], "'xml' is not one of"),
    ):
        wrong = inowatch(str(recording), "--patient", "p1", *words)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert fault in wrong.stderr
    assert inowatch(str(recording)).returncode == 2
    assert inowatch(str(tmp_path / "nothing"), "--patient", "p1").returncode == 2


def test_a_broken_policy_stops_the_start(recording: Path, tmp_path: Path) -> None:
    """Workers do not start with policies that cannot be read, and the command says why too."""
    copy = tmp_path / "copy"
    for package in ("alerts", "deploy", "schemas", "streams"):
        shutil.copytree(ROOT / package, copy / package, ignore=lambda *_: ["__pycache__"])
    label = copy / "alerts/policies/label.toml"
    label.write_text(label.read_text().replace("34w0d", "34.0"))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streams.cli", *words]
        env = {**os.environ, "INOWATCH_KAFKA": "127.0.0.1:1", "PYTHONPATH": str(copy)}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, cwd=copy, env=env
        )

    fault = "label.toml: pathway[1].criterion[3].tests[1].above: '34.0' is not a gestational age"
    workers = run("run", "monitor")
    assert workers.returncode == 2
    assert fault in workers.stderr
    command = run("policy", str(recording), "--patient", "p1")
    assert command.returncode == 1
    assert fault in command.stderr
