"""Whether anybody was told of an open alert, from the last answer of a sink.

Promise: an alert counts as told only when it was delivered at the priority that it has now.
"""

from datetime import datetime

from schemas.alert import PRIORITIES, rank
from schemas.board_row import OpenAlert
from schemas.page import Page
from streams.board.shown import Limits, Told, ToldStatus


def told(alert: OpenAlert, page: Page | None, now: datetime, limits: Limits) -> Told:
    """Return the status with its words; ``page`` is the latest about this alert, if any."""
    if page is None:
        return _nobody_yet(alert, now, limits, "no page sent")
    if page.outcome == "failed":
        tries = f"tried {page.attempt} times" if page.attempt > 1 else "tried once"
        return _answered(page, "untold", f"NOT TOLD: {page.reason}, {tries}")
    if page.outcome == "refused":
        return _answered(page, "untold", f"NOT TOLD: refused, {page.reason}")
    if _rank_of(page) < rank(alert.priority):
        done = "told" if page.outcome == "delivered" else page.outcome
        why = f"{done} as {page.priority}, not as {alert.priority}"
        return _nobody_yet(alert, now, limits, why)
    if page.outcome == "withheld":
        return _answered(page, "withheld", f"not sent: {page.reason}")
    return _answered(page, "told", "told")


def supersedes(new: Page, kept: Page | None) -> bool:
    """Whether ``new`` says more about its alert than ``kept``.

    A late answer about an earlier transition does not, and who was told by one sink stays told
    when a second one fails.
    """
    if kept is None or new.at > kept.at:
        return True
    return new.at == kept.at and kept.outcome != "delivered"


def _rank_of(page: Page) -> int:
    """Return the rank of the page's priority; a word unknown here counts as below all."""
    return PRIORITIES.index(page.priority) if page.priority in PRIORITIES else -1


def _answered(page: Page, status: ToldStatus, text: str) -> Told:
    return Told(status=status, text=text, sink=page.sink, time=page.time)


def _nobody_yet(alert: OpenAlert, now: datetime, limits: Limits, why: str) -> Told:
    """Return how long nobody may have been told, by the alert's priority, before it counts."""
    late = (now - alert.at).total_seconds() > limits.told_s
    if alert.priority not in ("high", "medium"):
        return Told(status="waiting", text=why, sink=None, time=None)
    if late:
        return Told(status="untold", text=f"NOT TOLD: {why}", sink=None, time=None)
    return Told(status="waiting", text="being told", sink=None, time=None)
