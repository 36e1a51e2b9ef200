"""Anchors: every hour, how far each chain is, in a line of a file that may lie elsewhere.

Promise: an anchor is on the disk when ``drop`` returns, and follows on the one before it. The file
belongs on another disk than the journal, best where nothing can be overwritten. Who carries the
line further (a topic, the store) is not this file's business.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from schemas.anchor import Anchor, Head
from streams.journal.chain_file import ChainFile
from streams.journal.keys import Keys
from streams.journal.links import ANCHORS, Bad, Link, anchor_link, anchor_of
from streams.journal.sealed import START, sealed

log = logging.getLogger("inowatch")

FILE = "anchors.jsonl"
"""Its name in the journal's own folder, where a site has no better place."""


class Anchors:
    """The anchors in the file ``path``; raises what a chain raises."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._keys = keys
        self._newest: Anchor | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = ChainFile(path, ANCHORS, keys, self._read)
        self._number = self._count()

    def drop(self, time: datetime, heads: Sequence[Head]) -> bytes:
        """Append an anchor over these heads; return its line without its newline.

        What an earlier anchor has seen stays anchored: a chain that is shorter now keeps its head.
        Raises ``OSError`` when the disk does not take it, or is not the one with the last anchor.
        """
        self._file.recall()
        if self._count() < self._number:
            raise OSError(
                f"{self._path} has lost its end: of {self._number} anchors it has {self._count()}"
            )
        last = self._newest if self._file.last is not None else None
        anchor = Anchor(
            time=time,
            number=last.number + 1 if last else 1,
            heads=_farthest(last.heads if last else (), heads),
            prev=last.hash if last else START,
            key_id=self._keys.newest,
            hash=START,
        )
        line = sealed(anchor, self._keys.by_id[self._keys.newest])
        self._file.append_lines([line])
        self._number = anchor.number
        return line

    def _count(self) -> int:
        return self._file.last.seq if self._file.last is not None else 0

    def _read(self, line: bytes) -> Link | Bad:
        """Read an anchor as a link; the newest one is remembered, with its heads."""
        found = anchor_of(line, self._keys.by_id)
        if isinstance(found, Bad):
            return found
        self._newest = found
        return anchor_link(found)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _farthest(before: Sequence[Head], now: Sequence[Head]) -> tuple[Head, ...]:
    """Give the farthest head of each chain, and say which chain has lost some of its entries."""
    heads = {head.chain: head for head in now}
    for seen in before:
        head = heads.get(seen.chain)
        if head is None or head.seq < seen.seq:
            log.error(
                "%s ends after %d entries, but the last anchor has seen %d: it was cut, or this is"
                " not the journal's own folder",
                seen.chain,
                head.seq if head else 0,
                seen.seq,
            )
            heads[seen.chain] = seen
    return tuple(heads[chain] for chain in sorted(heads))
