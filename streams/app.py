"""The composition root: a role's name to a process that runs.

Here, and only here, settings meet the parts. Each worker is a Faust app and a consumer group of its
own, so that none waits for another; the watchdog is neither. A role loads what it needs itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from streams.ending import CannotStart
from streams.settings import Settings


def _monitor(settings: Settings) -> Any:
    from streams.monitor import Monitor

    return Monitor(settings).app


def _recorder(settings: Settings) -> Any:
    from streams.recorder import Recorder

    return Recorder(settings).app


def _pager(settings: Settings) -> Any:
    from streams.pager import Pager

    return Pager(settings).app


def _board(settings: Settings) -> Any:
    from streams.board.role import Board

    return Board(settings).app


def _journal(settings: Settings) -> Any:
    from streams.journal.role import Journal

    return Journal(settings).app


WORKERS: dict[str, Callable[[Settings], Any]] = {
    "monitor": _monitor,
    "recorder": _recorder,
    "pager": _pager,
    "board": _board,
    "journal": _journal,
}
WATCHDOG = "watchdog"
ROLES = (*WORKERS, WATCHDOG)


def usual_roles(settings: Settings) -> tuple[str, ...]:
    """Name the roles that run where none is named: a journal needs a folder to write into."""
    return tuple(role for role in ROLES if role != "journal" or settings.journal is not None)


def run_role(role: str, settings: Settings) -> None:
    """Run one role in this process until it is told to stop.

    Raises ``CannotStart`` for settings that no restart would help.
    """
    try:
        run = _watchdog(settings) if role == WATCHDOG else _worker(role, settings)
    except ValueError as wrong:
        raise CannotStart(str(wrong)) from None
    run()


def _worker(role: str, settings: Settings) -> Callable[[], None]:
    from streams.worker import run_worker

    return partial(run_worker, WORKERS[role](settings), role, settings)


def _watchdog(settings: Settings) -> Callable[[], None]:
    from streams.watch.role import Watchdog

    return Watchdog(settings).run
