"""A chain on a disk: lines are appended to its file, and a line that is there stays.

Promise: what it was given is on the disk when ``append_entries`` returns, once each, in the order
of Kafka's offsets; when it raises, the same may be given again. The file itself is the account of
what is in it, so that it may be cut, lost or brought back from a copy while nobody looks: the next
append goes on from what is there, and says what it found.
"""

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path

import msgspec

from schemas.entry import Entry
from streams.journal.keys import Keys
from streams.journal.links import Bad, Link, Read
from streams.journal.sealed import START, sealed

log = logging.getLogger("inowatch")


class MissingKey(ValueError):
    """The end of a chain was sealed with a key that the key file does not have."""


class ChainFile:
    """The file of one chain. One process writes it, one thread at a time.

    Raises ``OSError``, and ``MissingKey`` when the file ends with an entry whose key is not there.
    """

    def __init__(self, path: Path, chain: str, keys: Keys, read: Read) -> None:
        self._path, self._chain, self._keys, self._read = path, chain, keys, read
        self._file = -1
        self._size = -1
        self.last: Link | None = None
        self.recall()

    def recall(self) -> None:
        """Look at the file anew where it is not as it was left; a torn end is cut away."""
        if not self._is_as_left():
            self._open()
            self._size = self._find_last()

    def append_entries(self, entries: Iterable[Entry]) -> None:
        """Append those whose offset is not in the chain yet, and wait for the disk."""
        self.recall()
        key_id = self._keys.newest
        lines: list[bytes] = []
        last = self.last
        for entry in entries:
            if last is not None and _is_in(entry, last):
                continue
            seq, prev = (last.seq + 1, last.hash) if last is not None else (1, START)
            placed = msgspec.structs.replace(entry, seq=seq, prev=prev, key_id=key_id)
            line = sealed(placed, self._keys.by_id[key_id])
            lines.append(line)
            last = self._written(line)
        self.append_lines(lines)

    def append_lines(self, lines: list[bytes]) -> None:
        """Append lines that are sealed already, and wait for the disk."""
        if not lines:
            return
        text = b"".join(line + b"\n" for line in lines)
        try:
            written = 0
            while written < len(text):
                written += os.write(self._file, text[written:])
            os.fsync(self._file)
        except OSError:
            # What a disk has refused once it may seem to have taken when it is asked again.
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(text)
        self.last = self._written(lines[-1])

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _is_as_left(self) -> bool:
        if self._file < 0:
            return False
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        own = os.fstat(self._file)
        return (own.st_ino, own.st_dev, own.st_size) == (named.st_ino, named.st_dev, self._size)

    def _open(self) -> None:
        """Open what the path names now, and make its name lasting when it is new."""
        self.close()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _find_last(self) -> int:
        """Find the last genuine line; cut off what stands after the last newline.

        A line that is whole and not genuine stays where it is, for the verification to name.
        """
        self.last = None
        size = os.fstat(self._file).st_size
        if size == 0:
            return 0
        with mmap(self._file, size, access=ACCESS_READ) as text:
            end = whole = text.rfind(b"\n") + 1
            while end > 0 and self.last is None:
                start = text.rfind(b"\n", 0, end - 1) + 1
                found = self._link(text[start : end - 1])
                if isinstance(found, Link):
                    self.last = found
                elif end == whole:
                    self._complain(found)
                end = start
        if whole < size:
            log.warning("%s: %d bytes of a broken write are cut off", self._path, size - whole)
            os.ftruncate(self._file, whole)
        # What a process wrote that was killed may not have reached the disk.
        os.fsync(self._file)
        return whole

    def _link(self, line: bytes) -> Link | Bad:
        """Read a line that is in the file."""
        link = self._read(line)
        if isinstance(link, Bad) and link.what == "unknown-key":
            raise MissingKey(f"{self._path} ends with an entry of which {link.detail}")
        if isinstance(link, Link) and link.chain != self._chain:
            return Bad("replaced", f"it is entry {link.seq} of {link.chain}")
        return link

    def _written(self, line: bytes) -> Link:
        """Read a line of our own; one that cannot be read again must not reach the disk."""
        link = self._link(line)
        if isinstance(link, Bad):
            raise ValueError(f"{self._path}: {link.detail}: {line[:200]!r}")  # noqa: TRY004 - no type of a caller's is wrong
        return link

    def _complain(self, bad: Bad) -> None:
        log.error(
            "%s: its last line is %s: %s. It stays there, and the chain goes on from the last good"
            " entry; the verification names the first bad one",
            self._path,
            bad.what,
            bad.detail,
        )


def _is_in(entry: Entry, last: Link) -> bool:
    """Whether a chain that ends with ``last`` has the entry already.

    Kafka's offsets begin anew when a topic is deleted and made again; its times do not.
    """
    return last.offset is not None and entry.offset <= last.offset and entry.recorded <= last.time
