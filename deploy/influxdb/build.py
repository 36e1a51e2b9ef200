"""Where an InfluxDB server program is to be had on this machine: found, or else built.

There is no prebuilt download that can be counted on, but Go and Rust build it from its own
modules; ``server/go.mod`` and ``go.sum`` next to this file say which, to the last checksum. Built
once (some minutes on two cores), kept in the user's cache, and never in the checkout.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

VERSION = "2.9.1"
BUILD_TIMEOUT_S = 3600.0
"""Ten times what it takes on two cores, downloads included."""
ASK_TIMEOUT_S = 60.0

_MODULES = Path(__file__).parent / "server"
_PROGRAM = "github.com/influxdata/influxdb/v2/cmd/influxd"
_PKG_CONFIG = "github.com/influxdata/pkg-config"
_TAGS = "sqlite_foreign_keys,sqlite_json"
_LINES_SHOWN = 8


class CannotBuild(RuntimeError):
    """There is no influxd here and it cannot be built; the message says what is missing."""


def influxd_path() -> Path:
    """Path of an influxd of version 2: from the PATH, from the cache, or built now.

    ``INOWATCH_CACHE`` names another cache folder than the user's. Raises ``CannotBuild``.
    """
    on_path = shutil.which("influxd")
    if on_path is not None and _is_version_2(Path(on_path)):
        return Path(on_path)
    kept = _cache() / f"influxd-{VERSION}" / "influxd"
    if not kept.exists():
        _need_tools()
        kept.parent.mkdir(parents=True, exist_ok=True)
        with _alone(kept.with_suffix(".lock")):
            # Whoever held the lock before has most likely built it.
            if not kept.exists():
                _build(kept)
    return kept


def _cache() -> Path:
    named = os.environ.get("INOWATCH_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("inowatch")


def _is_version_2(program: Path) -> bool:
    """Whether it is no 1.x, which has the same name; a build of one's own says ``dev``."""
    try:
        said = _run([str(program), "version"], Path.cwd(), {}, ASK_TIMEOUT_S)
    except CannotBuild:
        return False
    return re.search(r"InfluxDB (v?2\.|dev)", said) is not None


def _need_tools() -> None:
    compilers = [os.environ.get("CC", "cc"), "gcc", "clang"]
    missing = [tool for tool in ("go", "cargo") if shutil.which(tool) is None]
    if not any(map(shutil.which, compilers)):
        missing.append("a C compiler")
    if missing:
        raise CannotBuild(
            f"no influxd {VERSION} on the PATH or in {_cache()}, and it cannot be built:"
            f" {', '.join(missing)} missing (it takes Go, Rust with cargo, and a C compiler)"
        )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock file; the wait ends with the holder's build, which has its own limit."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(kept: Path) -> None:
    """Build beside the place where it will stand, and move it there in one step."""
    with TemporaryDirectory(dir=kept.parent, prefix="build-") as name:
        room = Path(name)
        for file in ("go.mod", "go.sum"):
            shutil.copy(_MODULES / file, room / file)
        tools = room / "bin"
        environment = {"CGO_ENABLED": "1", "GOWORK": "off", "GOBIN": str(tools), **_rust()}
        _go(["install", _PKG_CONFIG], room, environment)
        environment["PKG_CONFIG"] = str(tools / "pkg-config")
        built = room / "influxd"
        _go(["build", "-trimpath", "-tags", _TAGS, "-o", str(built), _PROGRAM], room, environment)
        built.replace(kept)


def _rust() -> dict[str, str]:
    """Name a toolchain that is installed: a module of InfluxDB asks for one of its own."""
    if "RUSTUP_TOOLCHAIN" in os.environ or shutil.which("rustup") is None:
        return {}
    installed = _run(["rustup", "toolchain", "list"], Path.cwd(), {}, ASK_TIMEOUT_S).split("\n")
    names = [line.split()[0] for line in installed if line.strip()]
    stable = [name for name in names if name.startswith("stable")]
    return {"RUSTUP_TOOLCHAIN": [*stable, *names][0]} if names else {}


def _go(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    _run(["go", *arguments], folder, environment, BUILD_TIMEOUT_S)


def _run(command: list[str], folder: Path, environment: dict[str, str], limit_s: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            cwd=folder,
            env=os.environ | environment,
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
