"""Where an Alertmanager program is to be had on this machine: found, or else built.

Go builds it from its own module; ``server/go.mod`` and ``go.sum`` next to this file say which, to
the last checksum. Built once (about a minute on two cores), kept in the user's cache, and never in
the checkout. The version is one whose module has its web page in it ready made: in 0.34.2 a build
without npm stops for the lack of it.
"""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

VERSION = "0.28.1"
BUILD_TIMEOUT_S = 1800.0
"""Many times what it takes on two cores, downloads included."""
ASK_TIMEOUT_S = 60.0
NAMES = ("alertmanager", "prometheus-alertmanager")
"""Its own name, and Debian's."""

_MODULES = Path(__file__).parent / "server"
_PROGRAM = "github.com/prometheus/alertmanager/cmd/alertmanager"
_LINES_SHOWN = 8


class CannotBuild(RuntimeError):
    """There is no Alertmanager here and it cannot be built; the message says what is missing."""


def alertmanager_path() -> Path:
    """Path of an Alertmanager: from the PATH, from the cache, or built now.

    ``INOWATCH_CACHE`` names another cache folder than the user's. Raises ``CannotBuild``.
    """
    for found in filter(None, map(shutil.which, NAMES)):
        if _is_one(Path(found)):
            return Path(found)
    named = os.environ.get("INOWATCH_CACHE")
    cache = Path(named) if named else platformdirs.user_cache_path("inowatch")
    kept = cache / f"alertmanager-{VERSION}" / "alertmanager"
    if kept.exists():
        return kept
    if shutil.which("go") is None:
        raise CannotBuild(
            f"no Alertmanager on the PATH or in {cache}, and it cannot be built without Go"
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever held the lock before has most likely built it.
        if not kept.exists():
            _build(kept)
    return kept


def _is_one(program: Path) -> bool:
    """Whether it speaks API v2 under its present form: 0.22 and later."""
    try:
        said = _run([str(program), "--version"], Path.cwd(), ASK_TIMEOUT_S)
    except CannotBuild:
        return False
    found = re.search(r"alertmanager, version (\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= (0, 22)


def _build(kept: Path) -> None:
    """Build beside the place where it will stand, and move it there in one step."""
    with TemporaryDirectory(dir=kept.parent, prefix="build-") as name:
        room = Path(name)
        for file in ("go.mod", "go.sum"):
            shutil.copy(_MODULES / file, room / file)
        built = room / "alertmanager"
        # Read-only: what the two files do not name is not taken.
        build = ["go", "build", "-mod=readonly", "-trimpath", "-o", str(built), _PROGRAM]
        _run(build, room, BUILD_TIMEOUT_S)
        built.replace(kept)


def _run(command: list[str], folder: Path, limit_s: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            cwd=folder,
            env=os.environ | {"GOWORK": "off", "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit_s,
            check=True,
        )
    except subprocess.CalledProcessError as failed:
        last = "\n".join(failed.stdout.strip().split("\n")[-_LINES_SHOWN:])
        raise CannotBuild(f"`{' '.join(command)}` failed:\n{last}") from failed
    except (subprocess.TimeoutExpired, OSError) as failed:
        raise CannotBuild(f"`{' '.join(command)}` did not finish: {failed}") from failed
    return done.stdout
