"""History judged by other limits: hand-made recordings where the right answer is known."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.profile_book import ProfileBook
from schemas.alert import Alert
from schemas.encode import encode
from streams.scenario.file import read_scenario
from streams.scenario.timeline import records_of
from streams.simulate.recording import to_file
from streams.simulate.ward import ward
from streams.whatif.command import Ask, whatif_of_files
from streams.whatif.coverage import Answer, Trade
from streams.whatif.difference import VERDICTS
from streams.whatif.hazard import HAZARDS
from streams.whatif.judging import NothingRecorded
from streams.whatif.report import Differs, Report

START = datetime.fromisoformat("2026-03-01T08:00:00Z")
H, MIN, S = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
PROFILES = """\
dose-25:   [set_dose_high] limit_ppm = 25.0 >
hold-60:   [set_dose_high] hold_s = 60 >=
high-20:   [set_dose_high] high_ppm = 20.5 >
clear-600: [set_dose_high] clear_hold_s = 600 >=
near-200:  [course_14_days] near_h = 200 >=
pause-9:   [course] interruption_h = 9 <=
"""
Judge = Callable[..., Report]


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """A site's folder: each profile changes one number of the default."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    for line in PROFILES.splitlines():
        name, section, key, _, value, bound = line.replace(":", "").split()
        entry = f'{key} = {{ value = {value}, bound = "{bound}", source = "a test" }}'
        text = f'name = "{name}"\nversion = "1"\ninherits = "default"\n{section}\n{entry}\n'
        folder.joinpath(f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def judge(tmp_path: Path, profiles: Path) -> Judge:
    """Judge a timeline by two profiles; ``start`` and ``stop`` are lengths since its start."""

    def judged(  # noqa: PLR0913 - what differs from case to case
        timeline: str,
        old: str,
        new: str,
        *,
        until: str,
        every: str = "10 s",
        start: timedelta | None = None,
        stop: timedelta | None = None,
        unit: str | None = None,
        keep_named: bool = False,
    ) -> Report:
        path = tmp_path / "story.yaml"
        path.write_text(
            f"scenario: a\nsource: a test\nevery: {every}\nuntil: {until}\n"
            f"timeline:\n{timeline}\nexpect: []\n"
        )
        recording = tmp_path / "story.ndjson"
        records = records_of(read_scenario(path))
        recording.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
        ask = Ask(
            (old, new),
            ProfileBook(profiles),
            keep_named,
            None if start is None else START + start,
            None if stop is None else START + stop,
            unit,
        )
        found, refused = whatif_of_files((recording,), ask)
        assert not refused
        return found

    return judged


HIGH_FOR_10_MIN = """\
  - {at: 0, gives: 20}
  - {at: 1 h, gives: 21}
  - {at: 1 h 10 min, gives: 20}"""
WEANED_TO_2 = """\
  - {at: 0, gives: 20}
  - {at: 4 h, gives: 10}
  - {at: 8 h, gives: 5}
  - {at: 12 h, gives: 3}
  - {at: 16 h, gives: 2}
  - {at: 20 h, mode: "off"}"""


def of_rule(found: Report, rule: str) -> Differs:
    """The one difference that there is about a rule."""
    (one,) = (differs for differs in found.differs if differs.rule == rule)
    return one


def hazard(found: Report, rule: str) -> tuple[Trade, Answer, Answer]:
    """The hazard of a rule, and what both sides made of it."""
    (trade,) = (trade for trade in found.summary.hazards if trade.rule == rule)
    old, new = trade.answers
    return trade, old, new


def phases(told: list[Alert] | None) -> list[tuple[str, timedelta]]:
    """Phases of an alert and when they came, since the start."""
    return [(alert.phase, alert.at - START) for alert in told or []]


def test_a_higher_limit_makes_an_alert_vanish(judge: Judge) -> None:
    """21 ppm for 10 min is an alert by 20 ppm and none by 25; the hazard is there all the same."""
    found = judge(HIGH_FOR_10_MIN, "default", "dose-25", until="2 h")
    differs = of_rule(found, "set-dose-high")
    assert differs.verdict == "vanishes"
    assert differs.new is None
    assert phases(differs.old) == [("raised", H + 10 * S), ("cleared", H + 10 * MIN + 10 * S)]
    trade, old, new = hazard(found, "set-dose-high")
    assert (trade.episodes, trade.hazard_min) == (1, 10.0)
    assert (old.told, old.covered_share, old.longest_untold_s) == (1, 0.983333, 10.0)
    assert (new.told, new.covered_share, new.longest_untold_s) == (0, 0.0, 600.0)
    assert (old.median_late_s, old.worst_late_s, old.beside) == (10.0, 10.0, 0)
    assert (new.median_late_s, new.worst_late_s, new.alerts) == (None, None, 0)


def test_the_other_way_round_it_appears(judge: Judge) -> None:
    """What vanishes from one to the other appears from the other to the one."""
    found = judge(HIGH_FOR_10_MIN, "dose-25", "default", until="2 h")
    assert [(one.verdict, one.rule) for one in found.differs] == [("appears", "set-dose-high")]
    (compared,) = found.summary.compared
    assert compared.verdicts["appears"] == compared.by_rule["set-dose-high"]["appears"] == 1


def test_a_lower_floor_makes_a_stop_vanish(judge: Judge) -> None:
    """Weaned to 2 ppm: an abrupt stop by the default, none by floor-2, and nothing else changes."""
    found = judge(WEANED_TO_2, "default", "floor-2", until="22 h 30 min", every="60 s")
    assert [(one.verdict, one.rule) for one in found.differs] == [("vanishes", "abrupt-stop")]
    trade, old, new = hazard(found, "abrupt-stop")
    assert (trade.episodes, trade.hazard_min) == (1, 120.0)
    assert (old.told, old.worst_late_s, new.told) == (1, 30.0, 0)


def test_a_longer_hold_moves_an_alert(judge: Judge) -> None:
    """60 s of hold in place of 10 raise it 50 s later; it is the same alert."""
    differs = of_rule(judge(HIGH_FOR_10_MIN, "default", "hold-60", until="2 h"), "set-dose-high")
    assert (differs.verdict, differs.moved_s) == ("moved", 50.0)
    assert differs.old is not None
    assert differs.new is not None
    assert differs.old[0].id == differs.new[0].id


def test_another_tier_is_another_priority(judge: Judge) -> None:
    """High from 20.5 ppm on: the alert of 21 ppm comes at the same moment, more urgent."""
    differs = of_rule(judge(HIGH_FOR_10_MIN, "default", "high-20", until="2 h"), "set-dose-high")
    assert (differs.verdict, differs.moved_s, differs.priority) == ("priority", 0.0, "high")


def test_what_lasts_longer(judge: Judge) -> None:
    """A longer clearing hold changes only the end, and the time that it is open beside a hazard."""
    found = judge(HIGH_FOR_10_MIN, "default", "clear-600", until="2 h")
    assert of_rule(found, "set-dose-high").verdict == "lasts"
    _, old, new = hazard(found, "set-dose-high")
    assert (round(old.beside_min * 60), new.beside_min) == (10, 10.0)


def test_raised_again_within_one_that_is_open(judge: Judge) -> None:
    """Two alerts that the other side keeps as one: nothing is lost, and nothing is new."""
    timeline = (
        HIGH_FOR_10_MIN + "\n  - {at: 1 h 15 min, gives: 21}\n  - {at: 1 h 20 min, gives: 20}"
    )
    found = judge(timeline, "default", "clear-600", until="2 h")
    (compared,) = found.summary.compared
    verdicts = compared.by_rule["set-dose-high"]
    assert (verdicts["joins"], verdicts["lasts"], verdicts["vanishes"]) == (1, 1, 0)
    back = judge(timeline, "clear-600", "default", until="2 h").summary.compared[0]
    assert (back.by_rule["set-dose-high"]["splits"], back.verdicts["appears"]) == (1, 0)


def test_another_course_is_the_same_alert(judge: Judge) -> None:
    """A profile that cuts courses differently does not lose what both of them say."""
    timeline = """\
  - {at: 0, gives: 20}
  - {at: 1 h, mode: standby}
  - {at: 6 h, gives: 20}
  - {at: 15 h, gives: 21}"""
    found = judge(timeline, "default", "pause-9", until="16 h", every="60 s")
    assert "set-dose-high" not in {one.rule for one in found.differs}
    due = of_rule(found, "methb-first-overdue")
    assert due.verdict in ("priority", "moved")
    assert due.old is not None
    assert due.new is not None
    assert due.old[0].course != due.new[0].course


def test_a_check_in_time_is_no_hazard(judge: Judge) -> None:
    """Collected at 7.5 h and resulted at 9 h: the alert of 8 h has no hazard behind it."""
    timeline = "  - {at: 0, gives: 20}\n  - {at: 9 h, lab: {time: 7 h 30 min, value: 1.2}}"
    trade, old, _ = hazard(
        judge(timeline, "default", "default", until="10 h", every="60 s"), "methb-first-overdue"
    )
    assert (trade.episodes, trade.hazard_min, old.covered_share) == (0, 0.0, None)
    assert (old.alerts, old.beside, old.beside_min) == (1, 1, 60.0)


def test_a_check_that_is_late_ends_when_it_is_collected(judge: Judge) -> None:
    """Collected at 8.5 h and resulted at 9 h: half an hour of hazard, an hour of alert."""
    timeline = "  - {at: 0, gives: 20}\n  - {at: 9 h, lab: {time: 8 h 30 min, value: 1.2}}"
    trade, old, _ = hazard(
        judge(timeline, "default", "default", until="10 h", every="60 s"), "methb-first-overdue"
    )
    assert (trade.episodes, trade.hazard_min, old.covered_share) == (1, 30.0, 1.0)
    assert (old.alerts, old.beside, old.beside_min) == (1, 0, 30.0)


def test_nobody_knows_what_a_silent_device_gives(judge: Judge) -> None:
    """Too high a dose counts until 2 min after the last sample; then the silence counts."""
    timeline = """\
  - {at: 0, gives: 20}
  - {at: 1 h, gives: 25}
  - {at: 1 h 10 min, silent: true}
  - {at: 1 h 40 min, gives: 20}"""
    found = judge(timeline, "default", "dose-25", until="2 h")
    high, _, _ = hazard(found, "set-dose-high")
    silent, old, _ = hazard(found, "telemetry-lost")
    last = 10 * MIN - 10 * S
    assert high.hazard_min == pytest.approx((last + 2 * MIN) / MIN, abs=0.001)
    assert silent.hazard_min == pytest.approx((30 * MIN + 10 * S - 2 * MIN) / MIN, abs=0.001)
    assert (old.covered_share, old.worst_late_s) == (1.0, 0.0)


def test_a_unit_that_is_told_of_as_one_covers_its_patients(judge: Judge) -> None:
    """Forty silent devices are forty hazards, and one alert for the unit is open about each."""
    timeline = """\
  - {at: 0, patients: 40, gives: 20}
  - {at: 10 min, patients: 40, silent: true}
  - {at: 20 min, patients: 40, gives: 20}"""
    found = judge(timeline, "default", "strict", until="21 min")
    trade, old, _ = hazard(found, "telemetry-lost")
    assert (trade.episodes, old.told, old.alerts, old.beside) == (40, 40, 1, 0)
    assert old.covered_share == 1.0
    assert old.longest_untold_s == 0.0


def test_what_was_under_way_is_judged_from_its_start(judge: Judge) -> None:
    """Only what is told within the window counts, and a course older than it keeps its hours."""
    timeline = "  - {at: 0, gives: 20}\n  - {at: 5 h, gives: 21}\n  - {at: 5 h 10 min, gives: 20}"
    found = judge(
        timeline, "default", "dose-25", until="13 h", every="60 s", start=7 * H, stop=12 * H
    )
    assert found.differs == []
    (compared,) = found.summary.compared
    assert {rule for rule, counts in compared.by_rule.items() if counts["same"]} == {
        "methb-first-overdue"
    }
    assert (found.summary.start, found.summary.to) == (START + 7 * H, START + 12 * H)
    assert found.summary.patient_days == round(5 / 24, 3)
    trade, _, _ = hazard(found, "methb-first-overdue")
    assert trade.hazard_min == 240.0


def test_an_alert_that_moves_over_the_edge_is_no_loss(judge: Judge) -> None:
    """Raised just before the window by one and within it by the other: moved, not appeared."""
    found = judge(HIGH_FOR_10_MIN, "default", "hold-60", until="2 h", start=H + 30 * S, stop=2 * H)
    assert of_rule(found, "set-dose-high").verdict == "moved"
    old, new = found.summary.load
    assert (old.alerts["medium"], new.alerts["medium"]) == (0, 1)


def test_what_comes_later_is_not_known(judge: Judge) -> None:
    """The history ends at ``--to``: an alert that is cleared later is still open."""
    found = judge(HIGH_FOR_10_MIN, "default", "dose-25", until="2 h", stop=H + 5 * MIN)
    differs = of_rule(found, "set-dose-high")
    assert [phase for phase, _ in phases(differs.old)] == ["raised"]
    trade, old, _ = hazard(found, "set-dose-high")
    assert (trade.hazard_min, old.covered_share) == (5.0, round(29 / 30, 6))


def test_a_named_profile_gives_way_unless_it_is_kept(judge: Judge) -> None:
    """A context that names floor-2 is overruled by the profile in question, or kept on request."""
    timeline = WEANED_TO_2 + "\n  - {at: 1 h, course: {profile: floor-2}}"
    overruled = judge(timeline, "default", "floor-2", until="22 h 30 min", every="60 s")
    assert of_rule(overruled, "abrupt-stop").verdict == "vanishes"
    kept = judge(timeline, "default", "floor-2", until="22 h 30 min", every="60 s", keep_named=True)
    assert kept.differs == []


def test_one_unit(judge: Judge) -> None:
    """What is about another unit neither counts nor is shown."""
    timeline = f"""{HIGH_FOR_10_MIN}
  - {{at: 0, patient: p2, device: d2, gives: 20, with: {{unit: east}}}}
  - {{at: 1 h, patient: p2, device: d2, gives: 30, with: {{unit: east}}}}
  - {{at: 1 h 30 min, patient: p2, device: d2, gives: 20, with: {{unit: east}}}}"""
    both = judge(timeline, "default", "dose-25", until="2 h").summary
    east = judge(timeline, "default", "dose-25", until="2 h", unit="east")
    assert (both.patients, east.summary.patients) == (2, 1)
    assert east.summary.patient_days == round(2 / 24, 3)
    assert {one.unit for one in east.differs} <= {"east"}
    trade, old, new = hazard(east, "set-dose-high")
    assert (trade.hazard_min, old.told, new.told) == (30.0, 1, 1)


def test_the_load_of_a_ward(judge: Judge) -> None:
    """Alerts by their highest priority, pages by what the pager sends, tier by tier."""
    timeline = "  - {at: 0, gives: 20}"
    found = judge(timeline, "default", "strict", until="24 h", every="60 s")
    load = found.summary.load[0]
    assert load.name == "default"
    assert load.alerts == {"info": 2, "low": 0, "medium": 0, "high": 1}
    assert load.pages == {"info": 0, "low": 0, "medium": 1, "high": 1}
    assert (load.alerts_a_patient_day, load.pages_a_patient_day) == (3.0, 2.0)


def test_what_the_last_record_brings_counts(judge: Judge) -> None:
    """An alert of the very last moment is in the window; therapies that may be older are named."""
    timeline = "  - {at: 0, gives: 20}\n  - {at: 5 h, lab: {time: 4 h 30 min, value: 8}}"
    found = judge(timeline, "default", "strict", until="5 h", every="60 s").summary
    assert found.compared[0].by_rule["methb-high"]["same"] == 1
    assert any("under way when the first sample came: 1." in doubt for doubt in found.doubts)


def test_long_histories_say_how_far_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After each so many records a line on stderr has their number and the time reached."""
    monkeypatch.setattr("streams.whatif.judging.PROGRESS_RECORDS", 1000)
    path = tmp_path / "ward.ndjson"
    begin = datetime.fromisoformat("2026-01-15T12:00:00Z")
    to_file(ward(2, "correct-care", 3, begin, begin, begin + 20 * H, period_s=60.0), path)
    ask = Ask(("default", "default"), ProfileBook(), False, None, None, None)
    found, _ = whatif_of_files((path,), ask)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == found.summary.records // 1000 > 0
    assert all("reached 2026-01-1" in line for line in lines)


def test_a_profile_and_itself(tmp_path: Path) -> None:
    """A whole simulated ward judged twice by one profile shows no difference at all."""
    path = tmp_path / "ward.ndjson"
    begin = datetime.fromisoformat("2026-01-15T12:00:00Z")
    to_file(ward(4, "dose-high", 3, begin, begin, begin + 30 * H, period_s=60.0), path)
    ask = Ask(("default", "default"), ProfileBook(), False, None, None, None)
    found, _ = whatif_of_files((path,), ask)
    verdicts = found.summary.compared[0].verdicts
    assert found.differs == []
    assert verdicts["same"] == sum(verdicts.values()) > 10
    for trade in found.summary.hazards:
        assert msgspec.structs.replace(trade.answers[0]) == trade.answers[1]
    assert encode(found.summary) == encode(whatif_of_files((path,), ask)[0].summary)


def test_seen_from_the_other_side(tmp_path: Path) -> None:
    """What vanishes one way appears the other way, what joins splits, and nothing else changes."""
    path = tmp_path / "ward.ndjson"
    begin = datetime.fromisoformat("2026-01-15T12:00:00Z")
    to_file(ward(2, "sensor-noise", 3, begin, begin, begin + 8 * H, period_s=60.0), path)
    there, back = (
        whatif_of_files((path,), Ask(names, ProfileBook(), False, None, None, None))[0].summary
        for names in (("default", "strict"), ("strict", "default"))
    )
    verdicts, mirrored = there.compared[0].verdicts, back.compared[0].verdicts
    other = {"vanishes": "appears", "appears": "vanishes", "joins": "splits", "splits": "joins"}
    assert verdicts == {verdict: mirrored[other.get(verdict, verdict)] for verdict in VERDICTS}
    assert verdicts["appears"] > 20
    assert [trade.answers for trade in there.hazards] == [
        trade.answers[::-1] for trade in back.hazards
    ]


def test_the_definitions_are_written_down() -> None:
    """The page for people names each hazard and each verdict in the words of the code."""
    page = Path(__file__).parents[2].joinpath("docs", "whatif.md").read_text()
    assert all(f"| `{rule}` | {says} |" in page for rule, says in HAZARDS.items())
    assert all(f"| `{verdict}` |" in page for verdict in VERDICTS)


def test_nothing_to_judge(judge: Judge) -> None:
    """A history without a record before its end is said to be empty."""
    with pytest.raises(NothingRecorded):
        judge("  - {at: 1 h, gives: 20}", "default", "strict", until="2 h", stop=H)
