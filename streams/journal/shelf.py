"""All chains of a journal: one folder, a file a chain, one process that writes.

Promise: whoever holds the shelf is the only one on this machine who does. It knows files by their
names and chains by theirs: ``ino.alerts-3.jsonl`` is ``ino.alerts/3``.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from schemas.anchor import Head
from schemas.entry import Entry
from streams.journal.chain_file import ChainFile
from streams.journal.keys import Keys
from streams.journal.links import entry_link

LOCK = "lock"
_FILE = re.compile(r"(.+)-(\d+)\.jsonl")


class ShelfTaken(ValueError):
    """Another process writes this journal."""


def file_of(folder: Path, chain: str) -> Path:
    """Name the file of a chain."""
    topic, _, partition = chain.rpartition("/")
    return folder / f"{topic}-{partition}.jsonl"


def chains_in(folder: Path) -> Iterator[str]:
    """Name the chains that have a file, in the order of topic and partition."""
    found = (_FILE.fullmatch(path.name) for path in folder.iterdir())
    places = sorted((name[1], int(name[2])) for name in found if name)
    yield from (f"{topic}/{partition}" for topic, partition in places)


class Shelf:
    """The chains in ``folder``. Raises ``ShelfTaken``, ``OSError`` and what a chain raises."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise ShelfTaken(f"another journal writes into {folder}; a site has one") from None
        self._chains: dict[str, ChainFile] = {}
        for chain in chains_in(folder):
            self._chain(chain)

    def next_offset(self, chain: str) -> int:
        """Tell the offset that the chain waits for; 0 for one that has nothing yet."""
        self._be_at_home()
        file = self._chain(chain)
        file.recall()
        if file.last is None or file.last.offset is None:
            return 0
        return file.last.offset + 1

    def append(self, chain: str, entries: Iterable[Entry]) -> None:
        """Append to a chain and wait for the disk; ``OSError`` when it does not take it."""
        self._be_at_home()
        self._chain(chain).append_entries(entries)

    def heads(self) -> Sequence[Head]:
        """Give the last entry of every chain that has one."""
        lasts = [(chain, file.last) for chain, file in sorted(self._chains.items())]
        return [Head(chain=chain, seq=last.seq, hash=last.hash) for chain, last in lasts if last]

    def close(self) -> None:
        """Let go of all files, and of the folder."""
        for file in self._chains.values():
            file.close()
        os.close(self._lock)

    def _be_at_home(self) -> None:
        """Raise ``OSError`` when the folder is not the one that was locked: a disk that is gone.

        What would be written where it was mounted would be another journal.
        """
        own, named = os.fstat(self._lock), (self._folder / LOCK).stat()
        if (own.st_dev, own.st_ino) != (named.st_dev, named.st_ino):
            raise FileNotFoundError(f"{self._folder} is not the folder that it was")

    def _chain(self, chain: str) -> ChainFile:
        if chain not in self._chains:
            path = file_of(self._folder, chain)
            read = partial(entry_link, keys=self._keys.by_id)
            self._chains[chain] = ChainFile(path, chain, self._keys, read)
        return self._chains[chain]
