"""Starts a command that does not outlive this process: the parent's side of ``deploy.guardian``.

The command runs in a session of its own, so Ctrl-C in the terminal reaches it only through
``stop``. However this process ends, the kernel closes the pipe to the guardian, which then ends the
command. It does not know what it runs, nor when that is ready.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy import guardian

_OVERTIME_S = 10.0
"""What an end may take beyond its grace: reaping and removing, on a busy machine."""


class Guarded:
    """A command under a guardian; as a context manager, stopped at the end of the block.

    ``output`` takes stdout and stderr, ``error_output`` stderr alone. ``remove`` is a directory
    below the system's temporary one. It is removed when ``stop`` or this process's death ends the
    command, and kept when the command ends by itself or by ``kill``: then its owner still has it.

    Raises:
        ChildProcessError: the command cannot be started.
        ValueError: ``remove`` is not below the temporary directory, or not named ``inowatch-…``.

    """

    pid_of_child: int

    def __init__(  # noqa: PLR0913 # each is one of Popen's own, by name and with a default
        self,
        command: Sequence[str],
        *,
        output: int | IO[bytes] | None = None,
        error_output: int | IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        remove: Path | None = None,
    ) -> None:
        removing = [] if remove is None else ["--remove", str(guardian.removable(remove))]
        # -I -S: the guardian needs no site-packages and is up in hundredths of a second.
        guarding = [sys.executable, "-I", "-S", guardian.__file__, *removing]
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, "rb") as report:
            try:
                self._guardian = subprocess.Popen(  # noqa: S603 # starts what the caller names
                    [*guarding, "--pid-fd", str(write_end), "--", *command],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output if error_output is None else error_output,
                    env=env,
                    cwd=cwd,
                    start_new_session=True,
                    pass_fds=(write_end,),
                )
            finally:
                os.close(write_end)
            answer = report.read().decode()
        if not answer.isdecimal():
            self.stop()
            raise ChildProcessError(answer or f"the guardian of {command[0]} did not start")
        self.pid_of_child = int(answer)

    def poll(self) -> int | None:
        """Exit code, or None while the command or its guardian runs (128 + n: ended by signal)."""
        code = self._guardian.poll()
        if code is not None:
            self._hang_up()
        return code

    def wait(self, timeout_s: float) -> int:
        """Exit code of a command that ends by itself.

        Raises:
            subprocess.TimeoutExpired: it still runs, and is left running.

        """
        code = self._guardian.wait(timeout_s)
        self._hang_up()
        return code

    def stop(self, timeout_s: float = guardian.GRACE_S) -> int:
        """TERM, after ``timeout_s`` KILL; returns when all of it has ended. Twice does no harm."""
        return self._tell(f"stop {timeout_s}", timeout_s + _OVERTIME_S)

    def kill(self) -> int:
        """KILL at once, as a crash would; the directory stays."""
        return self._tell("kill", _OVERTIME_S)

    def _tell(self, line: str, timeout_s: float) -> int:
        self._hang_up(line)
        return self._guardian.wait(timeout_s)

    def _hang_up(self, line: str = "") -> None:
        pipe = self._guardian.stdin
        if pipe is not None and not pipe.closed:
            # Broken when the command has ended and its guardian with it: nobody is left to tell.
            with pipe, contextlib.suppress(BrokenPipeError):
                pipe.write(f"{line}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
