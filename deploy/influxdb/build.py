"""Where an InfluxDB server program is to be had on this machine: found, or else built.

There is no prebuilt download that can be counted on, but Go and Rust build it from its own
modules. Built once (some minutes on two cores), kept in the user's cache, and never in the
checkout.
"""

import os
import re
import shutil
from pathlib import Path

from deploy.cache import cache_root, made_once
from deploy.go_program import ASK_TIMEOUT_S, CannotBuild, asked, build_beside, ran

VERSION = "2.9.1"
BUILD_TIMEOUT_S = 3600.0
"""Ten times what it takes on two cores, downloads included."""

_MODULES = Path(__file__).parent / "server"
_PROGRAM = "github.com/influxdata/influxdb/v2/cmd/influxd"
_PKG_CONFIG = "github.com/influxdata/pkg-config"
_TAGS = "sqlite_foreign_keys,sqlite_json"


def influxd_path() -> Path:
    """Path of an influxd of version 2: from the PATH, from the cache, or built now.

    ``INOWATCH_CACHE`` names another cache folder than the user's. Raises ``CannotBuild``.
    """
    on_path = shutil.which("influxd")
    if on_path is not None and _is_version_2(Path(on_path)):
        return Path(on_path)
    return made_once(cache_root() / f"influxd-{VERSION}" / "influxd", _make)


def _is_version_2(program: Path) -> bool:
    """Whether it is no 1.x, which has the same name; a build of one's own says ``dev``."""
    return re.search(r"InfluxDB (v?2\.|dev)", asked(program, "version")) is not None


def _make(kept: Path) -> None:
    _need_tools()
    build_beside(kept, _MODULES, _build)


def _need_tools() -> None:
    compilers = [os.environ.get("CC", "cc"), "gcc", "clang"]
    missing = [tool for tool in ("go", "cargo") if shutil.which(tool) is None]
    if not any(map(shutil.which, compilers)):
        missing.append("a C compiler")
    if missing:
        raise CannotBuild(
            f"no influxd {VERSION} on the PATH or in {cache_root()}, and it cannot be built:"
            f" {', '.join(missing)} missing (it takes Go, Rust with cargo, and a C compiler)"
        )


def _build(room: Path) -> Path:
    tools = room / "bin"
    environment = {"CGO_ENABLED": "1", "GOWORK": "off", "GOBIN": str(tools), **_rust()}
    ran(["go", "install", _PKG_CONFIG], room, environment, BUILD_TIMEOUT_S)
    environment["PKG_CONFIG"] = str(tools / "pkg-config")
    built = room / "influxd"
    build = ["go", "build", "-trimpath", "-tags", _TAGS, "-o", str(built), _PROGRAM]
    ran(build, room, environment, BUILD_TIMEOUT_S)
    return built


def _rust() -> dict[str, str]:
    """Name a toolchain that is installed: a module of InfluxDB asks for one of its own."""
    if "RUSTUP_TOOLCHAIN" in os.environ or shutil.which("rustup") is None:
        return {}
    installed = ran(["rustup", "toolchain", "list"], Path.cwd(), {}, ASK_TIMEOUT_S).split("\n")
    names = [line.split()[0] for line in installed if line.strip()]
    stable = [name for name in names if name.startswith("stable")]
    return {"RUSTUP_TOOLCHAIN": [*stable, *names][0]} if names else {}
