"""What if, from every store alike: the history that was kept, and what was told then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.profile_book import ProfileBook
from schemas.alert import Alert
from schemas.rejected import DeadLetter
from streams.replay import replay, replay_until
from streams.simulate.recording import to_file
from streams.simulate.ward import Arrival, ward
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.port import Point
from streams.ward import Ward
from streams.whatif.command import Ask, reading_from, whatif_of_files, whatif_of_store
from streams.whatif.report import Report

BEGIN = datetime(2026, 1, 15, 12, tzinfo=UTC)
H = timedelta(hours=1)


def ask(*names: str, start: datetime | None = None, stop: datetime | None = None) -> Ask:
    """Ask about packaged profiles."""
    return Ask(names, ProfileBook(), False, start, stop, None)


@pytest.fixture(scope="module")
def arrivals() -> list[Arrival]:
    """Sixteen hours of a ward with too high doses and late results, a sample a minute."""
    return list(ward(4, "dose-high", 7, BEGIN, BEGIN, BEGIN + 16 * H, period_s=60.0))


@pytest.fixture(scope="module")
def recording(arrivals: list[Arrival], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("recording") / "ward.ndjson"
    to_file(arrivals, path)
    return path


@pytest.fixture(scope="module")
def told(recording: Path) -> list[Alert]:
    """What the monitor said then."""
    judge = Ward()
    lines = recording.read_bytes().splitlines()
    return [*replay(lines, judge, lambda *_: None), *replay_until(judge, None)]


@pytest.fixture
def filled(store_url: str, arrivals: list[Arrival], told: list[Alert]) -> str:
    """A store with all of it: inputs and alerts."""
    points: list[Point] = []
    for arrival in arrivals:
        points += points_of(arrival.record)
    for alert in told:
        points += points_of(alert)
    keep(store_url, points)
    return store_url


def keep(url: str, points: list[Point]) -> None:
    """Write points into a store."""
    store = open_store(url)
    store.write(points)
    store.close()


def bare(report: Report) -> bytes:
    """A report without what is about its source: a recording may repeat records."""
    summary = msgspec.structs.replace(report.summary, doubts=[], records=0)
    return msgspec.json.encode([report.differs, summary])


def test_a_store_and_its_recording(filled: str, recording: Path) -> None:
    """The same history gives the same report, from a file or from a store."""
    asked = ask("default", "strict")
    of_file, refused = whatif_of_files((recording,), asked)
    of_store = whatif_of_store(filled, asked, recorded=False)
    assert not refused
    assert len(of_file.differs) > 100
    assert bare(of_store) == bare(of_file)
    assert any("keeps no arrivals" in doubt for doubt in of_store.summary.doubts)


def test_what_was_said_then(filled: str, told: list[Alert]) -> None:
    """The rules as they are say what was recorded; an alert that was not told then appears."""
    other = msgspec.structs.replace(told[0], id="f" * 32)
    blind = msgspec.structs.replace(other, rule="monitor-blind", patient="*", unit="*")
    gone = msgspec.structs.replace(other, rule="a-rule-of-old", rules_version="0+default.1")
    keep(filled, [*points_of(blind), *points_of(gone)])
    found = whatif_of_store(filled, ask("default", "strict"), recorded=True)
    then, again = found.summary.compared
    assert (then.old_side, then.new_side, again.new_side) == ("recorded", "default", "strict")
    assert [(one.verdict, one.rule) for one in found.differs if one.old_side == "recorded"] == [
        ("vanishes", "a-rule-of-old")
    ]
    assert then.verdicts["same"] > 5
    assert found.summary.load[0].judged_by == ["0+default.1", told[0].rules_version]


def test_only_the_window_counts(filled: str, told: list[Alert]) -> None:
    """A question about some hours finds what was told in them, each therapy from its start."""
    start, stop = BEGIN + 8 * H, BEGIN + 14 * H
    asked = ask("default", start=start, stop=stop)
    found = whatif_of_store(filled, asked, recorded=True)
    assert found.differs == []
    within = [a for a in told if a.phase == "raised" and start <= a.at < stop]
    assert found.summary.compared[0].verdicts["same"] == len(within) > 0
    assert (found.summary.start, found.summary.to) == (start, stop)
    assert reading_from(asked) == start - timedelta(days=15)


def test_transitions_of_one_moment(filled: str, told: list[Alert]) -> None:
    """Raised and over at one instant: the store may give them in any order, and it is one alert."""
    raised = msgspec.structs.replace(told[0], id="e" * 32, phase="raised")
    over = msgspec.structs.replace(raised, phase="cleared")
    keep(filled, [*points_of(over), *points_of(raised)])
    found = whatif_of_store(filled, ask("default"), recorded=True)
    (differs,) = (one for one in found.differs if one.old and one.old[0].id == "e" * 32)
    assert [alert.phase for alert in differs.old or []] == ["raised", "cleared"]


def test_what_was_refused_counts(filled: str) -> None:
    """Dead letters of a device are judged as refused records, those of the recorder are not."""
    raw = b'{"type":"telemetry","device":"d-9","mode":"asleep"}'
    letter = DeadLetter(
        time=BEGIN,
        topic="ino.telemetry",
        partition=2,
        offset=0,
        reason="unknown-value",
        detail="",
        key=None,
        value=raw,
    )
    points: list[Point] = []
    for number in range(1, 6):
        at = BEGIN + 4 * H + number * timedelta(minutes=1)
        content = raw + b" " * number
        points += points_of(msgspec.structs.replace(letter, time=at, offset=number, value=content))
        points += points_of(
            msgspec.structs.replace(
                letter, time=at + 5 * H, offset=100 + number, reason="refused-by-store"
            )
        )
    keep(filled, points)
    found = whatif_of_store(filled, ask("default", "floor-2"), recorded=False)
    assert found.summary.compared[0].by_rule["data-rejected"]["same"] == 1
