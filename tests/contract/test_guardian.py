"""The guardian keeps one promise: what it guards ends when its owner is gone, however that went."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.guarded import Guarded
from deploy.guardian import removable

BOUND_S = 20.0

DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ready}; time.sleep(600)"
)
"""A command that ignores TERM once it has created the file ``ready`` names."""

OWNER = """
import sys, time
from pathlib import Path
from deploy.guarded import Guarded
it = Guarded(["sleep", "600"], remove=Path(sys.argv[1]))
print(it.pid_of_child, flush=True)
time.sleep(600)
"""


def until(true: Callable[[], bool]) -> None:
    """Wait, bounded, for something that another process does."""
    deadline = time.monotonic() + BOUND_S
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only nobody has reaped counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def deaf(ready: Path) -> list[str]:
    """Return the command; wait for ``ready`` before ending it."""
    return [sys.executable, "-c", DEAF.format(ready=f"open({str(ready)!r}, 'w').close()")]


def test_the_command_and_its_directory_go_when_the_owner_is_killed(tmp_path: Path) -> None:
    """After kill -9 of the owner neither the command nor the temporary directory is left."""
    directory = tmp_path / "inowatch-data"
    directory.mkdir()
    (directory / "file").write_text("x")
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()
    until(lambda: gone(pid) and not directory.exists())


def test_stop_ends_the_command_and_removes_the_directory(tmp_path: Path) -> None:
    """A stop is over when the command has ended by TERM and the directory is gone."""
    directory = tmp_path / "inowatch-data"
    directory.mkdir()
    guarded = Guarded(["sleep", "600"], remove=directory)
    assert guarded.poll() is None
    assert guarded.stop() == 128 + signal.SIGTERM
    assert gone(guarded.pid_of_child)
    assert not directory.exists()
    assert guarded.stop() == 128 + signal.SIGTERM


def test_a_command_deaf_to_term_is_killed(tmp_path: Path) -> None:
    """What ignores TERM is ended by KILL once its grace is over."""
    ready = tmp_path / "ready"
    guarded = Guarded(deaf(ready))
    until(ready.exists)
    assert guarded.stop(timeout_s=0.2) == 128 + signal.SIGKILL
    assert gone(guarded.pid_of_child)


def test_kill_is_a_crash_and_leaves_the_directory(tmp_path: Path) -> None:
    """A kill ends even a deaf command at once and keeps its data for who looks into the crash."""
    ready, directory = tmp_path / "ready", tmp_path / "inowatch-data"
    directory.mkdir()
    guarded = Guarded(deaf(ready), remove=directory)
    until(ready.exists)
    assert guarded.kill() == 128 + signal.SIGKILL
    assert directory.exists()


def test_what_the_command_left_behind_ends_with_it(tmp_path: Path) -> None:
    """A grandchild does not outlive a command that has ended by itself."""
    pid_file = tmp_path / "pid"
    guarded = Guarded(["sh", "-c", f"sleep 600 & echo $! > {pid_file}"])
    assert guarded.wait(BOUND_S) == 0
    assert gone(int(pid_file.read_text()))


def test_the_exit_code_and_the_output_are_the_commands_own(tmp_path: Path) -> None:
    """Output, error output, environment, place and exit code are as if nobody stood between."""
    out, err = tmp_path / "out", tmp_path / "err"
    script = 'echo "$WORD in $PWD"; echo oops >&2; exit 7'
    with out.open("wb") as output, err.open("wb") as error_output:
        guarded = Guarded(
            ["sh", "-c", script],
            output=output,
            error_output=error_output,
            env={**os.environ, "WORD": "here"},
            cwd=tmp_path,
        )
        assert guarded.wait(BOUND_S) == 7
    assert out.read_text() == f"here in {tmp_path}\n"
    assert err.read_text() == "oops\n"


def test_a_signal_to_the_guardian_ends_the_command(tmp_path: Path) -> None:
    """TERM and INT to the guardian itself end the command and remove the directory."""
    for number in (signal.SIGTERM, signal.SIGINT):
        directory = tmp_path / f"inowatch-{number.name}"
        directory.mkdir()
        guarded = Guarded(["sleep", "600"], remove=directory)
        parent = psutil.Process(guarded.pid_of_child).parent()
        assert parent is not None
        parent.send_signal(number)
        assert guarded.wait(BOUND_S) == 128 + signal.SIGTERM
        assert gone(guarded.pid_of_child)
        assert not directory.exists()


def test_the_terminals_interrupt_does_not_reach_the_command() -> None:
    """Neither guardian nor command is in the caller's session, where Ctrl-C is heard."""
    with Guarded(["sleep", "600"]) as guarded:
        assert os.getsid(guarded.pid_of_child) != os.getsid(0)
        assert os.getpgid(guarded.pid_of_child) == guarded.pid_of_child


def test_only_our_own_temporary_directories_are_removed(tmp_path: Path) -> None:
    """A directory elsewhere, the temporary one itself or one of another name is refused at once."""
    not_ours = tmp_path / "somebody's home"
    not_ours.mkdir()
    for directory in (Path("/usr/inowatch-x"), Path(tempfile.gettempdir()), not_ours):
        with pytest.raises(ValueError, match="will not remove"):
            removable(directory)
    ours = tmp_path / "inowatch-x"
    assert removable(ours) == ours.resolve()
    with pytest.raises(ValueError, match="will not remove"):
        removable(ours / ".." / ".." / "..")


def test_a_command_that_cannot_start_says_so() -> None:
    """A missing program is an error that names it, not a silent child."""
    with pytest.raises(ChildProcessError, match="no-such-program"):
        Guarded(["no-such-program"], error_output=subprocess.DEVNULL)


def test_by_hand_it_ends_at_the_end_of_its_input() -> None:
    """The command line form runs the command, passes its exit code on and ends at EOF."""
    run = [sys.executable, "-m", "deploy.guardian"]
    with subprocess.Popen([*run, "sleep", "600"], stdin=subprocess.PIPE) as guardian:
        assert guardian.stdin is not None
        guardian.stdin.close()
        assert guardian.wait(BOUND_S) == 128 + signal.SIGTERM
    with subprocess.Popen([*run, "sh", "-c", "exit 3"], stdin=subprocess.PIPE) as guardian:
        assert guardian.wait(BOUND_S) == 3
    lost = subprocess.run(
        [*run, "no-such-program"], capture_output=True, text=True, timeout=BOUND_S, check=False
    )
    assert lost.returncode == 127
    assert "no-such-program" in lost.stderr
