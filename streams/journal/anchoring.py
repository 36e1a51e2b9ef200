"""Anchors: every hour, how far each chain is, in a line of a file that may lie elsewhere.

Promise: an anchor is on the disk when ``drop`` returns, and follows on the one before it. The file
belongs on another disk than the journal, best where nothing can be overwritten. Who carries the
line further (a topic, the store) is not this file's business.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from schemas.anchor import Anchor, Head
from streams.journal.chain_file import ChainFile
from streams.journal.keys import Keys
from streams.journal.links import Bad, Link, anchor_link, anchor_of
from streams.journal.sealed import START, sealed

FILE = "anchors.jsonl"
"""Its name in the journal's own folder, where a site has no better place."""


class Anchors:
    """The anchors in the file ``path``; raises what a chain raises."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._keys = keys

        def read(line: bytes) -> Link | Bad:
            found = anchor_of(line, keys.by_id)
            return found if isinstance(found, Bad) else anchor_link(found)

        self._file = ChainFile(path, keys, read)

    def drop(self, time: datetime, heads: Sequence[Head]) -> bytes:
        """Append an anchor over these heads; return its line without its newline."""
        self._file.recall()
        last = self._file.last
        anchor = Anchor(
            time=time,
            number=last.seq + 1 if last else 1,
            heads=tuple(heads),
            prev=last.hash if last else START,
            key_id=self._keys.newest,
            hash=START,
        )
        line = sealed(anchor, self._keys.by_id[self._keys.newest])
        self._file.append_lines([line])
        return line

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
