"""The questions about alarms and the system, each against an answer worked out by hand."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course
from schemas.lab import Lab
from schemas.page import Outcome, Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter
from schemas.telemetry import Telemetry
from schemas.view import View
from streams.audit.catalogue import read_catalogue
from streams.audit.engine import Asked, ask
from streams.audit.question import filled
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.stores.shapes import Record

T = datetime(2026, 3, 2, 12, tzinfo=UTC)
H, MIN, S = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
CATALOGUE = read_catalogue()

Asking = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(tmp_path: Path) -> Asking:
    """Ask a question of these records; the period is the day of T."""

    def answer(
        name: str, *records: Record, unit: str | None = None, **values: str
    ) -> list[dict[str, Any]]:
        question = CATALOGUE.named(name)
        asked = Asked(
            question=question,
            start=T - 12 * H,
            stop=T + 12 * H,
            unit=unit,
            parameters=filled(question, values),
        )
        with closing(open_store(f"sqlite:{tmp_path}/ward.db")) as store:
            store.write([point for record in records for point in points_of(record)])
            table: list[dict[str, Any]] = ask(
                store, CATALOGUE, asked, lambda _: None
            ).table.to_pylist()
            return table

    return answer


def alert(number: int = 1, at: datetime = T, **more: Any) -> Alert:
    """A dose alert of patient p1, raised 10 s after its onset."""
    raised = Alert(
        id=f"{number:032x}",
        rule="set-dose-high",
        phase="raised",
        priority="medium",
        onset=at - 10 * S,
        at=at,
        patient="p1",
        unit="west",
        bed="1",
        device="d1",
        course=None,
        summary="",
        value=25.0,
        limit=20.0,
        unit_of_measure="ppm",
        reason="over-limit",
        profile="default",
        rules_version="3+default.1",
        source="label",
    )
    return replace(raised, **more)


def page(of: Alert, after_s: float, outcome: Outcome = "delivered", **more: Any) -> Page:
    """What the pager's receiver answered so long after the transition."""
    told = Page(
        time=of.at + after_s * S,
        alert=of.id,
        rule=of.rule,
        phase=of.phase,
        priority=of.priority,
        at=of.at,
        patient=of.patient,
        sink="pagerduty",
        attempt=1,
        outcome=outcome,
        reason="",
    )
    return replace(told, **more)


def acknowledged(of: Alert, after_s: float) -> Action:
    """A nurse takes note of the alert."""
    at = of.at + after_s * S
    name = f"ack-{of.id}-{after_s}"
    return Action(time=at, id=name, patient=of.patient, by="n1", action="acknowledge", alert=of.id)


def silenced(name: str, since: datetime, until: datetime) -> Action:
    """A nurse silences the dose alert of p1."""
    return Action(
        time=since,
        id=name,
        patient="p1",
        by="n1",
        action="silence",
        rule="set-dose-high",
        until=until,
        reason="known",
    )


def delivering(at: datetime, **more: Any) -> Telemetry:
    """A sample of p1."""
    sample = Telemetry(time=at, device="d1", patient="p1", unit="west", bed="1", mode="delivering")
    return replace(sample, **more)


def test_performance_counts_from_the_onset_to_the_end(rows: Asking) -> None:
    """Decided 10 s after the onset, told 3 s later, acknowledged after 60 s, over after 5 min."""
    first = alert(1)
    up = replace(first, phase="escalated", priority="high", at=T + MIN)
    over = replace(first, phase="cleared", at=T + 5 * MIN)
    (row,) = rows(
        "alarm-performance", first, up, over, page(first, 3), page(up, 2), acknowledged(first, 63)
    )
    assert row == {
        "rule": "set-dose-high",
        "priority": "high",
        "n_alerts": 1,
        "n_told": 1,
        "n_acknowledged": 1,
        "n_unacknowledged": 0,
        "n_escalations": 1,
        "n_open": 0,
        "decided_p50_s": 10.0,
        "decided_p95_s": 10.0,
        "told_p50_s": 3.0,
        "told_p95_s": 3.0,
        "acknowledged_p50_s": 60.0,
        "acknowledged_p95_s": 60.0,
        "open_p50_s": 300.0,
        "open_p95_s": 300.0,
    }


@pytest.mark.parametrize(("after_s", "alone"), [(900.0, 0), (900.001, 1), (None, 1)])
def test_unacknowledged_is_longer_than_the_limit(
    rows: Asking, after_s: float | None, alone: int
) -> None:
    """15 min after it was told is not longer; nobody at all is, while the alert is open."""
    one = alert()
    acts = [] if after_s is None else [acknowledged(one, after_s)]
    (row,) = rows("alarm-performance", one, page(one, 0), *acts)
    assert row["n_unacknowledged"] == alone
    assert row["n_open"] == 1


def test_an_alert_over_midnight_is_unacknowledged_in_the_report_of_the_limit(rows: Asking) -> None:
    """Told 5 min before the period and left alone: it counts where the 15 min passed, and once."""
    over, before = alert(1, T - 12 * H - 5 * MIN), alert(2, T - 12 * H - 16 * MIN)
    (row,) = rows("alarm-performance", over, before, page(over, 0), page(before, 0))
    assert (row["n_alerts"], row["n_unacknowledged"], row["n_open"]) == (0, 1, 0)


def test_told_is_timed_from_when_it_was_to_be_told(rows: Asking) -> None:
    """A reminder that goes up after 36 h and is paged 2 s later was told in 2 s, and not late."""
    began = alert(1, T, rule="course-near-14-days", priority="info")
    up = replace(began, phase="escalated", priority="low", at=T + 10 * H)
    late = alert(2, T + H)
    higher = replace(late, phase="escalated", priority="high", at=T + H + 5 * MIN)
    records = (
        *(began, up, late, higher),
        page(began, 1, "withheld", reason="info-only"),
        page(up, 2),
        # Nobody was reached for 5 min: that the next page got through at once does not mend it.
        page(late, 1, "failed"),
        page(higher, 3),
    )
    told = {row["rule"]: row["told_p50_s"] for row in rows("alarm-performance", *records)}
    assert told == {"course-near-14-days": 2.0, "set-dose-high": 303.0}
    pages = {row["name"]: (row["n_late"], row["longest_s"]) for row in rows("late-data", *records)}
    assert pages == {"course-near-14-days": (0, 2.0), "set-dose-high": (1, 303.0)}


def test_percentiles_are_values_that_occurred(rows: Asking) -> None:
    """Of 1 to 20 s the half is 10 s and 95 % are within 19 s; who was not told has no time."""
    alerts = [alert(number, T + number * MIN) for number in range(21)]
    (row,) = rows(
        "alarm-performance",
        *alerts,
        *(page(one, number) for number, one in enumerate(alerts) if number),
    )
    assert (row["n_alerts"], row["n_told"]) == (21, 20)
    assert (row["told_p50_s"], row["told_p95_s"]) == (10.0, 19.0)


def test_performance_of_a_unit_and_a_period(rows: Asking) -> None:
    """An alert of another unit, or raised before or at the end of the period, is not counted."""
    others = (
        alert(2, unit="east"),
        alert(3, T - 12 * H - S),
        alert(4, T + 12 * H),
        alert(5, T - 12 * H),
    )
    (row,) = rows("alarm-performance", alert(1), *others, unit="west")
    assert row["n_alerts"] == 2


def test_load_is_by_day_of_treatment(rows: Asking) -> None:
    """Two patients on one day are two patient-days; three alerts are one and a half for each."""
    again = alert(2, T + H)
    records = (
        alert(1),
        replace(alert(1), phase="cleared", at=T + MIN),
        again,
        replace(again, phase="cleared", at=T + H + MIN),
        alert(3, T + 2 * H + 2 * MIN),
        alert(4, T, rule="methb-first-due", priority="info"),
        page(again, 3),
        page(again, 9, sink="webhook"),
        page(again, 20, attempt=2),
        silenced("s", T + 2 * H, T + 3 * H),
        delivering(T),
        delivering(T + H),
        delivering(T, patient="p2", device="d2"),
        delivering(T, patient="p3", device="d3", mode="standby"),
        delivering(T, patient="p4", device="d4", generation="test"),
    )
    (row,) = rows("alarm-load", *records, bucket="day")
    assert row == {
        "since": T - 12 * H,
        "patient_days": 2,
        "n_alerts": 3,
        "alerts_per_patient_day": 1.5,
        "n_reminders": 1,
        "n_repeats": 1,
        "n_silenced": 1,
        "silenced_pct": 33.3,
        "n_pages": 3,
        "n_pages_again": 1,
    }


def test_load_without_samples_has_no_rate(rows: Asking) -> None:
    """Alerts without a patient-day are counted; their rate is unknown, not zero."""
    (row,) = rows("alarm-load", alert())
    assert (row["n_alerts"], row["patient_days"]) == (1, 0)
    assert row["alerts_per_patient_day"] is None


def test_a_silence_ends_when_it_is_taken_back(rows: Asking) -> None:
    """Two hours that somebody ends after one are one; what came in it is counted."""
    back = Action(time=T + H, id="b", patient="p1", by="n2", action="unsilence")
    (row,) = rows(
        "silences", silenced("s", T, T + 2 * H), back, alert(1, T), alert(2, T + H), unit="west"
    )
    assert (row["until"], row["minutes"]) == (T + H, 60.0)
    assert (row["n_alerts_meanwhile"], row["highest_meanwhile"]) == (1, "medium")
    assert (row["silenced_by"], row["reason"], row["unit"]) == ("n1", "known", "west")


def test_an_open_alert_that_is_silenced_was_silenced(rows: Asking) -> None:
    """Open in the silence, though raised before it, counts; over before, or raised later, not."""
    over = alert(2, T - 2 * H, rule="set-dose-high")
    records = (
        alert(1, T - H),
        over,
        replace(over, phase="cleared", at=T - H),
        alert(3, T + 2 * H),
        silenced("s", T, T + H),
    )
    (row,) = rows("silences", *records)
    assert (row["n_alerts_meanwhile"], row["highest_meanwhile"]) == (1, "medium")
    (load,) = rows("alarm-load", *records, bucket="day")
    assert (load["n_alerts"], load["n_silenced"]) == (3, 1)


def test_a_period_that_nobody_named_is_the_same_for_every_question(tmp_path: Path) -> None:
    """From the first record to the newest sample: 4 h without anybody are seen by all questions."""
    one = alert()
    look = View(time=T + 9 * H, id="1", by="dr", what="board")
    records: list[Record] = [one, page(one, 2), delivering(T - H), delivering(T + 4 * H), look]
    found = {}
    with closing(open_store(f"sqlite:{tmp_path}/ward.db")) as store:
        store.write([point for record in records for point in points_of(record)])
        for name in ("alarm-performance", "told-nobody", "courses", "judged-by", "rejected"):
            question = CATALOGUE.named(name)
            asked = Asked(question=question, parameters=filled(question, {}))
            found[name] = ask(store, CATALOGUE, asked, lambda _: None)
    periods = {(answer.head.start, answer.head.stop) for answer in found.values()}
    assert periods == {(T - H, T + 4 * H + timedelta(microseconds=1))}
    assert found["alarm-performance"].column("n_unacknowledged") == [1]


def test_failures_are_timed_from_the_first(rows: Asking) -> None:
    """Failed at once, through after 10 min: 10 min. Never through: up to the end of the period."""
    one, two = alert(1), alert(2, T + H)
    (row,) = rows(
        "delivery-failures",
        *(one, two),
        page(one, 0, "failed", reason="503"),
        page(one, 300, "failed", attempt=2),
        page(one, 600, attempt=3),
        page(two, 0, "failed"),
        page(alert(3), 0, "withheld", reason="info-only"),
    )
    assert row == {
        "sink": "pagerduty",
        "n_pages": 2,
        "n_attempts": 4,
        "n_delivered": 1,
        "n_refused": 0,
        "n_undelivered": 1,
        "n_retries": 2,
        "delivered_pct": 50.0,
        "undelivered_min": 670.0,
        "longest_min": 660.0,
    }


def test_what_reached_nobody_says_why(rows: Asking) -> None:
    """Refused here, withheld there; what got through anywhere, or is a reminder, is left out."""
    lost, fine, info = alert(1), alert(2), alert(3, priority="info")
    (row,) = rows(
        "told-nobody",
        *(lost, fine, info),
        replace(lost, phase="cleared", at=T + 90 * S),
        page(lost, 1, "refused", reason="413"),
        page(lost, 1, "withheld", sink="webhook", reason="over-and-old"),
        page(fine, 1, "failed"),
        page(fine, 1, sink="webhook"),
    )
    assert row["alert"] == lost.id
    assert (row["open_min"], row["still_open"]) == (1.5, False)
    assert row["reason"] == "pagerduty: 413; webhook: over-and-old"


def test_late_data_by_counter_result_and_page(rows: Asking) -> None:
    """A counter that goes back is late, a restart from 0 is not; a result of 61 min is late."""
    samples = [delivering(T + n * MIN, seq=seq) for n, seq in enumerate((7, 8, 3, 4, 0, 1))]
    labs = [
        Lab(
            time=T,
            id=f"l{took}",
            patient="p1",
            code="2614-6",
            status="final",
            value=1.0,
            unit="%",
            resulted=T + took * MIN,
        )
        for took in (60, 61)
    ]
    told = alert()
    where = Course(time=T, id="c", patient="p1", unit="west")
    found = rows("late-data", *samples, *labs, told, page(told, 121), where)
    assert [(row["of_what"], row["n_records"], row["n_late"]) for row in found] == [
        ("pages of a rule", 1, 1),
        ("results of a test", 2, 1),
        ("samples of a device", 6, 1),
    ]
    assert found[1]["longest_s"] == 3660.0


def test_downtime_is_every_units(rows: Asking) -> None:
    """The monitor was blind for 5 min and one page came late for it; not so another unit's."""
    blind = alert(1, rule="monitor-blind", patient="*", unit="*", bed="*", reason="clock-stopped")
    silent = alert(2, rule="telemetry-lost", patient="*east", unit="east", bed="*")
    one_device = alert(3, rule="telemetry-lost")
    late = alert(4, T + MIN)
    (row,) = rows(
        "downtime",
        *(blind, silent, one_device, late),
        replace(blind, phase="cleared", at=T + 290 * S),
        page(late, 300),
        unit="west",
    )
    assert (row["what"], row["unit"], row["reason"]) == ("monitor", None, "clock-stopped")
    assert (row["minutes"], row["still_open"], row["n_told_late"]) == (5.0, False, 1)


def test_changes_say_what_they_judged(rows: Asking) -> None:
    """An alert by the new profile counts for its change, up to the next one."""
    change = ProfileChange(
        time=T,
        patient="p1",
        unit="west",
        cause="course",
        by=None,
        record="c",
        old="3+default.1",
        new="3+strict.1",
    )
    back = replace(change, time=T + H, by="dr", old="3+strict.1", new="3+default.1")
    judged = alert(1, T + MIN, profile="strict", rules_version="3+strict.1")
    first, second = rows("profile-changes", change, back, judged, alert(2, T - MIN))
    assert (first["changed_by"], first["n_alerts_until_next_change"]) == ("not said", 1)
    assert (second["changed_by"], second["n_alerts_until_next_change"]) == ("dr", 0)
    versions = [(row["profile"], row["n_alerts"]) for row in rows("judged-by")]
    assert versions == [("default", 1), ("strict", 1)]


def test_refused_records_by_reason(rows: Asking) -> None:
    """Counted by reason and topic, the most first; on how many days."""
    letter = DeadLetter(
        time=T,
        topic="ino.labs",
        partition=0,
        offset=1,
        reason="not-json",
        detail="",
        key=None,
        value=b"{",
    )
    later = replace(letter, offset=2, time=T + H)
    found = rows("rejected", replace(letter, offset=3, reason="bad-time"), letter, later)
    assert [(row["reason"], row["n_records"], row["n_days"]) for row in found] == [
        ("not-json", 2, 1),
        ("bad-time", 1, 1),
    ]
    assert (found[0]["first_at"], found[0]["last_at"]) == (T, T + H)


def test_looks_at_everything_are_every_units(rows: Asking) -> None:
    """Who opened the board looked at every unit; who opened a patient at that patient's."""
    where = (
        Course(time=T, id="c1", patient="p1", unit="west"),
        Course(time=T, id="c2", patient="p2", unit="east"),
    )
    looks = (
        View(time=T, id="1", by="dr", what="explain", patient="p1"),
        View(time=T, id="2", by="dr", what="explain", patient="p2"),
        View(time=T + S, id="3", by="unknown", what="board"),
    )
    found = rows("looked", *where, *looks, unit="west")
    assert [(row["looked_by"], row["what"], row["patient"]) for row in found] == [
        ("dr", "explain", "p1"),
        ("unknown", "board", None),
    ]
