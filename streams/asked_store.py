"""Which store a command asks that reads history: the one that is named, else one that is here.

Promises the same default to every such command (``audit``, ``explain``, ``whatif``), and that a
store that nobody named is named on stderr.
"""

from pathlib import Path

import click

from streams.demo_recording import demo_recording

HERE = Path("inowatch.sqlite")


class NoStore(ValueError):
    """Nobody said where the history is, and no demo has left one."""


def asked_store(named: str | None) -> str:
    """Give the address of the store that was named.

    Else of the one in this folder that ``inowatch run`` makes when none is named, else of what the
    last demo has recorded. Raises ``NoStore``.
    """
    if named:
        return named
    if HERE.exists():
        click.echo(f"inowatch: asking {HERE.absolute()}", err=True)
        return f"sqlite:{HERE}"
    recording = demo_recording()
    if not recording.exists():
        raise NoStore(
            "name the store: --store ADDRESS or INOWATCH_STORE; no demo has left one here"
        )
    click.echo(f"inowatch: asking what the last demo recorded, {recording}", err=True)
    return f"sqlite://{recording.absolute()}"
