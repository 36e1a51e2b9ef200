"""The words of ``inowatch whatif``; what it does is in ``command``."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from streams.console import Instant

if TYPE_CHECKING:
    from streams.whatif.command import Form


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    "names",
    multiple=True,
    help="Twice: the limits to judge by, and those to compare them with.",
)
@click.option(
    "--profiles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="INOWATCH_PROFILES",
    show_envvar=True,
    help="A folder with the site's own profiles.",
)
@click.option(
    "--store",
    envvar="INOWATCH_STORE",
    show_envvar=True,
    help="Where the history was kept, what the last demo recorded by default; not asked when FILES"
    " are named.",
)
@click.option("--from", "start", type=Instant(), help="Alerts told at this time or later count.")
@click.option("--to", "stop", type=Instant(), help="The history ends before this time.")
@click.option("--unit", help="Only what is about this unit.")
@click.option(
    "--recorded",
    is_flag=True,
    help="Compare the first profile with the alerts that were recorded then.",
)
@click.option(
    "--keep-named",
    is_flag=True,
    help="Whoever has a profile by context or unit keeps it; --profile judges the others.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def whatif(  # noqa: PLR0913, PLR0917 - the options, one parameter each
    files: tuple[Path, ...],
    names: tuple[str, ...],
    profiles: Path | None,
    store: str | None,
    start: datetime | None,
    stop: datetime | None,
    unit: str | None,
    form: "Form",
    *,
    recorded: bool,
    keep_named: bool,
) -> None:
    """Judge recorded history by other limits: which alerts appear, vanish or move.

    The history is that of the store, or of recordings (FILES, as for replay). Beside the
    differences stand the alarm load of each profile and how much of the time in hazard it covers.
    """
    from alerts.profile_book import InvalidProfile, ProfileBook
    from streams.asked_store import NoStore, asked_store
    from streams.stores.port import StoreUnavailable
    from streams.whatif.command import Ask, InvalidAsk, whatif_of_files, whatif_of_store, write
    from streams.whatif.judging import NothingRecorded

    _check(files, names, start, stop, recorded=recorded)
    try:
        ask = Ask(names, ProfileBook(profiles), keep_named, start, stop, unit)
        if files:
            found, refused = whatif_of_files(files, ask)
            for reason, count in sorted(refused.items()):
                click.echo(f"{count} records refused: {reason}", err=True)
        else:
            found = whatif_of_store(asked_store(store), ask, recorded=recorded)
    except (InvalidProfile, InvalidAsk, NoStore) as wrong:
        raise click.UsageError(str(wrong)) from None
    except (StoreUnavailable, NothingRecorded, OSError, ValueError) as wrong:
        # A ValueError: the store is of something else, or a point in it holds no whole record.
        raise click.ClickException(str(wrong)) from None
    for line in write(found, form):
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _check(
    files: tuple[Path, ...],
    names: tuple[str, ...],
    start: datetime | None,
    stop: datetime | None,
    *,
    recorded: bool,
) -> None:
    """Refuse what cannot be meant."""
    if len(names) not in ((1, 2) if recorded else (2,)):
        raise click.UsageError("name two profiles to compare; with --recorded one is enough")
    source = click.get_current_context().get_parameter_source("store")
    if files and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("name recordings or a --store, not both")
    if files and recorded:
        raise click.UsageError("a recording holds no alerts: --recorded is for a store")
    if start is not None and stop is not None and start >= stop:
        raise click.UsageError("--from has to be before --to")
