"""The demo as a newcomer meets it: four hazards within a minute, then a question about them.

Nothing is left behind but the recording that the question is asked of.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.product import eventually

MANDATED = ("set-dose-high", "methb-first-overdue", "abrupt-stop", "course-over-14-days")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A temporary directory of its own, so that what is left in it was left by the demo."""
    home = Path(tempfile.mkdtemp(dir=tmp_path))
    yield home
    for process in _of(home):
        process.kill()


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start a demo with a Kafka of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("INOWATCH_")}
    cache = {k: v for k, v in os.environ.items() if k == "INOWATCH_CACHE"}
    command = [sys.executable, "-m", "streams.cli", "demo", "--no-browser", *words]
    out, err = home.parent / "out", home.parent / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        environment = {**env, **cache, "TMPDIR": str(home)}
        # What somebody's shell holds of a real site must not reach the demo.
        environment |= {"INOWATCH_PREFIX": "real", "INOWATCH_PROFILE": "none-such"}
        environment |= {"INOWATCH_DATA": str(kept(home))}
        return subprocess.Popen(
            command, env=environment, stdout=stdout, stderr=stderr, text=True, cwd=home
        )


def kept(home: Path) -> Path:
    """Where this demo keeps its recording."""
    return home.parent / "kept"


def asked(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask what the demo has recorded, as a user does who names no store."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("INOWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "audit", *words],
        env=env | {"INOWATCH_DATA": str(kept(home))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home.parent,
    )


def _of(home: Path) -> list[psutil.Process]:
    """Every process that was started with this temporary directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(home):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def said(home: Path) -> str:
    """What the demo has printed on stdout."""
    return home.parent.joinpath("out").read_text()


def test_four_hazards_within_a_minute(home: Path) -> None:
    """Within 60 s every mandated alert is a line on the terminal; then the history answers."""
    demo = start(home, "--for", "55")
    assert demo.wait(180) == 0, home.parent.joinpath("err").read_text()
    lines = said(home).splitlines()
    for rule in MANDATED:
        assert any(f" raised      {rule} " in line for line in lines), said(home)
    assert list(home.iterdir()) == []
    assert _of(home) == []
    assert [path.name for path in kept(home).iterdir()] == ["demo.sqlite"]
    answer = asked(home, "alarm-performance", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    assert "what the last demo recorded" in answer.stderr
    assert set(MANDATED) <= {row["rule"] for row in json.loads(answer.stdout)["rows"]}
    checks = json.loads(asked(home, "first-methb", "--format", "json").stdout)
    assert {"in time", "late"} & {row["result"] for row in checks["rows"]}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(home: Path, how: signal.Signals) -> None:
    """Ctrl-C, and even kill -9, leave no process and no file but a recording."""
    demo = start(home)
    errors = home.parent / "err"
    assert eventually(lambda: "board: http://" in errors.read_text()), errors.read_text()
    time.sleep(1)
    demo.send_signal(how)
    demo.wait(30)
    assert demo.returncode == (0 if how == signal.SIGINT else -signal.SIGKILL)
    assert eventually(lambda: not _of(home), within_s=20)
    assert eventually(lambda: not list(home.iterdir()), within_s=10)
