"""Brings locked jars into a directory, through the ordinary Maven client in Python.

A jar appears in the directory whole and checked, or not at all: each is downloaded into a private
place beside it, its sha256 compared, and moved in by one rename. So a killed download, or two at a
time, leave nothing half. Mirrors are taken from jgo's own settings; the lock makes any of them
safe. This module does not know Kafka.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from deploy.kafka.jar_lock import Jar, is_sound

AT_A_TIME = 8
"""Files are small and many: latency is the bound, and 8 connections are still good manners."""
ATTEMPTS = 3
PAUSE_S = 0.5
_PRIVATE = ".partial-"
_STALE_S = 24 * 3600.0
"""A private place this old is a killed download's: a whole fetch takes seconds, or minutes."""
_MEGABYTE = 1_000_000
_ADVICE = (
    "With a network, try again: what has come is kept. Without one, set INOWATCH_KAFKA to the "
    "host:port of a Kafka that runs, or INOWATCH_CACHE to a cache that is filled."
)


class JarsMissingError(RuntimeError):
    """A jar is neither here nor to be had; the message says which, why and what helps."""


def fetch(jars: Sequence[Jar], directory: Path, what: str) -> None:
    """Make ``directory`` hold every jar, sound; what is sound already is not touched.

    Progress goes to stderr under the name ``what``, and only when there is something to fetch.

    Raises:
        JarsMissingError: one could not be had; those that could are kept for the next time.

    """
    missing = [jar for jar in jars if not is_sound(jar, directory / jar.file_name)]
    if not missing:
        return
    directory.mkdir(parents=True, exist_ok=True)
    _sweep(directory)
    with TemporaryDirectory(prefix=_PRIVATE, dir=directory) as private:
        maven = repository(Path(private))
        progress = _Progress(what, missing)
        pool = ThreadPoolExecutor(AT_A_TIME)
        try:
            works = {pool.submit(_fetch_one, maven, jar, directory): jar for jar in missing}
            for work in as_completed(works):
                if error := work.exception():
                    raise JarsMissingError(
                        f"{what} is not complete in {directory}: {progress.left}, "
                        f"and {works[work]} could not be fetched: {error}. {_ADVICE}"
                    ) from error
                progress.add(works[work])
        finally:
            pool.shutdown(cancel_futures=True)
            progress.end()


def repository(directory: Path) -> MavenContext:
    """Maven's view of the network, with ``directory`` as its local repository."""
    mirrors = GlobalSettings.load().repositories
    return MavenContext(
        repo_cache=directory, remote_repos={"central": MAVEN_CENTRAL_URL, **mirrors}
    )


def _fetch_one(maven: MavenContext, jar: Jar, directory: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _try(maven, jar, directory / jar.file_name)
            break
        # RuntimeError is jgo's word for any answer but 200; network errors are OSErrors.
        except (OSError, RuntimeError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt * PAUSE_S)


def _try(maven: MavenContext, jar: Jar, target: Path) -> None:
    if is_sound(jar, target):
        return  # another process was quicker
    component = maven.project(jar.group_id, jar.artifact_id).at_version(jar.version)
    artifact = component.artifact(jar.classifier, "jar")
    # jgo takes what lies there for the whole, also the part that a broken connection left.
    artifact.cached_path.unlink(missing_ok=True)
    path = artifact.resolve()
    if not is_sound(jar, path):
        raise RuntimeError("what came is not what was locked (sha256 differs)")
    path.replace(target)


def _sweep(directory: Path) -> None:
    for left in directory.glob(f"{_PRIVATE}*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)


class _Progress:
    """One line on stderr: rewritten on a terminal, else once at the start and once at the end."""

    def __init__(self, what: str, jars: Sequence[Jar]) -> None:
        self._what = what
        self._files, self._all_files = 0, len(jars)
        self._bytes, self._all_bytes = 0, sum(jar.size_bytes for jar in jars)
        self._live = sys.stderr.isatty()
        self._show("\r" if self._live else "\n")

    @property
    def left(self) -> str:
        left = self._all_files - self._files
        return "1 file is missing" if left == 1 else f"{left} files are missing"

    def add(self, jar: Jar) -> None:
        self._files += 1
        self._bytes += jar.size_bytes
        if self._live:
            self._show("\r")

    def end(self) -> None:
        self._show("\n")

    def _show(self, end: str) -> None:
        done, whole = self._bytes / _MEGABYTE, self._all_bytes / _MEGABYTE
        line = f"fetching {self._what}: {self._files} of {self._all_files} files"
        sys.stderr.write(f"{line}, {done:.1f} of {whole:.1f} MB{end}")
        sys.stderr.flush()
