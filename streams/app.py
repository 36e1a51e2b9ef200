"""The composition root: a role's name to a worker that runs.

Here, and only here, settings meet the parts. Each role is a Faust app and a consumer group of its
own, so that none waits for another.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from streams.settings import Settings
from streams.worker import CannotStart, run_worker


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


ROLES: dict[str, Callable[[Settings], Any]] = {
    "monitor": _monitor,
    "recorder": _recorder,
    "pager": _pager,
    "board": _board,
}


def run_role(role: str, settings: Settings) -> NoReturn:
    """Run one role in this process until it is told to stop.

    Raises ``CannotStart`` for settings that no restart would help.
    """
    try:
        app = ROLES[role](settings)
    except ValueError as wrong:
        raise CannotStart(str(wrong)) from None
    run_worker(app, role, settings)
