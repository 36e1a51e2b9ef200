"""Where the demo leaves its recording for whoever asks of it afterwards."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from platformdirs import user_data_path

DATA_VARIABLE = "INOWATCH_DATA"


def demo_recording() -> Path:
    """Name the SQLite file of the last demo, which need not be there.

    It lies in the user's data directory, or in the one that INOWATCH_DATA names.
    """
    named = os.environ.get(DATA_VARIABLE)
    folder = Path(named) if named else user_data_path("inowatch", appauthor=False)
    return folder / "demo.sqlite"


def keep_recording(recorded: Path) -> None:
    """Copy what a demo has recorded so far to the place of the recording before it, at one stroke.

    Its recorder may still run. Raises ``OSError`` and ``sqlite3.Error``.
    """
    kept = demo_recording()
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(recorded)) as source, closing(sqlite3.connect(fresh)) as copy:
        source.backup(copy)
    for log in ("-wal", "-shm"):
        # Those of the recording before, if whoever read it was killed: no part of the new one.
        kept.with_name(kept.name + log).unlink(missing_ok=True)
    fresh.replace(kept)
