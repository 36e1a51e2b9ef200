"""The cells of a row that speak of the therapy: dose, methemoglobin, hours of the course.

Promise: pure; unknown stays unknown, and every bound is strict: exactly due is not overdue, and
exactly at the limit is not over.
"""

import math
from datetime import datetime

from schemas.board_row import BoardRow
from streams.board import words
from streams.board.shown import Age, CourseShown, Dose, Methb, MethbStatus

SOON_S = 3600.0
"""A methemoglobin check due in less than this is counted in the head of the board."""

_WITHOUT_CHECK = {
    "no-course": "no course",
    "stopped": "delivery stopped",
    "lost": "no data",
}


def dose(row: BoardRow, data: Age) -> Dose:
    """Return set and measured nitric oxide, and what the device does (or did last)."""
    return Dose(
        set=words.number(row.set_ppm, 2),
        measured=words.number(row.no_ppm, 1),
        unit="ppm",
        doing=_doing(row, data),
    )


def _doing(row: BoardRow, data: Age) -> str:
    """Return the delivery, with the device's own mode where that says more."""
    doing = row.delivery.replace("-", " ")
    if row.mode is not None and row.delivery in ("delivering", "lost"):
        doing = row.mode
    elif row.mode is not None and row.delivery in ("suspended", "stopped"):
        doing = f"{doing} ({row.mode})"
    # Numbers of a silent device stay on the board, but not as if they were of now.
    if data.doubt and data.time is not None and row.delivery != "no-course":
        return f"last: {doing}"
    return doing


def methb(row: BoardRow, now: datetime) -> Methb:
    """Return the last methemoglobin, and the countdown to the next check."""
    age_s = None if row.methb_time is None else (now - row.methb_time).total_seconds()
    due_in_s = None if row.methb_due is None else (row.methb_due - now).total_seconds()
    overdue_in_s = None if row.methb_overdue is None else (row.methb_overdue - now).total_seconds()
    if due_in_s is None:
        # A bound without a due time still counts down.
        due_in_s = overdue_in_s
    return Methb(
        value="no result" if row.methb_pct is None else words.quantity(row.methb_pct, "%", 2),
        time=row.methb_time,
        age_s=age_s,
        age_text=_sample_age(row, age_s),
        due=row.methb_due,
        due_in_s=due_in_s,
        overdue_in_s=overdue_in_s,
        text=_next_check(row, due_in_s, overdue_in_s),
        status=_methb_status(due_in_s, overdue_in_s),
    )


def _sample_age(row: BoardRow, age_s: float | None) -> str:
    if age_s is not None:
        return f"{words.age(age_s)} ago" if age_s > -1 else words.age(age_s)
    return "" if row.methb_pct is None else "time unknown"


def _next_check(row: BoardRow, due_in_s: float | None, overdue_in_s: float | None) -> str:
    if due_in_s is None:
        return f"\u2014 {_WITHOUT_CHECK.get(row.delivery, 'due time unknown')}"
    return words.countdown(due_in_s, overdue_in_s)


def _methb_status(due_in_s: float | None, overdue_in_s: float | None) -> MethbStatus:
    if due_in_s is None:
        return "none"
    if (due_in_s if overdue_in_s is None else overdue_in_s) < 0:
        return "overdue"
    if due_in_s <= 0:
        return "due"
    return "soon" if due_in_s < SOON_S else "later"


def course(row: BoardRow, limit_h: float) -> CourseShown:
    """Return the hours that count: a course is over by elapsed or delivered time, the greater."""
    spans = (row.elapsed_h, row.delivered_h)
    known = [hours for hours in spans if hours is not None and math.isfinite(hours)]
    if row.delivery == "no-course" or not known:
        text = "no course" if row.delivery == "no-course" else f"? of {limit_h:g} h"
        return CourseShown(text=text, left="", hours=None, limit_h=limit_h, over=False)
    hours = max(known)
    over = hours > limit_h
    left = (
        f"over by {words.hours(hours - limit_h)}"
        if over
        else f"{words.hours(limit_h - hours)} left"
    )
    return CourseShown(
        text=f"{hours:.1f} of {limit_h:g} h", left=left, hours=hours, limit_h=limit_h, over=over
    )
