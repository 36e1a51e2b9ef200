"""Where an Alertmanager program is to be had on this machine: found, or else built.

Go builds it from its own module. Built once (about a minute on two cores), kept in the user's
cache, and never in the checkout. The version is one whose module has its web page in it ready made:
in 0.34.2 a build without npm stops for the lack of it.
"""

import re
import shutil
from pathlib import Path

from deploy.cache import cache_root, made_once
from deploy.go_program import CannotBuild, asked, build_beside, ran

VERSION = "0.28.1"
BUILD_TIMEOUT_S = 1800.0
"""Many times what it takes on two cores, downloads included."""
NAMES = ("alertmanager", "prometheus-alertmanager")
"""Its own name, and Debian's."""

_MODULES = Path(__file__).parent / "server"
_PROGRAM = "github.com/prometheus/alertmanager/cmd/alertmanager"


def alertmanager_path() -> Path:
    """Path of an Alertmanager: from the PATH, from the cache, or built now.

    ``INOWATCH_CACHE`` names another cache folder than the user's. Raises ``CannotBuild``.
    """
    for found in filter(None, map(shutil.which, NAMES)):
        if _is_one(Path(found)):
            return Path(found)
    return made_once(cache_root() / f"alertmanager-{VERSION}" / "alertmanager", _make)


def _is_one(program: Path) -> bool:
    """Whether it speaks API v2 under its present form: 0.22 and later."""
    found = re.search(r"alertmanager, version (\d+)\.(\d+)", asked(program, "--version"))
    return found is not None and (int(found[1]), int(found[2])) >= (0, 22)


def _make(kept: Path) -> None:
    if shutil.which("go") is None:
        raise CannotBuild(
            f"no Alertmanager on the PATH or in {cache_root()}, and it cannot be built without Go"
        )
    build_beside(kept, _MODULES, _build)


def _build(room: Path) -> Path:
    built = room / "alertmanager"
    # Read-only: what the two files do not name is not taken.
    build = ["go", "build", "-mod=readonly", "-trimpath", "-o", str(built), _PROGRAM]
    ran(build, room, {"GOWORK": "off", "CGO_ENABLED": "0"}, BUILD_TIMEOUT_S)
    return built
