"""``inowatch audit verify``: whether every chain of the journal is as it was written.

Reads what lies on the disk, and the anchors from their file and from the store; writes nothing. A
journal that is being written meanwhile is no fault: anchors are read before the chains that they
speak of, and a line that is being written is read again.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.anchor import Anchor
from schemas.encode import encode
from streams.journal.anchoring import FILE
from streams.journal.chain import Fault, Pin, Report, pins_of, read_chain
from streams.journal.keys import Keys, read_keys
from streams.journal.links import ANCHORS, Bad, Link, anchor_link, anchor_of, entry_link
from streams.journal.sealed import START
from streams.journal.shelf import chains_in, file_of
from streams.stores.open import open_store
from streams.stores.points import record_of
from streams.stores.port import StoreUnavailable, WrongStore

Form = Literal["table", "json"]

STORE = "anchors in the store"
_MEASUREMENT = "anchor"
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_WRITE_S = 0.2
"""A batch is in a file within so much."""
_HEADING = f"{'chain':24} {'entries':>8}  {'from':20}  {'to':20}  {'head':12}  verdict"


class Verdict(Struct, frozen=True):
    """A report for each chain, the anchors first; ``notes`` say what could not be looked at."""

    reports: list[Report]
    notes: list[str]

    @property
    def chains(self) -> list[Report]:
        """Those of the journal and of its own anchors; what a store has is a copy of these."""
        return [report for report in self.reports if report.chain != STORE]

    @property
    def is_whole(self) -> bool:
        """Whether there is something to verify, and nothing is wrong with any of it."""
        return bool(self.chains) and all(report.fault is None for report in self.reports)


def verify(journal: Path, anchors: Path | None, key_file: Path, store: str | None) -> Verdict:
    """Read all chains of ``journal``, and what anchors say of them.

    ``anchors``: the file where they have to be. ``None``: they may be in the journal's own folder.
    Raises ``InvalidKeys``, ``OSError``, and ``ValueError`` for what is no address of a store.
    """
    keys = read_keys(key_file)
    reports: list[Report] = []
    notes: list[str] = []
    seen: list[Anchor] = []
    if store is not None:
        report, seen = _of_store(store, keys)
        reports.append(report)
    in_store: dict[int, list[Pin]] = {}
    for anchor in seen:
        in_store.setdefault(anchor.number, []).append(Pin(anchor.hash, anchor.number))
    file = anchors or journal / FILE
    if anchors is not None or file.exists() or seen:
        report, found = _of_file(file, keys, in_store)
        if anchors is not None and not found and report.fault is None:
            report = msgspec.structs.replace(report, fault=_without_anchors(file))
        reports.append(report)
        seen = [*found, *seen]
    if not seen:
        notes.append("there is no anchor: entries that were cut off an end cannot be missed")
    pins = pins_of(seen)
    read = partial(entry_link, keys=keys.by_id)
    for chain in sorted({*chains_in(journal), *pins}):
        lines = _lines(file_of(journal, chain))
        reports.append(read_chain(chain, lines, read, pins.get(chain, {})))
    verdict = Verdict(reports, notes)
    if not verdict.chains:
        notes.append(f"{journal} has no chain: there is nothing here to verify")
    return verdict


def as_lines(verdict: Verdict, form: Form) -> Iterator[str]:
    """Write the reports for stdout: a table, or a JSON object a line, the notes in the last."""
    if form == "json":
        yield from (encode(report).decode() for report in verdict.reports)
        yield msgspec.json.encode({"whole": verdict.is_whole, "notes": verdict.notes}).decode()
        return
    yield _HEADING
    yield from map(_row, verdict.reports)


def summary(verdict: Verdict) -> Iterator[str]:
    """Say it in sentences, for a person."""
    yield from verdict.notes
    for report in verdict.reports:
        if report.lost:
            yield (
                f"{report.chain}: {report.lost} offsets were not in Kafka any more when the journal"
                " came to them; no entry of the journal is missing there"
            )
    bad = [report for report in verdict.reports if report.fault is not None]
    entries = sum(report.entries for report in verdict.chains)
    if bad:
        yield f"{len(bad)} of {len(verdict.reports)} chains are not as they were written"
    elif verdict.chains:
        yield f"{len(verdict.chains)} chains with {entries} entries are as they were written"


def _row(report: Report) -> str:
    begins, ends = (_when(time) for time in (report.begins, report.ends))
    said = "whole" if report.fault is None else _bad(report.fault)
    return (
        f"{report.chain:24} {report.entries:>8}  {begins:20}  {ends:20}  {report.head[:12]}  {said}"
    )


def _bad(fault: Fault) -> str:
    return f"FIRST BAD: entry {fault.seq}, line {fault.line}, {fault.what}: {fault.detail}"


def _when(time: datetime | None) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else "-"


def _of_file(path: Path, keys: Keys, in_store: dict[int, list[Pin]]) -> tuple[Report, list[Anchor]]:
    """Read the file of anchors, and return the good ones, too."""
    good: list[Anchor] = []

    def read(line: bytes) -> Link | Bad:
        found = anchor_of(line, keys.by_id)
        if isinstance(found, Bad):
            return found
        good.append(found)
        return anchor_link(found)

    report = read_chain(ANCHORS, _lines(path), read, in_store)
    return report, good


def _without_anchors(path: Path) -> Fault:
    """Say what is wrong with a file that has to have anchors."""
    detail = f"there is no anchor in {path}" if path.exists() else f"there is no {path}"
    return Fault(seq=1, line=1, what="missing", detail=detail)


def _of_store(address: str, keys: Keys) -> tuple[Report, list[Anchor]]:
    """Read the anchors that the recorder has kept. Some may be lacking: it may be behind."""
    good: list[Anchor] = []
    fault: Fault | None = None
    try:
        for number, line in enumerate(_kept(address), 1):
            found = anchor_of(line, keys.by_id)
            if isinstance(found, Anchor):
                good.append(found)
            elif fault is None:
                fault = Fault(seq=number, line=number, what=found.what, detail=found.detail)
    except (StoreUnavailable, WrongStore) as away:
        fault = Fault(seq=1, line=1, what="unreadable", detail=f"the store cannot be read: {away}")
    report = Report(
        chain=STORE,
        entries=len(good),
        begins=good[0].time if good else None,
        ends=good[-1].time if good else None,
        head=good[-1].hash if good else START,
        lost=0,
        fault=fault,
    )
    return report, good


def _kept(address: str) -> Iterator[bytes]:
    """Yield the anchors as lines, in the order of their times; ``record_of`` restores each byte."""
    with closing(open_store(address, make=False)) as store:
        for point in store.read(_MEASUREMENT, _BEGINNING, _END):
            try:
                yield encode(record_of(point))
            except ValueError:
                yield b""


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines with their newlines; no file is no lines."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
                continue
            time.sleep(_WRITE_S)
            yield line + file.readline()
