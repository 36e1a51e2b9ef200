"""Scenario files: faults with their places, differences one can read, a schema that is fresh."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules import RULES
from streams.scenario.check import differences, run
from streams.scenario.conformity import JUDGED
from streams.scenario.file import read_scenario
from streams.scenario.schema import scenario_schema, written_schema
from streams.scenario.timeline import InvalidScenario

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "tests" / "scenarios"

SOUND = """\
scenario: A stop after five hours
source: a test
until: 9 h
timeline:
  - {at: 0, gives: 20}
  - {at: 5 h, mode: off}
  - {at: 6 h, device: d2, sample: {mode: standby}}
  - {at: 6 h, lab: {time: 5 h, value: 1.2}}
only: [abrupt-stop, methb-first-overdue]
expect:
  - {at: 5 h 30 s, rule: abrupt-stop, phase: raised, priority: high}
  - {at: 7 h, rule: abrupt-stop, phase: cleared, reason: course-ended}
"""
KEYS = "gives, mode, silent, sample, refused, lab, course, action, tick"
TIME = "must be a length of time such as 8 h 30 min, or 0"
FAULTS = {
    "unknown key": (
        "until: 9 h",
        "til: 9 h",
        ["1:1: until: is missing", "3:1: til: no such key; perhaps until"],
    ),
    "missing key": ("source: a test\n", "", ["1:1: source: is missing"]),
    "key twice": ("until: 9 h", "until: 9 h\nuntil: 8 h", ["4:1: until: stands twice"]),
    "text wanted": ("a test", "17", ["2:9: source: must be a text, not 17; write it in quotes"]),
    "number wanted": (
        "gives: 20",
        "gives: much",
        ["5:20: timeline, entry 1, gives: must be a number, not 'much'"],
    ),
    "list wanted": ("[abrupt-stop, methb-first-overdue]", "5", ["9:7: only: must be a list"]),
    "mapping wanted": (
        "{time: 5 h, value: 1.2}",
        "[1.2]",
        ["8:20: timeline, entry 4, lab: must be a mapping, not a list"],
    ),
    "more than a dose can be": (
        "gives: 20",
        "gives: 120",
        ["5:20: timeline, entry 1, gives: 120 is more than 100"],
    ),
    "less than a value can be": (
        "1.2",
        "-1.2",
        ["8:39: timeline, entry 4, lab, value: -1.2 is less than 0"],
    ),
    "no length of time": ("until: 9 h", "until: 9 hours", [f"3:8: until: {TIME}, not '9 hours'"]),
    "no time": (
        "until: 9 h",
        "start: 2026-03-01T08:00\nuntil: 9 h",
        ["3:8: start: must be a time with an offset such as 2026-03-01T08:00:00Z"],
    ),
    "unknown rule": (
        "rule: abrupt-stop, phase: raised",
        "rule: abrupt-stopp, phase: raised",
        ["11:26: expect, entry 1, rule: 'abrupt-stopp' is not known; perhaps abrupt-stop"],
    ),
    "unknown rule in only": (
        "methb-first-overdue]",
        "xyz]",
        ["9:21: only, entry 2: 'xyz' is none of set-dose-high, "],
    ),
    "unknown phase": (
        "phase: cleared",
        "phase: clear",
        ["12:41: expect, entry 2, phase: 'clear' is not known; perhaps cleared"],
    ),
    "unknown priority": (
        "priority: high",
        "priority: urgent",
        ["11:64: expect, entry 1, priority: 'urgent' is none of high, info, low, medium"],
    ),
    "unknown reason": (
        "reason: course-ended",
        "reason: x",
        ["12:58: expect, entry 2, reason: 'x' is none of back-in-range, "],
    ),
    "unknown mode": (
        "mode: off",
        "mode: on",
        ["6:21: timeline, entry 2, mode: 'on' is none of backup, calibrating, "],
    ),
    "unknown action": (
        "lab: {time: 5 h, value: 1.2}",
        "action: {action: stop}",
        ["8:32: timeline, entry 4, action, action: 'stop' is not known; perhaps plan-stop"],
    ),
    "unknown profile": (
        "until: 9 h",
        "profile: floor-1\nuntil: 9 h",
        ["3:10: profile: 'floor-1' is not known; perhaps floor-"],
    ),
    "misspelt field of a record": (
        "value: 1.2",
        "valu: 1.2",
        ["8:32: timeline, entry 4, lab, valu: no such key; perhaps value"],
    ),
    "needed field of a record": (
        "{mode: standby}",
        "{set_ppm: 20}",
        ["7:35: timeline, entry 3, sample, mode: is missing"],
    ),
    "record that is refused": (
        "value: 1.2",
        'value: 45, unit: "1"',
        ["8:5: timeline, entry 4: would be refused as out-of-range: 45.0 with unit 1"],
    ),
    "profile of a course": (
        "lab: {time: 5 h, value: 1.2}",
        "course: {profile: floor-1}",
        ["8:5: timeline, entry 4: would be refused as unknown-profile: profile 'floor-1'"],
    ),
    "refused that is none": (
        "sample: {mode: standby}",
        "refused: {mode: standby}",
        ["7:36: timeline, entry 3, refused: would be taken: write it as a sample"],
    ),
    "one patient and many": (
        "{at: 5 h, mode: off}",
        "{at: 5 h, mode: off, patient: p2, patients: 3}",
        ["6:49: timeline, entry 2, patients: stands beside patient, and only one of them can"],
    ),
    "beyond until": (
        "at: 6 h, lab",
        "at: 9 h 1 s, lab",
        ["8:10: timeline, entry 4, at: is beyond until (9 h)"],
    ),
    "expected beyond until": (
        "at: 7 h",
        "at: 10 h",
        ["12:10: expect, entry 2, at: is beyond until (9 h)"],
    ),
    "says nothing": (
        "{at: 5 h, mode: off}",
        "{at: 5 h}",
        [f"6:5: timeline, entry 2: says nothing: one of {KEYS} is needed"],
    ),
    "says too much": (
        "{at: 5 h, mode: off}",
        "{at: 5 h, gives: 5, sample: {mode: off}}",
        ["6:5: timeline, entry 2: says gives and sample: make entries of their own"],
    ),
    "silent and speaking": (
        "mode: off",
        "mode: off, silent: true",
        ["6:34: timeline, entry 2, silent: a silent device gives nothing and has no mode"],
    ),
    "a time that nothing has": (
        "mode: off",
        "mode: off, time: 4 h",
        ["6:32: timeline, entry 2, time: goes with sample, refused only"],
    ),
    "a device that has no part": (
        "at: 6 h, lab",
        "at: 6 h, device: d2, lab",
        ["8:23: timeline, entry 4, device: goes with gives, mode, silent, sample, refused only"],
    ),
    "fields that nothing has": (
        "sample: {mode: standby}",
        "sample: {mode: standby}, with: {no_ppm: 5}",
        ["7:58: timeline, entry 3, with: goes with gives, mode only"],
    ),
    "fields that stand twice": (
        "gives: 20",
        "gives: 20, with: {no_ppm: 5}, cycle: {no_ppm: [5, 6]}",
        ["5:59: timeline, entry 1, cycle, no_ppm: stands in with too, and only one of them"],
    ),
    "a cycle of nothing": (
        "gives: 20",
        "gives: 20, cycle: {no_ppm: []}",
        ["5:40: timeline, entry 1, cycle, no_ppm: is empty"],
    ),
    "a number in a cycle": (
        "gives: 20",
        "gives: 20, cycle: {spo2_pct: [95, 195]}",
        ["5:47: timeline, entry 1, cycle, spo2_pct, entry 2: 195 is more than 100"],
    ),
    "entries of a device out of order": (
        "at: 0, gives: 20",
        "at: 5 h 1 s, gives: 20",
        ["6:10: timeline, entry 2, at: is before the entry above it of d1 at p1"],
    ),
    "expectations out of order": (
        "at: 7 h",
        "at: 5 h",
        ["12:10: expect, entry 2, at: is before the entry above it: write them in the order of"],
    ),
    "begins after it is due": (
        "priority: high",
        "onset: 6 h",
        ["11:61: expect, entry 1, onset: is later than at"],
    ),
    "not looked at": (
        "[abrupt-stop, methb-first-overdue]",
        "[methb-first-overdue]",
        [
            "11:26: expect, entry 1, rule: is not among only, so it would not be looked at",
            "12:21: expect, entry 2, rule: is not among only, so it would not be looked at",
        ],
    ),
    "no steps": ("until: 9 h", "every: 0\nuntil: 9 h", ["3:8: every: must be longer than 0"]),
    "long ago": (
        "until: 9 h",
        "start: 1999-03-01T08:00:00Z\nuntil: 9 h",
        ["3:8: start: must be from 2015 to 2200"],
    ),
    "no YAML": ("until: 9 h", "until: [9 h", ["4:9: while parsing a flow sequence, expected"]),
    "repeated part": ("until: 9 h", "until: *x", ["3:8: *x is not taken: write it out"]),
    "key that is no word": (
        "source: a test",
        "[a]: b",
        ["1:1: source: is missing", "2:1: a key must be a word"],
    ),
    "two documents": ("until: 9 h", "---\nuntil: 9 h", ["3:1: expected a single document"]),
    "character": ("until: 9 h", "until: 9\x07h", ["3:9: the character 0x0007 is not taken"]),
}


def inowatch(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "streams.cli", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def faults_of(path: Path, text: str | bytes) -> list[str]:
    """Read a text as a scenario file; its faults without the file's name, none when it is sound."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    try:
        read_scenario(path)
    except InvalidScenario as wrong:
        lines = str(wrong).splitlines()
        assert all(line.startswith(f"{path}:") for line in lines)
        return [line.removeprefix(f"{path}:") for line in lines]
    return []


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    """What the faults below are made from is right, and `off` needs no quotes."""
    path = tmp_path / "sound.yaml"
    assert faults_of(path, SOUND) == []
    scenario = read_scenario(path)
    assert scenario.timeline[1].mode == "off"
    assert differences(scenario, run(scenario)) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    """Each kind of fault: file, line and column of what is wrong, the way there, the reason."""
    old, new, wanted = FAULTS[name]
    assert SOUND.count(old) == 1, "the change would be in two places"
    found = faults_of(tmp_path / "faulty.yaml", SOUND.replace(old, new))
    for line, begins in zip(found, wanted, strict=True):
        assert line.startswith(begins)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Nothing, no text and a text nested without end are faults with a place, not crashes."""
    path = tmp_path / "faulty.yaml"
    assert faults_of(path, "") == ["1:1: the file is empty"]
    assert faults_of(path, "- a\n") == ["1:1: must be a mapping, not a list"]
    latin = SOUND.replace("A stop", "A st\u00f6p").encode("latin-1")
    assert faults_of(path, latin) == ["1:15: the file is not UTF-8: invalid start byte"]
    assert faults_of(path, "[" * 600 + "]" * 600) == [
        "1:1: lists and mappings are nested too deeply"
    ]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """Whoever mends a file sees everything that is wrong with it, in the order of the lines."""
    faulty = (
        SOUND.replace("gives: 20", "gives: much")
        .replace("mode: off}", "mode: of}")
        .replace("at: 7 h", "at: 10 h")
        .replace("value: 1.2", "valu: 1.2")
    )
    places = [fault.split(": ")[0] for fault in faults_of(tmp_path / "faulty.yaml", faulty)]
    assert places == ["5:20", "6:21", "8:32", "12:10"]


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, len(SOUND)),
    cut=st.integers(0, 12),
    put=st.one_of(
        st.sampled_from(
            [
                "0",
                "-1",
                "1e999",
                "999999 d",
                "{",
                "[",
                "]",
                "- ",
                "\n",
                "? ",
                "&x ",
                "!x ",
                "~",
                "off",
            ]
        ),
        st.text(max_size=5),
    ),
)
def test_any_text_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: str
) -> None:
    """A file with anything changed anywhere is a scenario or has faults; nothing else happens."""
    path = tmp_path_factory.getbasetemp() / "changed.yaml"
    changed = SOUND[:at] + put + SOUND[at + cut :]
    found = faults_of(path, changed.encode(errors="replace"))
    assert found or read_scenario(path).timeline
    assert all(re.match(r"\d+:\d+: .", fault) for fault in found)


def test_the_schema_is_fresh() -> None:
    """The schema beside the scenarios is what the types say and what the command prints."""
    kept = SCENARIOS.joinpath("scenario.schema.json").read_text()
    assert kept == written_schema()
    assert inowatch("scenario", "--schema").stdout == kept


def test_the_schema_says_nothing_that_is_not_judged() -> None:
    """Each keyword of the schema is one that the reader knows, or a note for people."""

    def keywords(part: object, *, names: bool = False) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(keywords, part))
        if not isinstance(part, dict):
            return set()
        inner = [
            keywords(value, names=key in {"properties", "$defs"} and not names)
            for key, value in part.items()
            if key not in {"enum", "required", "default"} or names
        ]
        return set().union(*inner, () if names else part)

    notes = {"$schema", "$defs", "title", "description", "default"}
    assert keywords(scenario_schema()) <= JUDGED | notes


def test_the_schema_knows_every_rule() -> None:
    """A new rule may be expected, and a name that is none may not."""
    schema = json.loads(written_schema())
    rules = schema["$defs"]["Expected"]["properties"]["rule"]["enum"]
    assert rules == [rule.name for rule in RULES]


def difference_of(path: Path, old: str, new: str) -> list[str]:
    """Run the sound scenario with one expectation changed."""
    path.write_text(SOUND.replace(old, new))
    scenario = read_scenario(path)
    return differences(scenario, run(scenario))


def test_a_near_miss_says_what_differs(tmp_path: Path) -> None:
    """Other time, priority, phase, reason or words: the same line shows both, the next says how."""
    path = tmp_path / "scenario.yaml"
    late = difference_of(path, "at: 5 h 30 s", "at: 5 h 31 s")
    assert "\n".join(late) == (
        """\
         expected                              got
unlike   5 h 31 s abrupt-stop raised high      5 h 30 s abrupt-stop raised high stopped p1
           at: expected 5 h 31 s, got 5 h 30 s, 1 s early
           bed 1: delivery stopped from 20 ppm after 5.0 h, weaning goes down to 1 ppm first
same     7 h abrupt-stop cleared course-ended  7 h abrupt-stop cleared high course-ended p1
1 same, 1 unlike"""
    )
    assert "           priority: expected low, got high" in difference_of(
        path, "priority: high", "priority: low"
    )
    assert "           reason: expected resumed, got course-ended" in difference_of(
        path, "reason: course-ended", "reason: resumed"
    )
    assert "           phase: expected escalated, got raised" in difference_of(
        path, "phase: raised", "phase: escalated"
    )
    assert "           onset: expected 4 h, got 5 h, 1 h late" in difference_of(
        path, "priority: high", "onset: 4 h"
    )
    assert "           says: expected 'from 5 ppm' in the sentence" in difference_of(
        path, "priority: high", "says: from 5 ppm"
    )


def test_what_has_no_counterpart(tmp_path: Path) -> None:
    """What did not come is missing; what nobody expected is extra and says its sentence."""
    lines = difference_of(
        tmp_path / "scenario.yaml",
        "at: 7 h, rule: abrupt-stop",
        "at: 8 h, rule: methb-first-overdue",
    )
    assert "\n".join(lines) == (
        """\
         expected                                      got
same     5 h 30 s abrupt-stop raised high              5 h 30 s abrupt-stop raised high stopped p1
extra    -                                             7 h abrupt-stop cleared high course-ended p1
           bed 1: abrupt stop: over, the course ended
missing  8 h methb-first-overdue cleared course-ended  -
1 same, 1 missing, 1 extra"""
    )


def test_who_asks_for_more_chooses_first(tmp_path: Path) -> None:
    """A vague expectation does not take the transition that only it would leave to a strict one."""
    two = SOUND.replace("gives: 20}", "gives: 20}\n  - {at: 0, patient: p2, gives: 2}").replace(
        "mode: off}", "mode: off}\n  - {at: 5 h, patient: p2, mode: off}"
    )
    vague = "  - {at: 5 h 30 s, rule: abrupt-stop, phase: raised}\n"
    strict = "  - {at: 5 h 30 s, rule: abrupt-stop, phase: raised, patient: p1}\n"
    cleared = "  - {at: 7 h, rule: abrupt-stop, phase: cleared}\n"
    path = tmp_path / "two.yaml"
    for first, second in ((vague, strict), (strict, vague)):
        path.write_text(two[: two.index("expect:")] + "expect:\n" + first + second + cleared * 2)
        scenario = read_scenario(path)
        assert differences(scenario, run(scenario)) == []


def test_scenarios_from_the_command_line(tmp_path: Path) -> None:
    """`inowatch scenario` says which hold, which differ and which are faulty, and counts them."""
    good = SCENARIOS / "stop-for-29-seconds.yaml"
    held = inowatch("scenario", str(good))
    assert (held.returncode, held.stderr) == (0, "1 of 1 scenarios hold\n")
    below = tmp_path / "ward" / "stops"
    below.mkdir(parents=True)
    below.joinpath("wrong.yaml").write_text(SOUND.replace("at: 5 h 30 s", "at: 5 h 31 s"))
    below.joinpath("broken.yaml").write_text("scenario: nothing else\n")
    differs = inowatch("scenario", str(tmp_path), str(good))
    assert differs.returncode == 1
    assert differs.stderr == "1 of 3 scenarios hold; not broken, wrong\n"
    assert "differs wrong: A stop after five hours\n" in differs.stdout
    assert "  unlike   5 h 31 s abrupt-stop raised high" in differs.stdout
    assert f"faulty  broken\n  {below}/broken.yaml:1:1: source: is missing\n" in differs.stdout
    assert "\x1b" not in differs.stdout


def test_nothing_to_run_is_wrong_use(tmp_path: Path) -> None:
    """A folder without scenarios does not pass for one in which all hold."""
    for words in ((), (str(tmp_path),), ("--schema", str(tmp_path))):
        answer = inowatch("scenario", *words)
        assert answer.returncode == 2
    assert "there are no scenarios" in inowatch("scenario", str(tmp_path)).stderr
