"""Prepares a directory to be a broker's: formats it once, and knows which cluster it belongs to."""

import base64
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from deploy.guarded import Guarded

FORMAT_S = 60.0
"""It takes half a second; a machine may be slow, but not for ever."""
_META = Path("data", "meta.properties")


class FormatError(RuntimeError):
    """The directory could not be formatted; Kafka's own words are in the log."""


def cluster_id(directory: Path) -> str | None:
    """Return the id that Kafka wrote into a formatted directory, None when it is not formatted."""
    meta = directory / _META
    if not meta.exists():
        return None
    pairs = (line.partition("=") for line in meta.read_text().splitlines())
    return next(value for key, _, value in pairs if key == "cluster.id")


def formatted(directory: Path, java: Sequence[str], log: IO[bytes], *, remove: Path | None) -> str:
    """Format the directory unless it is; its ``server.properties`` lie there. Returns its cluster.

    ``java`` is the start of the command line; ``remove`` is as in ``Guarded``.

    Raises:
        FormatError: Kafka's storage tool failed or did not end.

    """
    known = cluster_id(directory)
    if known is not None:
        return known
    new = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*java, "kafka.tools.StorageTool", "format", "--standalone"]
    command += [f"--cluster-id={new}", "--config", "server.properties"]
    with Guarded(command, output=log, cwd=directory, remove=remove) as tool:
        try:
            code = tool.wait(FORMAT_S)
        except subprocess.TimeoutExpired:
            raise FormatError(f"could not format within {FORMAT_S:g} s") from None
    if code != 0:
        raise FormatError(f"could not format its directory, exit code {code}")
    return new
