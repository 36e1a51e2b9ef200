"""The words of ``inowatch audit verify``; what it does is in ``verify_command``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.journal.verify_command import Form


@click.command()
@click.option(
    "--journal",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="INOWATCH_JOURNAL",
    show_envvar=True,
    required=True,
    help="The folder with the chains.",
)
@click.option(
    "--anchors",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="INOWATCH_ANCHORS",
    show_envvar=True,
    help="The file with the anchors, which has to be there; anchors.jsonl in the folder, if it is"
    " there, by default.",
)
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="INOWATCH_JOURNAL_KEY_FILE",
    show_envvar=True,
    required=True,
    help="The keys, those of old entries too.",
)
@click.option(
    "--store",
    envvar="INOWATCH_STORE",
    show_envvar=True,
    help="The store whose anchors are compared as well.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def verify(
    folder: Path, anchors: Path | None, key_file: Path, store: str | None, form: "Form"
) -> None:
    """Verify the audit journal: name the first bad record of each chain.

    Exit code 0 when every chain is as it was written, 1 when one is not or none is there.
    """
    from streams.journal.verify_command import as_lines, summary
    from streams.journal.verify_command import verify as verified

    try:
        verdict = verified(folder, anchors, key_file, store)
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    for line in as_lines(verdict, form):
        click.echo(line)
    for line in summary(verdict):
        click.echo(line, err=True)
    sys.exit(0 if verdict.is_whole else 1)
