"""``inowatch replay``: files in, transitions out, refused lines aside, a bar for long files."""

import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import click
import zstandard
from msgspec import Struct

from schemas.encode import encode
from schemas.rejected import Reason, Rejected
from streams.recording import LONG_BYTES, read_lines
from streams.replay import replay, replay_until
from streams.ward import Ward


class InvalidReplay(ValueError):
    """What was asked for cannot be done as it was asked."""


class RefusedLine(Struct, frozen=True):
    """One refused line; ``value`` is its bytes in base64."""

    file: str
    line: int
    reason: Reason
    detail: str
    value: bytes


def run_replay(
    files: tuple[Path, ...],
    until: datetime | None,
    ward: Ward,
    rejects: Path | None,
    out: IO[bytes],
) -> Counter[str]:
    """Judge ``files`` one after the other as one recording; return refusals by reason."""
    if rejects is not None and rejects.exists() and any(map(rejects.samefile, files)):
        raise InvalidReplay(f"--rejects {rejects} would overwrite a recording")
    refused = Counter[str]()
    with ExitStack() as stack:
        aside = stack.enter_context(rejects.open("wb")) if rejects else None
        advance = stack.enter_context(_bar(files))
        for path in files:

            def refuse(number: int, line: bytes, why: Rejected, path: Path = path) -> None:
                refused[why.reason] += 1
                if aside is not None:
                    kept = RefusedLine(path.name, number, why.reason, why.detail, line)
                    aside.write(encode(kept) + b"\n")

            try:
                for alert in replay(read_lines(path, advance), ward, refuse):
                    out.write(encode(alert) + b"\n")
            except (EOFError, OSError, zlib.error, zstandard.ZstdError) as wrong:
                raise OSError(f"{path} cannot be read to its end: {wrong}") from None
        for alert in replay_until(ward, until):
            out.write(encode(alert) + b"\n")
    out.flush()
    return refused


@contextmanager
def _bar(files: tuple[Path, ...]) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr when the files are long; otherwise nothing."""
    total = sum(path.stat().st_size for path in files)
    if total < LONG_BYTES:
        yield lambda _: None
        return
    with click.progressbar(length=total, label="replay", file=sys.stderr) as bar:
        yield bar.update
