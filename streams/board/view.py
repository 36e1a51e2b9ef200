"""The ward board as data: which beds, in which order, in which words.

Promise: pure. ``now`` is data, and the same rows at the same moment give the same view. What is
stale, silent or unknown is said, and sorts above what is well. It does not know the browser, and
it judges nothing: alerts come from the monitor, and only their absence is ever doubted here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from schemas.alert import place, rank
from schemas.board_row import BoardRow, OpenAlert
from schemas.page import Page
from streams.board import words
from streams.board.shown import (
    LEVELS,
    Age,
    BoardView,
    Counts,
    Limits,
    ShownAlert,
    ShownRow,
)
from streams.board.state import NO_DATA, NOT_JUDGED, SYMBOLS, badges, gone, missing
from streams.board.therapy import course, dose, methb
from streams.board.told import told

DEFAULTS = Limits()


def view(
    rows: Mapping[str, BoardRow],
    pages: Mapping[str, Page],
    now: datetime,
    limits: Limits = DEFAULTS,
) -> BoardView:
    """Return the board at ``now``: ``rows`` by patient, ``pages`` the latest by alert id.

    All times carry an offset.
    """
    kept = [row for row in rows.values() if not gone(row)]
    beside = _beside(kept)
    shown = sorted(
        (_row(row, beside[row.patient], pages, now, limits) for row in kept), key=_worst_first
    )
    return BoardView(
        as_of=now,
        units=sorted({row.unit for row in shown}, key=words.natural),
        profiles=sorted({row.profile for row in kept}),
        limits=limits,
        counts=_counts(shown, left_off=len(rows) - len(kept)),
        rows=shown,
    )


def _worst_first(row: ShownRow) -> tuple[object, ...]:
    bed = (words.natural(row.bed), words.natural(row.unit), row.bed, row.unit, row.patient)
    return (LEVELS.index(row.state.level), *bed)


def _beside(rows: list[BoardRow]) -> dict[str, str]:
    """Return by patient what stands beside the bed: the unit among units, the patient among two."""
    units = len({row.unit for row in rows})
    taken = Counter((row.unit, row.bed) for row in rows)
    beside = {}
    for row in rows:
        shared = taken[row.unit, row.bed] > 1
        said = (row.unit if units > 1 else "", row.patient if shared else "")
        beside[row.patient] = " \u00b7 ".join(filter(None, said))
    return beside


def _row(
    row: BoardRow, beside: str, pages: Mapping[str, Page], now: datetime, limits: Limits
) -> ShownRow:
    judged = _age(row.clock, now, limits.judged_s, NOT_JUDGED.word)
    data = _age(row.sample_time, now, limits.data_s, NO_DATA.word)
    state, doubts = badges(row, judged, data)
    return ShownRow(
        patient=row.patient,
        unit=row.unit,
        bed=row.bed,
        beside=beside,
        device=row.device,
        delivery=row.delivery,
        state=state,
        doubts=doubts,
        why=missing(row),
        judged=judged,
        data=data,
        dose=dose(row, data),
        no2=words.quantity(row.no2_ppm, "ppm", 2),
        fio2=words.quantity(row.fio2_pct, "%", 1),
        spo2=words.quantity(row.spo2_pct, "%", 1),
        methb=methb(row, now),
        course=course(row, limits.course_h),
        alerts=[_alert(alert, row.bed, pages, now, limits) for alert in _by_urgency(row.alerts)],
        none="none open" if state.level in ("well", "info", "idle") else "none known of",
        late_samples=row.late_samples,
    )


def _age(time: datetime | None, now: datetime, most_s: float, doubt: str) -> Age:
    """Return the age against a strict limit. A time far ahead of the clock is no better."""
    if time is None:
        return Age(time=None, age_s=None, text="never", doubt=doubt)
    age_s = (now - time).total_seconds()
    doubt = doubt if abs(age_s) > most_s else ""
    return Age(time=time, age_s=age_s, text=words.age(age_s), doubt=doubt)


def _by_urgency(alerts: Iterable[OpenAlert]) -> list[OpenAlert]:
    return sorted(alerts, key=lambda alert: (-rank(alert.priority), alert.onset, alert.id))


def _alert(
    alert: OpenAlert, bed: str, pages: Mapping[str, Page], now: datetime, limits: Limits
) -> ShownAlert:
    age_s = (now - alert.onset).total_seconds()
    return ShownAlert(
        id=alert.id,
        rule=alert.rule,
        priority=alert.priority,
        symbol=SYMBOLS[alert.priority],
        summary=_without_bed(alert.summary, bed),
        onset=alert.onset,
        age_s=age_s,
        age_text=words.age(age_s),
        told=told(alert, pages.get(alert.id), now, limits),
    )


def _without_bed(summary: str, bed: str) -> str:
    """Return the sentence without the bed that it opens with: its row says that already."""
    bare = summary.removeprefix(f"{place(bed)}: ")
    return bare if bare is summary or not bare else bare[0].upper() + bare[1:]


def _counts(rows: list[ShownRow], left_off: int) -> Counts:
    on_ino = [row for row in rows if row.delivery in ("delivering", "suspended", "lost")]
    known = [row for row in on_ino if not (row.judged.doubt or row.data.doubt)]
    known = [row for row in known if row.delivery != "lost"]
    # One that is about a whole unit stands at many beds.
    alerts = {alert.id: alert for row in rows for alert in row.alerts}.values()
    ages = [row.data.age_s for row in rows if row.delivery != "no-course"]
    oldest = None if None in ages else max((age for age in ages if age is not None), default=None)
    return Counts(
        beds=len({(row.unit, row.bed) for row in rows}),
        on_ino=len(known),
        on_ino_unknown=len(on_ino) - len(known),
        high_open=sum(alert.priority == "high" for alert in alerts),
        medium_open=sum(alert.priority == "medium" for alert in alerts),
        methb_near=sum(row.methb.status in ("overdue", "due", "soon") for row in rows),
        silent=sum(NO_DATA in (row.state, *row.doubts) for row in rows),
        undelivered=sum(alert.told.status == "untold" for alert in alerts),
        oldest_data_age_s=oldest,
        oldest_data="unknown" if oldest is None else words.age(oldest),
        left_off=left_off,
    )
