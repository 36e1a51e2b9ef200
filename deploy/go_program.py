"""A server program that Go builds from its own module.

``go.mod`` and ``go.sum`` beside the caller say which, to the last checksum.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

ASK_TIMEOUT_S = 60.0
_LINES_SHOWN = 8


class CannotBuild(RuntimeError):
    """The program is not here and cannot be built; the message says what is missing."""


def build_beside(kept: Path, modules: Path, build: Callable[[Path], Path]) -> None:
    """Build beside the place where it will stand, and move it there in one step.

    ``build`` is given a folder that holds the files of ``modules``, and returns what it has built.
    """
    with TemporaryDirectory(dir=kept.parent, prefix="build-") as name:
        room = Path(name)
        for file in ("go.mod", "go.sum"):
            shutil.copy(modules / file, room / file)
        build(room).replace(kept)


def ran(command: list[str], folder: Path, environment: Mapping[str, str], limit_s: float) -> str:
    """Run a command and return what it printed; raises ``CannotBuild`` with its last lines."""
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            cwd=folder,
            env={**os.environ, **environment},
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


def asked(program: Path, word: str) -> str:
    """Ask a program for its version; the empty text when it cannot say."""
    try:
        return ran([str(program), word], Path.cwd(), {}, ASK_TIMEOUT_S)
    except CannotBuild:
        return ""
