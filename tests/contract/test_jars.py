"""A jar is in the cache whole and as it was locked, or it is not there.

The network here is a mirror on this machine: a real web server with real jars, which can be told to
misbehave. It is named where any mirror is named, in jgo's own settings.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.cache import cache_root
from deploy.free_port import free_port
from deploy.kafka.fetch import ATTEMPTS, JarsMissingError, fetch
from deploy.kafka.jar_lock import Jar, is_sound, read_lock
from deploy.kafka.jars import classpath

BOUND_S = 60.0

FETCH = """
import sys
from pathlib import Path
from deploy.kafka.fetch import fetch
from deploy.kafka.jar_lock import read_lock
names = sys.argv[2:]
fetch([jar for jar in read_lock().jars if jar.file_name in names], Path(sys.argv[1]), "test")
"""


class Mirror(ThreadingHTTPServer):
    """Serves files by name; the next ``breaks`` answers end in the middle.

    While ``hold`` is set it sends half of an answer and waits: ``held`` says that it does.
    """

    def __init__(self, files: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files = {name: path.read_bytes() for name, path in files.items()}
        self.asked: Counter[str] = Counter()
        self.breaks = 0
        self.hold, self.held, self.go_on = threading.Event(), threading.Event(), threading.Event()


class Answer(BaseHTTPRequestHandler):
    """One request to the mirror."""

    server: Mirror

    def do_GET(self) -> None:
        """Send the file whose name ends the path."""
        mirror, name = self.server, self.path.rpartition("/")[2]
        content = mirror.files.get(name)
        if content is None:
            self.send_error(404)
            return
        mirror.asked[name] += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        if mirror.breaks > 0:
            mirror.breaks -= 1
            return
        if mirror.hold.is_set():
            self.wfile.flush()
            mirror.held.set()
            mirror.go_on.wait(BOUND_S)
            return
        self.wfile.write(content[half:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def jars() -> list[Jar]:
    """Take the three smallest jars of the lock."""
    return sorted(read_lock().group("broker"), key=lambda jar: jar.size_bytes)[:3]


@pytest.fixture
def originals(jars: list[Jar]) -> dict[str, Path]:
    """Find these jars in the true cache."""
    paths = {path.name: path for path in map(Path, classpath().split(":"))}
    return {jar.file_name: paths[jar.file_name] for jar in jars}


@pytest.fixture
def mirror(
    originals: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mirror]:
    """Serve these jars, and make jgo use this mirror only."""
    with Mirror(originals) as server:
        use(f"http://127.0.0.1:{server.server_port}", tmp_path, monkeypatch)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join(BOUND_S)


def use(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point jgo, here and in child processes, at this repository."""
    settings = tmp_path / "jgo.conf"
    settings.write_text(f"[repositories]\ncentral = {url}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def in_a_process(directory: Path, jars: list[Jar]) -> "subprocess.Popen[bytes]":
    """Start a process that fetches."""
    names = [jar.file_name for jar in jars]
    return subprocess.Popen([sys.executable, "-c", FETCH, str(directory), *names])


def names_in(directory: Path) -> list[str]:
    """List everything in a directory, hidden or not."""
    return sorted(path.name for path in directory.iterdir())


def all_sound(jars: list[Jar], directory: Path) -> bool:
    """Whether the directory has these jars, sound, and nothing else."""
    names = sorted(jar.file_name for jar in jars)
    return names_in(directory) == names and all(
        is_sound(jar, directory / jar.file_name) for jar in jars
    )


def test_an_empty_cache_is_filled(
    mirror: Mirror, jars: list[Jar], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every jar comes, once, with a word on stderr; the second time nothing is done or said."""
    cache = tmp_path / "cache"
    fetch(jars, cache, "three jars")
    assert all_sound(jars, cache)
    assert "three jars: 3 of 3 files" in capsys.readouterr().err
    fetch(jars, cache, "three jars")
    assert mirror.asked == {jar.file_name: 1 for jar in jars}
    assert capsys.readouterr() == ("", "")


def test_a_damaged_jar_is_replaced(mirror: Mirror, jars: list[Jar], tmp_path: Path) -> None:
    """One wrong byte is found by the sha256; only that jar is fetched again."""
    cache = tmp_path / "cache"
    fetch(jars, cache, "test")
    damaged = cache / jars[0].file_name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    fetch(jars, cache, "test")
    assert all_sound(jars, cache)
    assert mirror.asked == {jar.file_name: 2 if jar == jars[0] else 1 for jar in jars}


def test_what_was_not_locked_is_not_taken(mirror: Mirror, jars: list[Jar], tmp_path: Path) -> None:
    """A mirror with another jar under the name is an error that names it; the jar is not kept."""
    cache = tmp_path / "cache"
    wrong = jars[0]
    mirror.files[wrong.file_name] = b"x" * wrong.size_bytes
    with pytest.raises(JarsMissingError, match=rf"{wrong} could not be fetched.*sha256"):
        fetch(jars, cache, "test")
    assert mirror.asked[wrong.file_name] == ATTEMPTS
    assert wrong.file_name not in names_in(cache)
    assert not [name for name in names_in(cache) if name.startswith(".")]


def test_a_broken_connection_is_tried_again(
    mirror: Mirror, jars: list[Jar], tmp_path: Path
) -> None:
    """Half an answer is not taken for the whole, and the next attempt succeeds."""
    cache = tmp_path / "cache"
    mirror.breaks = 1
    fetch(jars, cache, "test")
    assert all_sound(jars, cache)
    assert mirror.asked.total() == len(jars) + 1


def test_a_killed_fetch_leaves_no_half_jar(mirror: Mirror, jars: list[Jar], tmp_path: Path) -> None:
    """After kill -9 in a download no part has the jar's name, and the rest is swept away later."""
    cache, largest = tmp_path / "cache", jars[-1:]
    mirror.hold.set()
    with in_a_process(cache, largest) as process:
        assert mirror.held.wait(BOUND_S)
        process.kill()
    (left,) = cache.iterdir()
    assert left.name.startswith(".")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(left, (two_days_ago, two_days_ago))
    mirror.hold.clear()
    fetch(largest, cache, "test")
    assert all_sound(largest, cache)


def test_two_at_a_time_do_not_disturb_each_other(
    mirror: Mirror, jars: list[Jar], tmp_path: Path
) -> None:
    """Two processes that fill one cache at once both succeed, and the cache is right."""
    cache = tmp_path / "cache"
    with in_a_process(cache, jars) as one, in_a_process(cache, jars) as other:
        assert one.wait(BOUND_S) == 0
        assert other.wait(BOUND_S) == 0
    assert all_sound(jars, cache)


def test_without_a_network_the_error_helps(
    originals: dict[str, Path],
    jars: list[Jar],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Offline, what is cached serves; what is missing is named, with the two ways out."""
    use(f"http://127.0.0.1:{free_port()}", tmp_path, monkeypatch)
    cache = tmp_path / "cache"
    cache.mkdir()
    for path in originals.values():
        shutil.copy(path, cache)
    fetch(jars, cache, "test")
    (cache / jars[0].file_name).unlink()
    with pytest.raises(JarsMissingError) as caught:
        fetch(jars, cache, "test")
    message = str(caught.value)
    assert "1 file is missing" in message
    assert str(jars[0]) in message
    assert "INOWATCH_KAFKA" in message
    assert "INOWATCH_CACHE" in message


def test_the_cache_is_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INOWATCH_CACHE names the cache; without it, it is the user's own for this product."""
    monkeypatch.setenv("INOWATCH_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("INOWATCH_CACHE")
    assert "inowatch" in cache_root().parts


def test_the_lock_is_complete_and_unambiguous() -> None:
    """Every jar has a file name of its own and a hash; the tools come on top of the broker."""
    lock = read_lock()
    assert len({jar.file_name for jar in lock.jars}) == len(lock.jars)
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in lock.jars)
    broker, tools = lock.group("broker"), lock.group("tools")
    assert set(broker) < set(tools) == set(lock.jars)
    assert f"org.apache.kafka:kafka_2.13:{lock.kafka}" in map(str, broker)
    assert f"org.apache.kafka:kafka-tools:{lock.kafka}" in map(str, tools)
    assert classpath().split(":")[0].endswith(broker[0].file_name)
