"""Recorded events as lines: plain, gzip or zstd, read as they are and never as a whole."""

import gzip
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import zstandard

LONG_BYTES = 8 * 1024 * 1024
"""Files from this size on are worth a progress bar: some seconds of work."""


_CHUNK_BYTES = 128 * 1024


def read_lines(path: Path, progress: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the lines of a recording without their ends.

    ``progress`` is told how many bytes of the file as it lies on disk were read since last time.
    Raises ``OSError``, ``EOFError`` or ``zstandard.ZstdError`` for what cannot be read.
    """
    with path.open("rb") as raw:
        told = 0
        for count, line in enumerate(_lines(raw, path.suffix.lower())):
            yield (line.removeprefix(BOM_UTF8) if count == 0 else line).rstrip(b"\r\n")
            if count % 4096 == 0:
                position = raw.tell()
                progress(position - told)
                told = position
        progress(raw.tell() - told)


def _lines(raw: IO[bytes], suffix: str) -> Iterator[bytes]:
    if suffix == ".gz":
        return iter(gzip.GzipFile(fileobj=raw))
    return _zstd_lines(raw) if suffix == ".zst" else iter(raw)


def _zstd_lines(raw: IO[bytes]) -> Iterator[bytes]:
    """Split frame after frame into lines. Zstandard's own reader takes a torn end for the end."""
    frame, rest = None, b""
    while chunk := raw.read(_CHUNK_BYTES):
        while chunk:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            *whole, rest = (rest + frame.decompress(chunk)).split(b"\n")
            yield from whole
            chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("it ends in the middle of a frame")
    if rest:
        yield rest
