"""What the commands share at the console: times as arguments, settings, faults in words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.settings import Settings


secrets_folder = click.option(
    "--secrets",
    "folder",
    envvar="INOWATCH_SECRETS",
    show_envvar=True,
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder where passwords and tokens are kept, a file each.",
)
"""Where the commands that make logins and tokens leave them."""

_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Wider than records may be, and so far from where a calendar ends that days can be added."""


class Instant(click.ParamType):
    """An RFC 3339 time with an offset; anything else is refused, not guessed."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return an aware time, or fail with a reason."""
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no RFC 3339 time such as 2026-11-20T10:00:00Z", param, ctx)
        if time.tzinfo is None:
            self.fail(f"{value!r} has no offset; add Z or, say, +01:00", param, ctx)
        if not _EARLIEST <= time <= _LATEST:
            years = f"{_EARLIEST.year} to {_LATEST.year}"
            self.fail(f"{value!r} is no time that a record can have: {years}", param, ctx)
        return time


@contextmanager
def in_words() -> Iterator[None]:
    """What a server or a port refuses is a sentence for the person at the console."""
    from deploy.kafka.broker import BrokerError
    from deploy.kafka.cluster import ClusterError
    from deploy.kafka.fetch import JarsMissingError
    from streams.letters.topic import NoSuchLetter
    from streams.simulate.produce import NotTaken

    try:
        yield
    except (BrokerError, ClusterError, JarsMissingError, NoSuchLetter, NotTaken) as wrong:
        raise click.ClickException(str(wrong)) from None


def settings_of_environment() -> "Settings":
    """Read the INOWATCH_* settings; a fault is wrong use."""
    from streams.settings import InvalidSettings, read_settings

    try:
        return read_settings(os.environ)
    except InvalidSettings as wrong:
        raise click.UsageError(str(wrong)) from None
