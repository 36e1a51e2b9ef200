"""The user's cache: for what is dear to make or to fetch, and can be made again."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """Directory for what can be fetched again: ``INOWATCH_CACHE``, else the user's cache."""
    chosen = os.environ.get("INOWATCH_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("inowatch")


def made_once(kept: Path, make: Callable[[Path], None]) -> Path:
    """Make ``kept`` if it is not there yet; whoever wants it at the same time waits.

    ``make`` puts it there in one step, so that half of it is never found. Returns ``kept``; raises
    what ``make`` raises. The wait ends with the maker, who has a limit of his own.
    """
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.with_name(f"{kept.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever held the lock before has most likely made it.
            if not kept.exists():
                make(kept)
    return kept
