"""The one word that stands for a bed, and the doubts that stand beside it.

Promise: a bed looks well only when it was judged just now, on data from just now, with nothing
open and nothing missing. A doubt never hides an alert, and an alert never hides a doubt.
"""

from datetime import timedelta

from schemas.alert import Priority, rank
from schemas.board_row import BoardRow
from streams.board.shown import Age, Badge
from streams.board.words import UNKNOWN, number

SYMBOLS: dict[Priority, str] = {"high": "***", "medium": "**", "low": "*", "info": "i"}
"""The stars that patient monitors show beside the colours of IEC 60601-1-8."""

NOT_JUDGED = Badge(level="unjudged", symbol="?", word="NOT JUDGED")
NO_DATA = Badge(level="unjudged", symbol="\u00d7", word="NO DATA")
CANNOT_JUDGE = Badge(level="unjudged", symbol="?", word="CANNOT JUDGE")
WELL = Badge(level="well", symbol="\u2713", word="OK")
INFO = Badge(level="info", symbol="i", word="INFO")
SUSPENDED = Badge(level="info", symbol="\u2016", word="SUSPENDED")
STOPPED = Badge(level="info", symbol="\u25a0", word="STOPPED")
NO_COURSE = Badge(level="idle", symbol="\u2013", word="NO COURSE")

GONE_AFTER = timedelta(hours=24)
"""A bed without a course whose device was silent for so long leaves the board."""


def worst(row: BoardRow) -> Priority | None:
    """Return the highest priority among the open alerts."""
    return max((alert.priority for alert in row.alerts), key=rank, default=None)


def missing(row: BoardRow) -> list[str]:
    """Return in words what nobody can judge here: the monitor's own, or else the gaps seen."""
    if row.cannot_judge or row.delivery != "delivering":
        return list(row.cannot_judge)
    seen = (("set dose", row.set_ppm), ("measured NO", row.no_ppm), ("measured NO2", row.no2_ppm))
    return [f"{name} unknown" for name, value in seen if number(value, 2) == UNKNOWN]


def silent(row: BoardRow, data: Age) -> bool:
    """Whether a device that should be heard is not. Without a course none should."""
    return row.delivery == "lost" or (row.delivery != "no-course" and data.doubt != "")


def gone(row: BoardRow) -> bool:
    """Whether the row is history: no course, nothing open, and a day of silence when judged.

    It is measured at the row's own clock, so that no bed vanishes because the monitor stopped.
    """
    if row.delivery != "no-course" or row.alerts or row.cannot_judge or row.sample_time is None:
        return False
    return row.clock - row.sample_time > GONE_AFTER


def badges(row: BoardRow, judged: Age, data: Age) -> tuple[Badge, list[Badge]]:
    """Return the state of the row and the doubts that are not already its state."""
    doubts = []
    if judged.doubt:
        doubts.append(NOT_JUDGED)
    if silent(row, data):
        doubts.append(NO_DATA)
    if missing(row):
        doubts.append(CANNOT_JUDGE)
    priority = worst(row)
    if priority is not None and priority != "info":
        return Badge(level=priority, symbol=SYMBOLS[priority], word=priority.upper()), doubts
    if doubts:
        return doubts[0], doubts[1:]
    return _undoubted(row, priority), []


def _undoubted(row: BoardRow, priority: Priority | None) -> Badge:
    if priority == "info":
        return INFO
    match row.delivery:
        case "delivering":
            # The dose of a backup system is not known to telemetry: nobody can call that well.
            return INFO if row.mode == "backup" else WELL
        case "suspended":
            return SUSPENDED
        case "stopped":
            return STOPPED
        case _:
            return NO_COURSE
