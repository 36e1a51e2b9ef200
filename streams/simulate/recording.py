"""Arrivals to a file: NDJSON, one record a line with its ``type``, in the order of arrival.

Promise: the same arrivals give the same bytes, compressed or not.
"""

import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

import zstandard

from schemas.encode import encode
from streams.simulate.arrival import Arrival

STDOUT = "-"


def to_file(arrivals: Iterable[Arrival], path: str | Path) -> int:
    """Write every arrival and return how many there were.

    ``.gz`` and ``.zst`` are compressed by their ending; ``-`` is standard output. OSError when
    the file cannot be written.
    """
    count = 0
    with _opened(str(path)) as out:
        for arrival in arrivals:
            out.write(encode(arrival.record) + b"\n")
            count += 1
    return count


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(Path(path).open("wb"))
        if path.endswith(".gz"):
            # Neither name nor time goes into the header: they would change the bytes.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
            file = cast("IO[bytes]", stack.enter_context(packed))
        elif path.endswith(".zst"):
            writer = zstandard.ZstdCompressor().stream_writer(file)
            file = cast("IO[bytes]", stack.enter_context(writer))
        yield file
