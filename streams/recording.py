"""Recorded events as lines: plain, gzip or zstd, read as they are and never as a whole."""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import zstandard

LONG_BYTES = 8 * 1024 * 1024
"""Files from this size on are worth a progress bar: some seconds of work."""


def read_lines(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the lines of a recording without their ends.

    ``progress`` is told how many bytes of the file as it lies on disk were read since last time.
    Raises ``OSError``, ``EOFError`` or ``zstandard.ZstdError`` for what cannot be read.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        told = 0
        for count, line in enumerate(_opened(raw, path.suffix)):
            yield line.rstrip(b"\r\n")
            if count % 4096 == 0:
                position = raw.tell()
                progress(position - told)
                told = position
        progress(raw.tell() - told)


def _opened(raw: IO[bytes], suffix: str) -> IO[bytes]:
    if suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if suffix == ".zst":
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return io.BufferedReader(reader)
    return raw
