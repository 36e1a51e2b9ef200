"""The ward board as data: what is shown of each bed, in which order and in which words."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.alert import Priority
from schemas.board_row import BoardRow, OpenAlert
from schemas.page import Outcome, Page
from streams.board import words
from streams.board.shown import LEVELS, BoardView, Limits, ShownRow
from streams.board.told import supersedes
from streams.board.view import view

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
WELL_ROW = BoardRow(
    patient="p4",
    unit="NICU",
    bed="4",
    clock=NOW,
    delivery="delivering",
    device="D4",
    mode="delivering",
    sample_time=NOW - timedelta(seconds=2),
    set_ppm=20.0,
    no_ppm=19.64,
    no2_ppm=0.25,
    fio2_pct=45.0,
    spo2_pct=96.5,
    course=NOW - timedelta(hours=60),
    elapsed_h=60.0,
    delivered_h=59.5,
    methb_pct=1.2,
    methb_time=NOW - timedelta(hours=5),
    methb_due=NOW + timedelta(hours=1, minutes=12),
    methb_overdue=NOW + timedelta(hours=4),
    late_samples=0,
    cannot_judge=[],
    alerts=[],
    profile="default",
)


def bed(name: str = "4", /, **changes: Any) -> BoardRow:
    """Return a bed that is well but for ``changes``."""
    return replace(WELL_ROW, bed=name, patient=changes.pop("patient", f"p{name}"), **changes)


def ago(**span: float) -> datetime:
    """Return a moment before now."""
    return NOW - timedelta(**span)


def alert(priority: Priority, minutes: float = 25, **changes: Any) -> OpenAlert:
    """Return an open alert whose onset lies ``minutes`` back."""
    one = OpenAlert(
        id=f"a-{priority}",
        rule="set-dose-high",
        priority=priority,
        onset=ago(minutes=minutes),
        at=ago(minutes=minutes),
        summary="Bed 4: set dose 25 ppm is above the limit of 20 ppm",
    )
    return replace(one, **changes)


def page(outcome: Outcome = "delivered", **changes: Any) -> Page:
    """Return what a sink answered about the high alert."""
    one = Page(
        time=ago(minutes=24),
        alert="a-high",
        rule="set-dose-high",
        phase="raised",
        priority="high",
        at=ago(minutes=25),
        patient="p4",
        sink="pagerduty",
        attempt=1,
        outcome=outcome,
        reason="timed out",
    )
    return replace(one, **changes)


def board(*rows: BoardRow, pages: tuple[Page, ...] = (), limits: Limits | None = None) -> BoardView:
    """Return the board of these rows now."""
    by_alert = {one.alert: one for one in pages}
    return view({row.patient: row for row in rows}, by_alert, NOW, limits or Limits())


def only(row: BoardRow, *pages: Page) -> ShownRow:
    """Return how this one row is shown."""
    return board(row, pages=pages).rows[0]


def said(row: ShownRow) -> list[str]:
    """Return every state word of the row."""
    return [row.state.word, *(doubt.word for doubt in row.doubts)]


def test_a_well_bed_says_so_in_a_word_a_symbol_and_a_level() -> None:
    """A bed judged just now, on fresh data, with nothing open and nothing missing, is OK."""
    row = only(WELL_ROW)
    assert (row.state.level, row.state.symbol, row.state.word) == ("well", "✓", "OK")
    assert (row.doubts, row.none) == ([], "none open")


@pytest.mark.parametrize(
    ("priority", "symbol", "word"),
    [
        ("high", "***", "HIGH"),
        ("medium", "**", "MEDIUM"),
        ("low", "*", "LOW"),
        ("info", "i", "INFO"),
    ],
)
def test_each_priority_has_its_word_and_its_stars(
    priority: Priority, symbol: str, word: str
) -> None:
    """The state of a bed is the priority of its worst alert, in word and stars."""
    row = only(bed(alerts=[alert("info", id="another"), alert(priority)]))
    assert (row.state.level, row.state.symbol, row.state.word) == (priority, symbol, word)
    assert row.alerts[0].symbol == symbol


def test_the_worst_bed_stands_first() -> None:
    """High, medium, low, what cannot be judged, information, well, no course: in this order."""
    rows = [
        bed("1", delivery="no-course"),
        bed("2"),
        bed("3", alerts=[alert("info")]),
        bed("4", cannot_judge=["set dose unknown"]),
        bed("5", alerts=[alert("low")]),
        bed("6", alerts=[alert("medium")]),
        bed("7", alerts=[alert("high")]),
        bed("8", clock=ago(seconds=11)),
    ]
    shown = board(*rows).rows
    assert [row.bed for row in shown] == ["7", "6", "5", "4", "8", "3", "2", "1"]
    assert [LEVELS.index(row.state.level) for row in shown] == sorted(
        LEVELS.index(row.state.level) for row in shown
    )


def test_beds_of_one_level_stand_in_natural_order() -> None:
    """Bed 2 stands before bed 10, in words with numbers too, and leading zeros change nothing."""
    names = ["10", "2", "A10", "a2", "B1-02", "B1-1", "1"]
    shown = board(*(bed(name) for name in names)).rows
    assert [row.bed for row in shown] == ["1", "2", "10", "a2", "A10", "B1-1", "B1-02"]


@pytest.mark.parametrize(
    ("seconds", "stale"), [(0, False), (10, False), (10.001, True), (3600, True), (-11, True)]
)
def test_a_stale_clock_means_not_judged(seconds: float, stale: bool) -> None:  # noqa: FBT001 # a case
    """Exactly 10 s are still judged; anything older, or ahead of the clock, is NOT JUDGED."""
    row = only(bed(clock=ago(seconds=seconds)))
    assert ("NOT JUDGED" in said(row)) is stale
    assert (row.state.level == "well") is not stale
    assert row.none == ("none known of" if stale else "none open")


@pytest.mark.parametrize(("seconds", "silent"), [(120, False), (120.001, True), (-121, True)])
def test_an_old_sample_means_no_data(seconds: float, silent: bool) -> None:  # noqa: FBT001 # a case
    """Exactly 120 s of silence are still data; anything more says NO DATA, in the age as well."""
    row = only(bed(sample_time=ago(seconds=seconds)))
    assert ("NO DATA" in said(row)) is silent
    assert row.data.doubt == ("NO DATA" if silent else "")
    assert (row.state.level == "well") is not silent
    assert row.dose.doing == ("last: delivering" if silent else "delivering")


def test_a_bed_that_never_sent_anything_has_no_data() -> None:
    """A missing sample time is no age of 0."""
    row = only(bed(sample_time=None))
    assert (row.state.word, row.data.text, row.data.age_s) == ("NO DATA", "never", None)


def test_a_lost_device_has_no_data_whatever_its_age() -> None:
    """What the monitor calls lost is silent, even before this board would say so."""
    assert only(bed(delivery="lost")).state.word == "NO DATA"


def test_doubts_stand_beside_an_alert_and_hide_nothing() -> None:
    """A high alert stays high on a stale clock, and the bed says NOT JUDGED and NO DATA as well."""
    old = ago(minutes=10)
    row = only(bed(clock=old, sample_time=old, cannot_judge=["?"], alerts=[alert("high")]))
    assert said(row) == ["HIGH", "NOT JUDGED", "NO DATA", "CANNOT JUDGE"]


def test_information_alone_does_not_hide_a_doubt() -> None:
    """A bed with an information only stands as NOT JUDGED when nobody judged it lately."""
    row = only(bed(clock=ago(seconds=30), alerts=[alert("info")]))
    assert row.state.level == "unjudged"
    assert [one.priority for one in row.alerts] == ["info"]


def test_cannot_judge_says_why() -> None:
    """The words of the monitor are shown as they are."""
    row = only(bed(cannot_judge=["NO2 unknown", "no born date"]))
    assert (row.state.word, row.why) == ("CANNOT JUDGE", ["NO2 unknown", "no born date"])


@pytest.mark.parametrize("field", ["set_ppm", "no_ppm", "no2_ppm"])
def test_a_delivering_bed_without_its_numbers_is_not_fine(field: str) -> None:
    """A dose that nobody knows cannot be judged, even where the monitor did not say so."""
    row = only(bed(**{field: None}))
    assert row.state.word == "CANNOT JUDGE"
    assert "unknown" in row.why[0]


def test_unknown_numbers_are_never_zero_and_never_blank() -> None:
    """Every number that is missing reads as unknown."""
    fields = "set_ppm no_ppm no2_ppm fio2_pct spo2_pct elapsed_h delivered_h"
    fields += " methb_pct methb_time methb_due methb_overdue"
    row = only(bed(**dict.fromkeys(fields.split())))
    assert (row.dose.set, row.dose.measured) == ("?", "?")
    assert (row.no2, row.fio2, row.spo2) == ("?", "?", "?")
    assert (row.methb.value, row.methb.text) == ("no result", "— due time unknown")
    assert row.course.text == "? of 336 h"


def test_numbers_carry_their_units() -> None:
    """Doses are in ppm, shares in percent, and what is measured is not rounded into its limit."""
    row = only(bed(set_ppm=20.04, no2_ppm=0.49, spo2_pct=84.6))
    assert (row.dose.set, row.dose.measured, row.dose.unit) == ("20.04", "19.6", "ppm")
    assert (row.no2, row.fio2, row.spo2) == ("0.49 ppm", "45 %", "84.6 %")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "?"), (0.0, "0"), (0.004, "<0.01"), (20.0, "20"), (math.nan, "?"), (math.inf, "?")],
)
def test_a_dose_that_is_there_never_reads_as_zero(value: float | None, text: str) -> None:
    """Only 0 is 0; what is too small to show, or no number at all, says so."""
    assert words.number(value, 2) == text


@pytest.mark.parametrize(
    ("due", "overdue", "text", "status"),
    [
        (timedelta(hours=1, minutes=12), timedelta(hours=4), "due in 1 h 12 min", "later"),
        (timedelta(hours=1), timedelta(hours=4), "due in 1 h", "later"),
        (timedelta(minutes=59, seconds=59), timedelta(hours=4), "due in 59 min", "soon"),
        (timedelta(0), timedelta(hours=4), "due, 4 h left", "due"),
        (timedelta(0), None, "due now", "due"),
        (timedelta(hours=-4), timedelta(0), "due, 0 s left", "due"),
        (timedelta(hours=-4), timedelta(seconds=-1), "overdue by 1 s", "overdue"),
        (timedelta(hours=-5), timedelta(minutes=-25), "overdue by 25 min", "overdue"),
        (timedelta(minutes=-25), None, "overdue by 25 min", "overdue"),
        (None, timedelta(hours=2), "due in 2 h", "later"),
        (None, None, "— due time unknown", "none"),
    ],
)
def test_the_countdown_to_the_next_methemoglobin_check(
    due: timedelta | None, overdue: timedelta | None, text: str, status: str
) -> None:
    """It counts down to the due time, then to the bound, which is strict, then from it."""
    row = only(
        bed(
            methb_due=None if due is None else NOW + due,
            methb_overdue=None if overdue is None else NOW + overdue,
        )
    )
    assert (row.methb.text, row.methb.status) == (text, status)


def test_the_last_methemoglobin_has_its_age() -> None:
    """A value without the age of its blood would look newer than it is."""
    assert (only(WELL_ROW).methb.value, only(WELL_ROW).methb.age_text) == ("1.2 %", "5 h ago")
    assert only(bed(methb_time=None)).methb.age_text == "time unknown"


@pytest.mark.parametrize(
    ("elapsed", "delivered", "text", "left", "over"),
    [
        (318.4, 310.0, "318.4 of 336 h", "17.6 h left", False),
        (310.0, 318.4, "318.4 of 336 h", "17.6 h left", False),
        (335.5, None, "335.5 of 336 h", "30 min left", False),
        (336.0, 336.0, "336.0 of 336 h", "0 s left", False),
        (336.03, 100.0, "336.0 of 336 h", "over by 1 min", True),
        (340.5, 340.0, "340.5 of 336 h", "over by 4.5 h", True),
    ],
)
def test_the_hours_of_the_course(
    elapsed: float,
    delivered: float | None,
    text: str,
    left: str,
    over: bool,  # noqa: FBT001 # a case
) -> None:
    """The greater of elapsed and delivered hours counts, exactly the limit is not over."""
    course = only(bed(elapsed_h=elapsed, delivered_h=delivered)).course
    assert (course.text, course.left, course.over) == (text, left, over)


def test_the_limit_of_the_course_is_data() -> None:
    """A site that reviews after 240 h sees 240 h."""
    row = board(WELL_ROW, limits=Limits(course_h=240.0)).rows[0]
    assert (row.course.text, row.course.left) == ("60.0 of 240 h", "180.0 h left")


def test_alerts_stand_worst_first_with_their_age_and_without_the_bed_again() -> None:
    """The oldest of the worst comes first, its age counts from the onset."""
    row = only(bed(alerts=[alert("low"), alert("high", 3, id="b"), alert("high", 90, id="c")]))
    assert [one.id for one in row.alerts] == ["c", "b", "a-low"]
    assert [one.age_text for one in row.alerts] == ["1 h 30 min", "3 min", "25 min"]
    assert row.alerts[0].summary == "Set dose 25 ppm is above the limit of 20 ppm"


@pytest.mark.parametrize(
    ("outcome", "changes", "status", "text"),
    [
        ("delivered", {}, "told", "told"),
        ("failed", {}, "untold", "NOT TOLD: timed out, tried once"),
        ("failed", {"attempt": 3}, "untold", "NOT TOLD: timed out, tried 3 times"),
        ("refused", {"reason": "bad key"}, "untold", "NOT TOLD: refused, bad key"),
        ("withheld", {"reason": "silenced"}, "withheld", "not sent: silenced"),
        ("delivered", {"priority": "low"}, "untold", "NOT TOLD: told as low, not as high"),
        ("delivered", {"priority": "odd"}, "untold", "NOT TOLD: told as odd, not as high"),
    ],
)
def test_an_alert_says_whether_anybody_was_told(
    outcome: Outcome, changes: dict[str, Any], status: str, text: str
) -> None:
    """Told means delivered at the present priority; everything else says what happened."""
    told = only(bed(alerts=[alert("high")]), page(outcome, **changes)).alerts[0].told
    assert (told.status, told.text) == (status, text)


@pytest.mark.parametrize(
    ("priority", "seconds", "status"),
    [
        ("high", 60, "waiting"),
        ("high", 61, "untold"),
        ("medium", 61, "untold"),
        ("low", 9e4, "waiting"),
    ],
)
def test_an_alert_without_any_page_is_undelivered_after_a_minute(
    priority: Priority, seconds: float, status: str
) -> None:
    """A pager that is dead must not look like one that has nothing to say."""
    row = only(bed(alerts=[alert(priority, minutes=seconds / 60)]))
    assert row.alerts[0].told.status == status


def test_a_late_or_second_answer_does_not_untell() -> None:
    """The newest transition counts, and who was told by one sink stays told when another fails."""
    newer = page("failed", at=NOW)
    assert supersedes(page(), None)
    assert supersedes(newer, page())
    assert not supersedes(page(), newer)
    assert not supersedes(page("failed"), page("delivered"))
    assert supersedes(page("delivered"), page("failed"))


def test_one_alert_of_a_whole_unit_counts_once() -> None:
    """An alert that stands at many beds is one in the head, and its sentence names the unit."""
    summary = "NICU: no telemetry from 3 of 4 devices for 15 min while delivering"
    lost = [bed(name, alerts=[alert("high", summary=summary)]) for name in ("1", "2", "3")]
    shown = board(*lost, bed("4"), pages=(page("failed"),))
    assert (shown.counts.high_open, shown.counts.undelivered) == (1, 1)
    assert [row.alerts[0].summary for row in shown.rows[:3]] == [summary] * 3


def test_the_head_counts() -> None:
    """Every count of the head, over one ward."""
    rows = [
        bed("1"),
        bed("2", alerts=[alert("high"), alert("medium", id="m")], methb_due=ago(minutes=1)),
        bed("3", delivery="lost", sample_time=ago(minutes=4), methb_due=NOW + timedelta(minutes=9)),
        bed("5", delivery="no-course", sample_time=ago(hours=3)),
        bed("6", delivery="stopped", methb_overdue=ago(minutes=1)),
        bed("7", delivery="suspended", clock=ago(seconds=20)),
    ]
    counts = board(*rows, pages=(page("failed"),)).counts
    assert (counts.beds, counts.on_ino, counts.on_ino_unknown) == (6, 2, 2)
    assert (counts.high_open, counts.medium_open) == (1, 1)
    assert (counts.methb_near, counts.silent, counts.undelivered) == (3, 1, 2)
    assert (counts.oldest_data_age_s, counts.oldest_data) == (240.0, "4 min")


def test_the_oldest_data_is_unknown_when_one_bed_never_sent_any() -> None:
    """A missing age is not left out of the worst age."""
    assert board(bed("1"), bed("2", sample_time=None)).counts.oldest_data == "unknown"
    assert board().counts.oldest_data == "unknown"


@pytest.mark.parametrize(
    ("changes", "level", "word", "doing"),
    [
        (
            {"delivery": "suspended", "mode": "calibrating"},
            "info",
            "SUSPENDED",
            "suspended (calibrating)",
        ),
        ({"delivery": "stopped", "mode": "standby"}, "info", "STOPPED", "stopped (standby)"),
        ({"delivery": "no-course", "mode": "off"}, "idle", "NO COURSE", "no course"),
        ({"mode": "backup"}, "info", "INFO", "backup"),
    ],
)
def test_what_is_not_plain_delivery_does_not_look_well(
    changes: dict[str, Any], level: str, word: str, doing: str
) -> None:
    """Only a bed that delivers is OK; the others say what they do."""
    row = only(bed(**changes))
    assert (row.state.level, row.state.word, row.dose.doing) == (level, word, doing)


def test_a_bed_without_a_course_leaves_after_a_day_of_silence_and_is_counted() -> None:
    """A row leaves when it was judged a day after its last sample, never with an open alert."""
    gone = bed("1", delivery="no-course", sample_time=ago(hours=24, seconds=1))
    kept = bed("2", delivery="no-course", sample_time=ago(hours=24))
    open_ = bed("3", delivery="no-course", sample_time=ago(hours=99), alerts=[alert("low")])
    unjudged = bed("5", delivery="no-course", clock=ago(hours=99), sample_time=ago(hours=99))
    shown = board(gone, kept, open_, unjudged)
    assert [row.bed for row in shown.rows] == ["3", "5", "2"]
    assert shown.counts.left_off == 1


def test_two_rows_of_one_bed_and_two_units_are_told_apart() -> None:
    """Beside the bed stand the unit, when there are several, and the patient, when two share it."""
    rows = board(bed("1", patient="a"), bed("1", patient="b"), bed("2", unit="PICU")).rows
    assert [row.beside for row in rows] == ["NICU · a", "NICU · b", "PICU"]
    assert only(WELL_ROW).beside == ""


def test_a_demonstration_allows_for_its_speed() -> None:
    """What allows for the way of a record is wall time, so it is stretched with the ward's."""
    fast = Limits.at_speed(60)
    assert (fast.judged_s, fast.data_s, fast.told_s) == (600.0, 710.0, 3600.0)
    assert Limits.at_speed(1) == Limits()
    assert Limits.at_speed(0.5).judged_s == 10.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59.99, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (4320, "1 h 12 min"),
        (36_000, "10 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_are_never_rounded_up(seconds: float, text: str) -> None:
    """A time that is left is not said to be longer than it is."""
    assert words.duration(seconds) == text


def test_a_time_ahead_of_the_clock_says_so() -> None:
    """A device whose clock runs ahead shows by how much, and jitter of a second does not."""
    assert only(bed(sample_time=NOW + timedelta(seconds=40))).data.text == "40 s ahead"
    assert only(bed(sample_time=NOW + timedelta(seconds=0.5))).data.text == "0 s"


TIMES = st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 # hypothesis adds the zone
NEAR = st.floats(-1e6, 1e6).map(lambda seconds: NOW + timedelta(seconds=seconds))
NUMBERS = st.none() | st.floats(0, 1e4) | st.just(math.nan)
ALERTS = st.builds(
    OpenAlert,
    id=st.text(max_size=3),
    rule=st.text(max_size=9),
    priority=st.sampled_from(("info", "low", "medium", "high")),
    onset=NEAR,
    at=NEAR,
    summary=st.text(max_size=20),
)
ROWS = st.builds(
    BoardRow,
    patient=st.text(max_size=3),
    unit=st.text(max_size=3),
    bed=st.text(max_size=9),
    clock=TIMES | NEAR,
    delivery=st.sampled_from(("delivering", "suspended", "stopped", "lost", "no-course")),
    device=st.none() | st.text(max_size=3),
    mode=st.none() | st.sampled_from(("delivering", "standby", "backup", "off")),
    sample_time=st.none() | TIMES | NEAR,
    set_ppm=NUMBERS,
    no_ppm=NUMBERS,
    no2_ppm=NUMBERS,
    fio2_pct=NUMBERS,
    spo2_pct=NUMBERS,
    course=st.none() | NEAR,
    elapsed_h=NUMBERS,
    delivered_h=NUMBERS,
    methb_pct=NUMBERS,
    methb_time=st.none() | NEAR,
    methb_due=st.none() | NEAR,
    methb_overdue=st.none() | NEAR,
    late_samples=st.integers(0, 9),
    cannot_judge=st.lists(st.text(max_size=5), max_size=2),
    alerts=st.lists(ALERTS, max_size=4),
    profile=st.text(max_size=5),
)
PAGES = st.builds(page, outcome=st.sampled_from(("delivered", "refused", "failed", "withheld")))


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(
    rows=st.lists(ROWS, max_size=6), pages=st.dictionaries(st.text(max_size=3), PAGES, max_size=3)
)
def test_no_row_breaks_the_board_and_none_looks_better_than_it_is(
    rows: list[BoardRow], pages: dict[str, Page]
) -> None:
    """Whatever comes: a view that is JSON, worst first, with nothing stale or silent as well."""
    shown = view({row.patient: row for row in rows}, pages, NOW)
    assert msgspec.json.decode(msgspec.json.encode(shown))["rows"] is not None
    levels = [LEVELS.index(row.state.level) for row in shown.rows]
    assert levels == sorted(levels)
    for row in shown.rows:
        if row.judged.age_s is None or abs(row.judged.age_s) > 10:
            assert "NOT JUDGED" in said(row)
            assert row.state.level in ("high", "medium", "low", "unjudged")
        if row.state.level == "well":
            assert row.data.age_s is not None
            assert abs(row.data.age_s) <= 120
            assert (row.alerts, row.why, row.doubts) == ([], [], [])
            assert "?" not in (row.dose.set, row.dose.measured, row.no2)
