"""The command line: words to the product. Machines read stdout, people read stderr.

Exit codes: 0 done, 1 failed, 2 wrong use. Each command imports what it needs when it runs.
"""

import sys
from collections import Counter
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import click


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
        return time


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("inowatch"), prog_name="inowatch")
def main() -> None:
    """Watch over inhaled nitric oxide therapy.

    A secondary alarm system: it never replaces the device's own alarms.
    """


@main.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--until", type=Instant(), help="Move the clock on to this time at the end.")
@click.option("--profile", default="default", show_default=True, help="The limits to judge by.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was refused to this file, a JSON object a line.",
)
def replay(
    files: tuple[Path, ...], until: datetime | None, profile: str, rejects: Path | None
) -> None:
    """Judge recorded events offline: alert transitions as JSON lines on stdout."""
    from streams.replay_command import InvalidReplay, run_replay

    try:
        refused = run_replay(files, until, profile, rejects, sys.stdout.buffer)
    except InvalidReplay as wrong:
        raise click.UsageError(str(wrong)) from None
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None
    _tell_refused(refused, rejects)


def _tell_refused(refused: Counter[str], rejects: Path | None) -> None:
    if not refused:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()))
    where = f"; see {rejects}" if rejects else "; --rejects FILE keeps them"
    click.echo(f"{refused.total()} records refused: {counts}{where}", err=True)
