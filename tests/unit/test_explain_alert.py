"""`inowatch explain ALERT_ID`, as it is used: over the embedded store."""

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.profile_book import load_profile, packaged
from schemas.alert import Alert
from schemas.course import Course
from schemas.page import Page
from schemas.profile_change import ProfileChange
from schemas.rejected import Rejected
from schemas.telemetry import DeviceAlarm, Telemetry
from schemas.tick import Tick
from streams.door import admit
from streams.evidence import gather
from streams.scenario.check import run
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of
from streams.stores.open import open_store
from streams.stores.points import points_of

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "tests/scenarios/methb-late-result.yaml"


def inowatch(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli", *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
        env=os.environ | environment,
    )


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with a course, its late result, and a page that was not delivered."""
    scenario = read_scenario(SCENARIO)
    events = [admit(msgspec.json.encode(record)) for record in records_of(scenario)]
    alert = overdue()
    page = Page(
        time=alert.at + timedelta(seconds=2),
        alert=alert.id,
        rule=alert.rule,
        phase=alert.phase,
        priority=alert.priority,
        at=alert.at,
        patient=alert.patient,
        sink="pagerduty",
        attempt=3,
        outcome="failed",
        reason="503",
    )
    order = Course(time=scenario.start, id="c1", patient=alert.patient, payer="s2")
    noisy = Telemetry(
        time=alert.at + timedelta(seconds=1),
        device="d2",
        patient=alert.patient,
        unit=alert.unit,
        bed=alert.bed,
        mode="standby",
        validity="questionable",
        generation="test",
        alarms=(DeviceAlarm(code="low-gas", priority="low", active=True),),
    )
    change = ProfileChange(
        time=scenario.start,
        patient=alert.patient,
        unit=alert.unit,
        cause="course",
        by="dr-1",
        record="c1",
        old="1+floor-2.1",
        new="1+default.1",
    )
    kept = [*events, page, order, noisy, change, *run(scenario)]
    points = [
        point
        for record in kept
        if not isinstance(record, Rejected | Tick)
        for point in points_of(record)
    ]
    assert len(points) == len(kept)
    address = f"sqlite://{tmp_path}/ward.sqlite"
    with closing(open_store(address)) as store:
        store.write(points)
    return address


def overdue() -> Alert:
    """The alert that is asked about."""
    alerts = run(read_scenario(SCENARIO))
    return next(alert for alert in alerts if alert.rule == "methb-first-overdue")


def test_an_alert_is_explained_in_words(address: str) -> None:
    """What was decided, who was told, what was done and known, the samples and the limits."""
    answer = inowatch("explain", overdue().id, "--store", address)
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[:3] == [
        f"methb-first-overdue, alert {overdue().id}",
        "bed 1, nicu, patient p1, in the course since 2026-03-01 08:00:00Z",
        "",
    ]
    parts = "\n".join(lines[2:]).split("\n\n")
    told = {part.strip().splitlines()[0]: part.strip().splitlines()[1:] for part in parts}
    version = load_profile("default").rules_version
    source = "S0; label: measure 4 to 8 h after the start"
    raised, why, since, cleared, why_cleared, _ = told["What was decided"]
    assert raised == (
        "  2026-03-01 16:00:00Z  raised medium:"
        " bed 1: no methemoglobin collected 8 h after the start, limit 8 h"
    )
    assert why == f"      overdue (overdue), value 8 h, limit 8 h, {source}"
    assert since == f"      onset 2026-03-01 16:00:00Z, judged by default, {version}"
    assert cleared.startswith("  2026-03-01 17:00:00Z  cleared medium: bed 1: ")
    assert why_cleared == (
        f"      late-result (the check was collected in time), limit 8 h, {source}"
    )
    assert told["Who was told"] == [
        "  2026-03-01 16:00:02Z  pagerduty failed: 503 (raised medium, attempt 3)"
    ]
    assert told["What people did"] == ["  nothing, as far as this store knows"]
    assert told["What was known of the patient"] == ["  payer: s2 (said 2026-03-01 08:00:00Z)"]
    assert told["Methemoglobin of the course"] == [
        "  2026-03-01 15:30:00Z  3.1 %, final, resulted 2026-03-01 17:00:00Z, after the alert (r1)"
    ]
    samples = told["The samples"]
    assert samples[0] == "  482 from 2026-03-01 07:59:00Z to 2026-03-01 16:00:10Z"
    assert samples[2] == "  2026-03-01 08:00:00Z        ---- start of the course"
    assert "  ... 460 more ..." in samples
    decided = samples.index("  2026-03-01 16:00:00Z        ---- raised")
    assert " ".join(samples[decided + 1].split()) == (
        "2026-03-01 16:00:00Z d1 delivering 20 - - - - -"
    )
    assert samples[decided + 2].endswith("  questionable, test, alarm low-gas")
    assert told["Changes of the profile"] == [
        "  2026-03-01 08:00:00Z  from 1+floor-2.1 to 1+default.1, course by dr-1"
    ]
    assert told["The limits"][0] == (
        "  methb_first.overdue: at or above 8 h; S0; label: measure 4 to 8 h after the start"
    )


def test_an_alert_is_explained_to_machines(address: str) -> None:
    """`--format json` is one object on one line with the same evidence."""
    answer = inowatch("explain", overdue().id, "--format", "json", INOWATCH_STORE=address)
    assert (answer.returncode, answer.stderr) == (0, "")
    with closing(open_store(address)) as store:
        evidence = gather(store, overdue().id, packaged())
    assert json.loads(answer.stdout) == json.loads(msgspec.json.encode(evidence))
    assert answer.stdout.count("\n") == 1


def test_what_cannot_be_explained(address: str, tmp_path: Path) -> None:
    """An unknown id and a store that is not there fail with a sentence; wrong use is told apart."""
    unknown = inowatch("explain", "0" * 32, "--store", address)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == f"Error: {address} holds no alert {'0' * 32}\n"
    nowhere = tmp_path / "nowhere.sqlite"
    absent = inowatch("explain", "0" * 32, "--store", f"sqlite://{nowhere}")
    assert (absent.returncode, absent.stderr) == (1, f"Error: there is no {nowhere}\n")
    assert not nowhere.exists()
    for words in (("0" * 31,), ("0" * 32, "--store", "ward.sqlite"), ()):
        assert inowatch("explain", *words).returncode == 2
