"""Where the demo leaves its recording for whoever asks of it afterwards."""

import os
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
