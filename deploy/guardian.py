"""Ends a command when whoever started it is gone, even by kill -9.

A guardian is a small process between a parent and a server. Its stdin is a pipe that only the
parent holds, so the kernel closes it however the parent ends. The guardian then ends the command
and all that the command started (TERM, after a grace KILL) and may remove one temporary directory.
It promises nothing when it is itself killed with -9, and it needs POSIX process groups.

By hand, ``python -m deploy.guardian sleep 60`` ends at Ctrl-D or Ctrl-C. The parent's side is
``deploy.guarded``; it may also send the line ``stop SECONDS`` or ``kill``. Nothing but the standard
library is imported here, so that a guardian starts at once and stays small.
"""

import argparse
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

GRACE_S = 5.0
"""From TERM to KILL when nobody is left who could say otherwise."""
NOT_STARTED = 127
"""Exit code for a command that could not be started, as in a shell."""
OURS = "inowatch-"
"""How a directory is named that we made: a home below the temporary directory is not ours."""
_STDIN = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Guard the command in ``arguments``; its exit code, 128 + n when signal n ended it."""
    options = _options(arguments)
    wake = _wake_on_signals()
    try:
        remove = None if options.remove is None else removable(options.remove)
        child = subprocess.Popen(  # noqa: S603 # to run what it is told to is its purpose
            options.command, stdin=subprocess.DEVNULL, process_group=0
        )
    except (OSError, ValueError) as error:
        _report(options.pid_fd, f"{options.command[0]}: {error}")
        return NOT_STARTED
    _report(options.pid_fd, str(child.pid))
    grace_s = _until_told_or_ended(child, wake)
    _end(child, wake, grace_s or 0.0)
    if grace_s is not None and remove is not None:
        shutil.rmtree(remove, ignore_errors=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def removable(directory: Path) -> Path:
    """Resolve a directory that may be removed: a slip must not cost somebody's disk.

    Raises:
        ValueError: it is not below the system's temporary directory, or not named as ours are.

    """
    whole = directory.resolve()
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary not in whole.parents:
        raise ValueError(f"will not remove {whole}: it is not below {temporary}")
    if not whole.name.startswith(OURS):
        raise ValueError(f"will not remove {whole}: its name does not begin with {OURS}")
    return whole


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.guardian",
        description="Runs COMMAND until it ends, stdin closes or a signal comes.",
    )
    parser.add_argument("--remove", type=Path, metavar="DIR", help="remove DIR after a stop")
    parser.add_argument("--pid-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(arguments)
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("a COMMAND is needed")
    return options


def _report(pid_fd: int | None, words: str) -> None:
    """Tell the waiting parent the child's process id, or why there is none; by hand, stderr."""
    if pid_fd is not None:
        os.write(pid_fd, words.encode())
        os.close(pid_fd)
    elif not words.isdecimal():
        sys.stderr.write(f"guardian: {words}\n")


def _wake_on_signals() -> socket.socket:
    """Return a socket that gets each signal's number as a byte: ``select`` can wait for that."""
    wake, signalled = socket.socketpair()
    signalled.setblocking(False)
    signal.set_wakeup_fd(signalled.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return wake


def _until_told_or_ended(child: subprocess.Popen[bytes], wake: socket.socket) -> float | None:
    """Seconds of grace when told to stop; None when the child ended by itself or shall be killed.

    Told to stop is also: the pipe has closed, or a signal has come.
    """
    while True:
        ready, _, _ = select.select([_STDIN, wake.fileno()], [], [])
        if _STDIN in ready:
            # A line is far below PIPE_BUF, so it comes whole. No line: the parent is gone.
            match os.read(_STDIN, select.PIPE_BUF).decode(errors="replace").split():
                case ["kill"]:
                    return None
                case ["stop", seconds]:
                    return float(seconds)
                case _:
                    return GRACE_S
        if set(wake.recv(64)) - {signal.SIGCHLD}:
            return GRACE_S
        if _has_ended(child):
            return None


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Look without reaping: until it is reaped its id, also the group's, cannot be another's."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child.pid, flags) is not None


def _end(child: subprocess.Popen[bytes], wake: socket.socket, grace_s: float) -> None:
    """End the child's whole group: also what the child started and left behind."""
    deadline = time.monotonic() + grace_s
    if grace_s > 0:
        _signal_group(child, signal.SIGTERM)
    while not _has_ended(child) and (left_s := deadline - time.monotonic()) > 0:
        if select.select([wake], [], [], left_s)[0]:
            wake.recv(64)
    _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # Some systems refuse to signal a group of which only the unreaped leader is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main())
