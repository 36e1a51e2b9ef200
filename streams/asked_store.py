"""Which store a command asks that reads history: the one that is named, else the last demo's.

Promises the same default to every such command (``audit``, ``explain``, ``whatif``), and that a
store that nobody named is named on stderr.
"""

import click

from streams.demo_recording import demo_recording


class NoStore(ValueError):
    """Nobody said where the history is, and no demo has left one."""


def asked_store(named: str | None) -> str:
    """Give the address of the store that was named, else of what the last demo has recorded.

    Raises ``NoStore``.
    """
    if named:
        return named
    recording = demo_recording()
    if not recording.exists():
        raise NoStore(
            "name the store: --store ADDRESS or INOWATCH_STORE; no demo has left one here"
        )
    click.echo(f"inowatch: asking what the last demo recorded, {recording}", err=True)
    return f"sqlite://{recording.absolute()}"
