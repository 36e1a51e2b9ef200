"""The words of ``inowatch dead-letters``; what they do is in ``command``."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, get_args

import click

from schemas.rejected import Reason
from streams.console import Instant, in_words, settings_of_environment

if TYPE_CHECKING:
    from streams.letters.letter import Place

_REASON = click.Choice(get_args(Reason))


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at what was refused, and put it back."""


@dead_letters.command("list")
@click.option("--reason", type=_REASON, help="Only those refused for this reason.")
@click.option("--topic", help="Only those that were sent to this topic.")
@click.option("--from", "since", type=Instant(), help="Only those refused at this time or later.")
@click.option("--to", "until", type=Instant(), help="Only those refused before this time.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def list_letters(
    reason: Reason | None,
    topic: str | None,
    since: datetime | None,
    until: datetime | None,
    form: str,
) -> None:
    """List what was refused, a line each, and count it by reason."""
    from streams.letters.command import run_list
    from streams.letters.letter import Wanted

    with in_words():
        run_list(settings_of_environment(), Wanted(reason, topic, since, until), form)


@dead_letters.command()
@click.argument("place")
def show(place: str) -> None:
    """Show everything of the dead letter at PLACE, with the bytes as they came.

    PLACE is PARTITION:OFFSET, as in the list's first column.
    """
    from streams.letters.command import run_show

    (at,) = _places((place,))
    with in_words():
        run_show(settings_of_environment(), at)


@dead_letters.command()
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option("--reason", type=_REASON, help="All that were refused for this reason.")
@click.option("--all", "every", is_flag=True, help="All there are.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of each.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(
    places: tuple[str, ...], reason: Reason | None, *, every: bool, dry_run: bool, yes: bool
) -> None:
    """Put refused records back into the topics that they were sent to, as they came.

    Twice is harmless: a record has its effect once. What was put back is told on stderr.
    """
    from streams.letters.command import run_replay
    from streams.letters.letter import Wanted

    if [bool(places), reason is not None, every].count(True) != 1:
        raise click.UsageError("name dead letters (PARTITION:OFFSET), or --reason, or --all")
    at = _places(places)
    with in_words():
        code = run_replay(settings_of_environment(), at, Wanted(reason), dry=dry_run, agreed=yes)
    sys.exit(code)


def _places(texts: tuple[str, ...]) -> "tuple[Place, ...]":
    from streams.letters.letter import Place

    try:
        return tuple(map(Place.parse, texts))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
