"""Profiles are data: what can be judged by is taken, everything else is refused in words."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.profile_book import InvalidProfile, ProfileBook, load_profile, packaged
from schemas.course import Course
from schemas.encode import encode
from schemas.state import PatientState
from schemas.telemetry import Telemetry
from streams.ward import Ward

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
STOP_FROM_3 = """
name = "nicu-west"
version = "4"
inherits = "floor-2"
units = ["west"]

[abrupt_stop]
floor_ppm = { value = 3.0, bound = ">", source = "local protocol 12" }
hold_min = { value = 1, bound = ">=", source = "local protocol 12" }
"""


def book(tmp_path: Path, **texts: str) -> ProfileBook:
    """Make a site's folder of profiles and read it."""
    for name, text in texts.items():
        tmp_path.joinpath(f"{name.replace('_', '-')}.toml").write_text(text)
    return ProfileBook(tmp_path)


def faults(tmp_path: Path, **texts: str) -> list[str]:
    """Return what is said of profiles that are refused."""
    with pytest.raises(InvalidProfile) as refusal:
        book(tmp_path, **texts)
    return str(refusal.value).splitlines()


def sample(at_s: float, unit: str = "west", patient: str = "p1", ppm: float = 20.0) -> Telemetry:
    """A delivering sample."""
    time = T0 + timedelta(seconds=at_s)
    return Telemetry(
        time=time, device="d1", patient=patient, unit=unit, bed="1", mode="delivering", set_ppm=ppm
    )


def course(at_s: float, profile: str, by: str | None = None) -> Course:
    """A record that names a profile."""
    time = T0 + timedelta(seconds=at_s)
    return Course(time=time, id=f"c{at_s}", patient="p1", profile=profile, by=by)


def test_the_product_has_four_profiles() -> None:
    """The profiles of the product are read, and each keeps its own numbers."""
    assert packaged().names == {"default", "floor-2", "floor-5", "strict"}
    floors = {name: load_profile(name).abrupt_stop.floor_ppm for name in packaged().names}
    assert floors == {"default": 1.0, "floor-2": 2.0, "floor-5": 5.0, "strict": 1.0}
    assert load_profile("strict").measured_dose.tolerance_share == 0.0


def test_a_site_lays_its_numbers_over_one_of_the_product(tmp_path: Path) -> None:
    """What a profile does not say it inherits; a time may be given in another unit of time."""
    limits = book(tmp_path, nicu_west=STOP_FROM_3).named("nicu-west")
    assert limits.abrupt_stop.floor_ppm == 3.0
    assert limits.abrupt_stop.hold == timedelta(minutes=1)
    assert limits.methb_first == load_profile("default").methb_first
    assert limits.sources["abrupt_stop.floor_ppm"] == "local protocol 12"
    assert limits.rules_version.endswith("+nicu-west.4")


def test_a_unit_is_judged_by_its_own_profile(tmp_path: Path) -> None:
    """A unit's profile holds for its patients until their own context names another."""
    ward = Ward(book=book(tmp_path, nicu_west=STOP_FROM_3))
    ward.take(sample(0))
    ward.take(sample(0, unit="east", patient="p2"))
    named = [ward.limits_of(ward.patients[patient]).name for patient in ("p1", "p2")]
    assert named == ["nicu-west", "default"]
    assert ward.changes == []


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Each fault names the file, the key, the value and what would be right."""
    text = """
name = "other"
version = 3
inherits = "default"
units = "west"

[set_dose_high]
limit_ppm = { value = 41.0, bound = ">", source = "x" }
hold_s = { value = -1, bound = ">=", source = "x" }
hold = { value = 1, bound = ">=", source = "x" }

[telemetry_lost]
medium_min = { value = 30, bound = "=>", source = "" }
low_s = 120

[dose_too_high]
limit_ppm = { value = 20.0, bound = ">", source = "x" }
"""
    broken = "name = "
    found = faults(tmp_path, mine=text, broken=broken)
    assert found[0].startswith("broken.toml: Invalid value (at ")
    expected = [
        "dose_too_high: no rule has such a section; there are abrupt_stop, ",
        "version: a text is needed",
        "name: 'other' is not the name of the file",
        "set_dose_high.hold_s: -1 is not a number from 1 to 31622400",
        "set_dose_high.hold: there is no such number; there are clear_hold_s/_min/_h, high_ppm, ",
        "telemetry_lost.medium_min: bound '=>' is none of > >= < <=",
        "telemetry_lost.medium_min: its source is needed, a text",
        "telemetry_lost.low_s: must be a table of value, bound and source",
        "set_dose_high.limit_ppm: 41.0 has to be below set_dose_high.high_ppm, which is 40.0",
        "set_dose_high.limit_ppm: 41.0 has to be below measured_dose.high_ppm, which is 40.0",
        "telemetry_lost.medium: 0:30:00 has to be below telemetry_lost.high, which is 0:15:00",
    ]
    for words in expected:
        assert sum(line.startswith(f"mine.toml: {words}") for line in found) == 1, (words, found)
    assert len(found) == len(expected) + 1


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            '[set_dose_high]\nlimit_ppm = {value = 20, bound = ">=", source = "x"}',
            "the rule has '>'",
        ),
        (
            '[methb_repeat]\ngrace = {value = 0.9, bound = ">", source = "x"}',
            "1 + 0.9 has to be below",
        ),
        (
            '[abrupt_stop]\nhold_h = {value = 3, bound = ">=", source = "x"}',
            "has to be below course.",
        ),
        (
            '[telemetry_lost]\nlow_s = {value = 0, bound = ">=", source = "x"}',
            "0 is not a number from 1",
        ),
        (
            '[supply_low]\nleast_s = {value = 1, bound = ">=", source = "x"}',
            "at most supply_low.least",
        ),
        ("reading_frozen = 5", "5 is no table of numbers"),
    ],
)
def test_a_profile_that_could_not_judge(tmp_path: Path, section: str, words: str) -> None:
    """Numbers by which a rule would never speak, always speak or fail are refused."""
    text = f'name = "a"\nversion = "1"\ninherits = "default"\n{section}\n'
    [fault] = faults(tmp_path, a=text)
    assert words in fault


def test_what_is_no_profile_is_passed_over(tmp_path: Path) -> None:
    """A note beside the profiles is not read, and what comes behind it is."""
    tmp_path.joinpath("a-note.txt").write_text("= no profile")
    assert book(tmp_path, nicu_west=STOP_FROM_3).find("nicu-west") is not None


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder with the name of a profile is a fault of that file."""
    tmp_path.joinpath("a.toml").mkdir()
    assert faults(tmp_path) == ["a.toml: cannot be read: Is a directory"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            {"a": 'name = "a"\nversion = "1"\ninherits=["x"]\n'},
            "a.toml: inherits: names one",
        ),
        ({"a": 'name = "a"\nversion = "1"\n'}, "a.toml: inherits: names one of default"),
        (
            {"a": 'name = "a"\nversion = "1"\ninherits = "b"\n'},
            "a.toml: inherits: no profile 'b'",
        ),
        (
            {"a": 'name = "a"\nversion = "1"\ninherits = "a"\n'},
            "a.toml: inherits: 'a' inherits from itself",
        ),
        (
            {"strict": 'name = "strict"\nversion = "9"\ninherits = "default"\n'},
            "strict.toml: the product has a profile of this name",
        ),
        (
            {
                "a": 'name = "a"\nversion = "1"\ninherits = "default"\nunits = ["west"]\n',
                "b": 'name = "b"\nversion = "1"\ninherits = "default"\nunits = ["west"]\n',
            },
            "b.toml: units: 'west' has the profile a already",
        ),
        (
            {"a": 'name = "a"\nversion = "1"\ninherits = "default"\nunits = [1]\n'},
            "a.toml: units: [1] is no list of units",
        ),
    ],
)
def test_profiles_that_do_not_fit_together(
    tmp_path: Path, texts: dict[str, str], words: str
) -> None:
    """What a file says of other files is checked too."""
    assert any(line.startswith(words) for line in faults(tmp_path, **texts))


def test_a_change_is_noted_and_judged_by_from_then_on() -> None:
    """A record that names another profile: who, when, old and new; what stands is judged anew."""
    ward = Ward()
    ward.take(sample(0))
    ward.clock = T0 + timedelta(seconds=60)
    ward.take(course(60, "strict", by="dr-7"))
    ward.take(course(60, "strict", by="dr-7"))
    [change] = ward.changes
    assert (change.by, change.record, change.cause) == ("dr-7", "c60", "course")
    assert change.time == T0 + timedelta(seconds=60)
    assert (change.old, change.new) == ("3+default.1", "3+strict.1")
    ward.take(course(90, "default"))
    assert [(c.old, c.new, c.by) for c in ward.changes[1:]] == [("3+strict.1", "3+default.1", None)]


def test_limits_that_take_an_alert_back_are_its_reason(tmp_path: Path) -> None:
    """Other limits under which a check is not overdue yet: no result has come, so none is named."""
    later = """
name = "later"
version = "1"
inherits = "default"
[methb_first]
overdue_h = { value = 10, bound = ">=", source = "own" }
"""
    ward = Ward(book=book(tmp_path, later=later))
    ward.take(sample(0))
    ward.advance(T0 + timedelta(hours=9))
    told = ward.take(course(9 * 3600, "later"))
    over = [alert for alert in told if alert.rule == "methb-first-overdue"]
    assert [(alert.phase, alert.reason) for alert in over] == [("cleared", "limits-changed")]


def test_a_first_word_is_a_change_from_what_would_have_judged() -> None:
    """A context that is there before the first sample and names a profile is noted as well."""
    ward = Ward()
    ward.take(course(0, "floor-5", by="dr-7"))
    assert [(c.old, c.new) for c in ward.changes] == [("3+default.1", "3+floor-5.1")]


def test_moving_to_a_unit_with_its_own_profile_is_a_change(tmp_path: Path) -> None:
    """A patient who is moved is judged by the new unit's profile, and it is noted."""
    ward = Ward(book=book(tmp_path, nicu_west=STOP_FROM_3))
    ward.take(sample(0, unit="east"))
    ward.take(sample(10, unit="west"))
    assert [(c.cause, c.unit, c.new) for c in ward.changes] == [("unit", "west", "3+nicu-west.4")]


def test_other_numbers_are_noted_by_the_clock_alone(tmp_path: Path) -> None:
    """A change of numbers over a restart is noted at the first deadline, though nobody sends."""
    before = Ward(book=book(tmp_path, nicu_west=STOP_FROM_3))
    before.take(sample(0))
    changed = STOP_FROM_3.replace('version = "4"', 'version = "5"')
    after = Ward(book=book(tmp_path, nicu_west=changed))
    after.restore(before.patients.values())
    told = after.advance(T0 + timedelta(seconds=121))
    assert [(c.cause, c.new) for c in after.changes] == [("settings", "3+nicu-west.5")]
    assert [(alert.rule, alert.rules_version) for alert in told] == [
        ("telemetry-lost", "3+nicu-west.5")
    ]


def test_other_numbers_after_a_restart_are_a_change(tmp_path: Path) -> None:
    """A site that changes a profile and starts again: each patient's change is noted, once."""
    before = Ward(book=book(tmp_path, nicu_west=STOP_FROM_3))
    before.take(sample(0))
    states = [
        msgspec.json.decode(encode(state), type=PatientState) for state in before.patients.values()
    ]
    changed = STOP_FROM_3.replace('version = "4"', 'version = "5"')
    after = Ward(book=book(tmp_path, nicu_west=changed))
    after.restore(states)
    after.take(sample(10))
    after.take(sample(20))
    assert [(c.cause, c.old, c.new) for c in after.changes] == [
        ("settings", "3+nicu-west.4", "3+nicu-west.5")
    ]


def test_a_profile_that_is_gone_falls_back(tmp_path: Path) -> None:
    """A patient whose profile the site has removed is judged by the unit's or the ward's own."""
    before = Ward(book=book(tmp_path, nicu_west=STOP_FROM_3))
    before.take(course(0, "nicu-west"))
    after = Ward()
    after.restore(before.patients.values())
    after.take(sample(10, unit="east"))
    assert [c.new for c in after.changes] == ["3+default.1"]


def test_the_command_line_takes_a_folder(tmp_path: Path) -> None:
    """`inowatch explain` shows a site's own numbers; a folder with faults is wrong use."""
    tmp_path.joinpath("nicu-west.toml").write_text(STOP_FROM_3)
    command = [sys.executable, "-m", "streams.cli", "explain", "abrupt-stop"]
    command += ["--profiles", str(tmp_path), "--profile", "nicu-west"]
    good = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "local protocol 12" in good.stdout
    tmp_path.joinpath("nicu-west.toml").write_text(STOP_FROM_3.replace("floor_ppm", "flor_ppm"))
    bad = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert bad.returncode == 2
    assert "nicu-west.toml: abrupt_stop.flor_ppm: there is no such number" in bad.stderr
