"""A short history with something in it for every question, made of the simulator and by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from msgspec.structs import replace

from schemas.action import Action
from schemas.alert import Alert
from schemas.course import Course, DoseOrder
from schemas.encode import encode
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.page import Outcome, Page
from schemas.profile_change import ProfileChange
from schemas.rejected import DeadLetter, Rejected
from schemas.telemetry import Telemetry
from schemas.view import View
from streams.replay import replay
from streams.simulate.ward import ward
from streams.stores.points import points_of
from streams.stores.port import Point
from streams.stores.shapes import Record
from streams.ward import Ward

START = datetime(2026, 3, 1, 6, tzinfo=UTC)
NEAR_END = START + timedelta(hours=10)
H, MIN, S = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SCENARIOS = {"dose-high": 14.0, "methb-missed": 12.0, "abrupt-stop": 10.0, "telemetry-lost": 6.0}
HOSTILE = "x'; DROP TABLE alert; --\\"
"""A unit that somebody has named so."""


def history() -> Iterator[Record]:
    """Yield what a recorder would have kept: inputs, alerts, pages, refusals, changes, looks."""
    for number, (name, hours) in enumerate(SCENARIOS.items()):
        begin = START + number * 5 * S
        arrivals = ward(2, name, 7, begin, begin, begin + hours * H, period_s=60.0)
        inputs = [arrival.record for arrival in arrivals]
        yield from inputs
        lines = (encode(record) for record in inputs)
        for alert in replay(lines, Ward(), _refuse):
            yield alert
            yield from _told(alert)
    yield from _by_hand()


@cache
def points() -> list[Point]:
    """Give the same as points."""
    return [point for record in history() for point in points_of(record)]


def _refuse(_number: int, line: bytes, why: Rejected) -> None:
    raise AssertionError(f"{why.reason}: {line!r}")


def _told(alert: Alert) -> Iterator[Record]:
    """One receiver answers at the third attempt, another refuses what is long."""
    if alert.priority == "info":
        yield _page(alert, "pagerduty", "withheld", "info-only", 1, S)
        return
    for attempt, outcome in enumerate(("failed", "failed", "delivered"), 1):
        after = attempt * 7 * S
        yield _page(alert, "pagerduty", outcome, "" if attempt > 2 else "503", attempt, after)  # type: ignore[arg-type] # words of the literal
    yield _page(alert, "webhook", "refused", "413", 1, 2 * S)
    if alert.phase == "raised" and alert.rule != "fast-wean":
        yield Action(
            time=alert.at + 90 * S,
            id=f"ack-{alert.id}",
            patient=alert.patient,
            by="nurse-1",
            action="acknowledge",
            alert=alert.id,
        )


def _page(  # noqa: PLR0913, PLR0917 - one argument a field
    alert: Alert, sink: str, outcome: Outcome, reason: str, attempt: int, after: timedelta
) -> Page:
    return Page(
        time=alert.at + after,
        alert=alert.id,
        rule=alert.rule,
        phase=alert.phase,
        priority=alert.priority,
        at=alert.at,
        patient=alert.patient,
        sink=sink,
        attempt=attempt,
        outcome=outcome,
        reason=reason,
    )


def _by_hand() -> Iterator[Record]:
    sample = Telemetry(
        time=START,
        device="dev\tice",
        patient="p-hand",
        unit=HOSTILE,
        bed="Bed, 1",
        mode="delivering",
        seq=2**40,
        set_ppm=20.0,
        no_ppm=19.999999999999996,
        validity=None,
    )
    yield sample
    for minute in range(1, 400):
        yield replace(
            sample, time=START + minute * MIN + timedelta(microseconds=1), seq=minute % 90
        )
    for half_hour in range(720):
        # A course of 15 days whose samples are rare, and so are bracketed gaps.
        yield replace(
            sample,
            time=START + half_hour * 30 * MIN,
            patient="p-long",
            unit="nicu-1",
            seq=half_hour,
        )
    # Two at one instant, told apart by their counters alone.
    yield replace(sample, time=START + MIN, seq=5)
    yield replace(sample, time=START + MIN, seq=6)
    final = Lab(
        time=START + 5 * H,
        id="l-1",
        patient="p-hand",
        code=METHEMOGLOBIN,
        status="final",
        value=0.1 + 0.2,
        unit="%",
        resulted=START + 6 * H,
    )
    yield final
    yield replace(final, status="amended", value=5.1, resulted=START + 7 * H)
    # Known an hour after the period that ends near the end.
    yield replace(final, id="l-3", time=START + 9 * H, value=9.0, resulted=NEAR_END + H)
    yield replace(final, id="l-2", time=START + 6 * H, status="cancelled", value=None, unit=None)
    yield Course(
        time=START,
        id="c-1",
        patient="p-hand",
        unit=HOSTILE,
        gestational_age="34w0d",
        payer="pacificsource",
        dose_order=DoseOrder(
            max_set_ppm=40.0, until=START + 4 * H, by="dr-1", reason="ärztlich\nso"
        ),
    )
    silence = Action(
        time=START + H,
        id="s-1",
        patient="p-hand",
        by="nurse-2",
        action="silence",
        rule="set-dose-high",
        until=START + 3 * H,
        reason='known, "as ordered"',
    )
    yield silence
    yield Action(time=START + 2 * H, id="s-2", patient="p-hand", by="nurse-2", action="unsilence")
    for rule, unit, last in (("monitor-blind", "*", 9), ("telemetry-lost", "nicu-1", 3)):
        blind = Alert(
            id=f"{rule:_<32}",
            rule=rule,
            phase="raised",
            priority="high",
            onset=START + 2 * H,
            at=START + 2 * H + 30 * S,
            patient=f"*{unit}",
            unit=unit,
            bed="*",
            device="*",
            course=None,
            summary="Nothing is seen",
            value=None,
            limit=None,
            unit_of_measure=None,
            reason="silent",
            profile="default",
            rules_version="3+default.1",
            source="a test",
        )
        yield blind
        yield _page(blind, "nobody", "withheld", "no-receiver", 1, S)
        yield replace(blind, phase="cleared", at=START + last * H, reason="well")
    yield ProfileChange(
        time=START + H,
        patient="p-hand",
        unit=HOSTILE,
        cause="course",
        by=None,
        record="c-1",
        old="3+default.1",
        new="3+floor-2.1",
    )
    for offset in range(3):
        yield DeadLetter(
            time=START + offset * H,
            topic="ino.telemetry",
            partition=0,
            offset=offset,
            reason="not-json",
            detail="line 1",
            key=b"p-hand",
            value=b"\xff\x00",
        )
    yield View(time=START + H, id="v-1", by="unknown", what="board", patient="", unit="")
    yield View(time=START + H, id="v-2", by="dr-1", what="explain", patient="p-hand", unit="")
