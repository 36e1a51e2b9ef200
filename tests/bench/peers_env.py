"""The environment of the peers: what the monitor is compared with, apart from what it needs itself.

It lies in the user's cache, never in the checkout, and is made from ``peers.lock`` alone, every
file checked by its hash. It appears whole or not at all: built beside its place, moved there by one
rename. Another lock or another Python is another environment.
"""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.cache import cache_root, made_once

ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("peers.lock")
LIMIT_S = 1800.0
"""Far more than the download of 100 MB and its installation take."""
_LINES_SHOWN = 12


class CannotInstall(RuntimeError):
    """The peers could not be installed; the message ends with the installer's last words."""


def peers_python() -> Path:
    """Path of the Python that has the peers; made now if it is not there.

    ``INOWATCH_CACHE`` names another cache folder than the user's. Raises ``CannotInstall``.
    """
    return made_once(cache_root() / f"peers-{_mark()}", _make) / "bin" / "python"


def peers_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this checkout with the peers' Python."""
    return [str(peers_python()), "-m", f"tests.bench.{module}", *arguments]


def peers_environment() -> dict[str, str]:
    """Return the environment of such a command: it finds this checkout's own core."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _mark() -> str:
    python = f"{platform.python_implementation()} {sys.version} {platform.machine()}"
    return hashlib.sha256(LOCK.read_bytes() + python.encode()).hexdigest()[:12]


def _make(home: Path) -> None:
    print("installing the peers, once", file=sys.stderr)
    with TemporaryDirectory(dir=home.parent, prefix="peers-new-") as name:
        new = Path(name, "environment")
        _run([sys.executable, "-m", "venv", str(new)])
        install = [str(new / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        install += ["--disable-pip-version-check", "--require-hashes", "-r", str(LOCK)]
        _run(install)
        new.rename(home)


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            timeout=LIMIT_S,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.CalledProcessError as failed:
        last = "\n".join(failed.stdout.strip().splitlines()[-_LINES_SHOWN:])
        raise CannotInstall(f"the peers could not be installed:\n{last}") from failed
    except subprocess.TimeoutExpired as late:
        raise CannotInstall(f"the peers were not installed within {LIMIT_S:g} s") from late
