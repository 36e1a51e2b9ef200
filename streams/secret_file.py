"""Files that hold a secret: fit to be used, or why not. Their content is never said."""

import stat
from pathlib import Path


def unfit(path: Path) -> str | None:
    """Say why a file is not fit to hold a secret: not there, not readable, or open to everybody."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return "no such file"
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as wrong:
        return "no such file" if isinstance(wrong, FileNotFoundError) else str(wrong.strerror)
    if empty:
        return "it is empty"
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"everybody may read or change it (mode {stat.S_IMODE(mode):o}): chmod o= {path}"
    return None
