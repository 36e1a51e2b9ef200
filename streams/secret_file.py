"""Files that hold a secret: fit to be used, or why not. Their content is never said.

A secret of one's own is for nobody else (mode 600). One that an orchestrator or root has put there
belongs to another and is read as its group (mode 440, or 640), but by nobody beyond. Every file of
a secret that a setting names goes by this rule.
"""

import os
import stat
from pathlib import Path

from deploy.secret_files import read_secret


class UnfitSecret(ValueError):
    """A file that no secret is taken from; the message says why and shows nothing of it."""


def secret_in(path: Path) -> str:
    """Return the one word that a fit file holds. Raises ``UnfitSecret``."""
    fault = unfit(path)
    if fault is None:
        try:
            secret = read_secret(path)
        except OSError as wrong:
            fault = str(wrong.strerror)
        else:
            if secret is not None:
                return secret
            fault = "it is empty"
    raise UnfitSecret(f"{path}: {fault}")


def unfit(path: Path) -> str | None:
    """Say why a file is not fit to hold a secret: not there, open to others, unreadable, empty."""
    fault = exposed(path)
    if fault is not None:
        return fault
    try:
        with path.open("rb") as file:
            return None if file.read(1) else "it is empty"
    except OSError as wrong:
        return str(wrong.strerror)


def exposed(path: Path) -> str | None:
    """Say why without reading it: for a process that need not be allowed to."""
    try:
        found = path.stat()
    except OSError as wrong:
        return "no such file" if isinstance(wrong, FileNotFoundError) else str(wrong.strerror)
    return open_to_others(path, found) if stat.S_ISREG(found.st_mode) else "no such file"


def open_to_others(path: Path, found: os.stat_result) -> str | None:
    """Say that more people may read or change the file than may know a secret, and the cure."""
    mode, own = stat.S_IMODE(found.st_mode), found.st_uid == os.geteuid()
    if not mode & (0o077 if own else 0o037):
        return None
    cure = f"chmod 600 {path}" if own else "of another's file its group may read at most (440)"
    return f"others may read or change it (mode {mode:o}): {cure}"
