"""``inowatch whatif``: opens what is asked for, lets it be judged, and writes what came of it."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from alerts.profile_book import ProfileBook
from schemas.decode import EARLIEST
from schemas.encode import encode
from schemas.rejected import Reason
from schemas.stand_in import EVERY, NOT_KNOWN
from streams.stores.open import open_store
from streams.stores.port import Store, WrongStore
from streams.whatif.episode import Episodes
from streams.whatif.history import Placed, of_files, of_store, recorded_alerts
from streams.whatif.judging import Judged, Side, judge, side_of
from streams.whatif.report import Report, Voice, report
from streams.whatif.table import table

Form = Literal["table", "json"]
RECORDED = "recorded"
OUTSIDE = "monitor-blind"
"""The watchdog's own alert: it is about the monitor, and no record of a patient explains it."""

_NOT_KEPT = (
    "A store keeps no arrivals and no ticks: what came late is judged as if it had come in time,"
    " and absence by the newest record of the ward."
)


class InvalidAsk(ValueError):
    """What was asked for cannot be looked up as it was asked."""


class Ask(Struct, frozen=True):
    """What is asked: one or two profiles, over which time, and for which unit."""

    names: tuple[str, ...]
    book: ProfileBook
    keep_named: bool
    start: datetime | None
    stop: datetime | None
    unit: str | None


def whatif_of_files(paths: tuple[Path, ...], ask: Ask) -> tuple[Report, Counter[Reason]]:
    """Judge recordings; return the report and the refused lines by reason.

    Raises ``InvalidProfile``, ``NothingRecorded`` and ``OSError``.
    """
    refused = Counter[Reason]()
    history = of_files(paths, ask.book, lambda reason: refused.update([reason]))
    sides, judged = _judged(history, ask)
    return _report(judged, sides, [], ask, list(_doubts(judged))), refused


def whatif_of_store(address: str, ask: Ask, *, recorded: bool) -> Report:
    """Judge what the store at ``address`` holds; with ``recorded`` also against what was told then.

    Raises ``InvalidProfile``, ``InvalidAsk`` for the address, ``NothingRecorded`` and what reading
    a store raises.
    """
    since = reading_from(ask)
    with closing(_opened(address)) as store:
        sides, judged = _judged(of_store(store, since), ask)
        then = Episodes()
        if recorded:
            alerts = recorded_alerts(store, since)
            then.note(
                alert for alert in alerts if alert.rule != OUTSIDE and alert.at < judged.window[1]
            )
    doubts = [_NOT_KEPT]
    if ask.start is not None:
        doubts.append(
            f"Read from {since.astimezone(UTC):%Y-%m-%d %H:%MZ} on, so that therapies under way"
            " are judged as such."
        )
    before = [Voice(RECORDED, then.all(ask.unit))] if recorded else []
    return _report(judged, sides, before, ask, [*doubts, *_doubts(judged)])


def _opened(address: str) -> Store:
    try:
        return open_store(address, make=False)
    except WrongStore:
        raise
    except ValueError as wrong:
        raise InvalidAsk(str(wrong)) from None


def reading_from(ask: Ask) -> datetime:
    """Say from when on a store is read: a day more than the longest therapy that a rule counts.

    A therapy that is older by then is past that limit in any case, so it is judged alike.
    """
    if ask.start is None:
        return EARLIEST
    limits = [ask.book.named(name) for name in ask.names]
    margin = max(one.course_14_days.over for one in limits) + timedelta(days=1)
    return max(EARLIEST, ask.start - margin)


def write(found: Report, form: Form) -> Iterator[bytes]:
    """Yield the lines of a report: a table for people, or JSON with the summary last."""
    if form == "table":
        yield from (line.encode() for line in table(found))
        return
    yield from map(encode, found.differs)
    yield encode(found.summary)


def _judged(history: Iterable[Placed], ask: Ask) -> tuple[list[Side], Judged]:
    sides = [side_of(name, ask.book, keep_named=ask.keep_named) for name in ask.names]
    return sides, judge(history, sides, ask.start, ask.stop, _progress)


def _report(
    judged: Judged, sides: list[Side], before: list[Voice], ask: Ask, doubts: list[str]
) -> Report:
    voices = before + [Voice(side.name, side.episodes.all(ask.unit)) for side in sides]
    _look_for_unit(judged, voices, ask.unit)
    return report(judged, voices, ask.unit, doubts)


def _look_for_unit(judged: Judged, voices: list[Voice], unit: str | None) -> None:
    """Say on stderr which units there are where nothing is of the one that was asked for."""
    units = {patient.unit for patient in judged.reference.ward.patients.values()}
    if unit is None or unit in units or any(voice.episodes for voice in voices):
        return
    there = ", ".join(sorted(units - {EVERY, NOT_KNOWN})) or "none"
    click.echo(f"whatif: nothing here is of unit {unit!r}; there are {there}", err=True)


def _doubts(judged: Judged) -> Iterator[str]:
    count = judged.reference.under_way
    if count:
        yield (
            f"Therapies under way when the first sample came: {count}. They count from there on,"
            " though they may have begun before."
        )


def _progress(records: int, clock: datetime | None) -> None:
    reached = f", reached {clock.astimezone(UTC):%Y-%m-%d %H:%MZ}" if clock else ""
    click.echo(f"whatif: {records:,} records judged{reached}", file=sys.stderr)
