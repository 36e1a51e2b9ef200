"""``inowatch deploy influxdb``: its words. What it does is in ``deploy.influxdb.setup``.

Server, organization and bucket are those of the store's address, the same that the recorder has: so
they are named in one place.
"""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from streams.console import secrets_folder

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DAYS = click.IntRange(0, 36_500)
KEEP_D = 400
"""A year that is looked back on, and a month to do it in."""
KEEP_MINUTES_D = 3660
"""Ten years of rows a minute take as much as 50 days of samples at one a second (measured)."""


@click.command("influxdb")
@click.option(
    "--store",
    envvar="INOWATCH_STORE",
    show_envvar=True,
    required=True,
    help="influxdb://host:8086/org/bucket, as the recorder has it.",
)
@secrets_folder
@click.option(
    "--admin-token-file",
    envvar="INOWATCH_INFLUXDB_ADMIN_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The operator's token of a server that others have set up.",
)
@click.option(
    "--keep-days",
    default=KEEP_D,
    show_default=True,
    type=_DAYS,
    help="How long all records are kept; 0: for ever.",
)
@click.option(
    "--keep-minutes-days",
    default=KEEP_MINUTES_D,
    show_default=True,
    type=_DAYS,
    help="How long the rows a minute are kept; 0: for ever.",
)
def deploy_influxdb(
    store: str, folder: Path, admin_token_file: Path | None, keep_days: int, keep_minutes_days: int
) -> None:
    """Set InfluxDB up: organization, buckets, the task for minutes, three tokens as files.

    A second run changes nothing. What stands there otherwise than wanted is told of and left (exit
    code 1). Secrets are written to files that only their owner may read, and never shown.
    """
    from deploy.influxdb.api import SetupFailed
    from deploy.influxdb.setup import Wanted, set_up
    from deploy.secret_files import SecretFolder
    from streams.secret_file import unfit
    from streams.stores.open import influx_place

    try:
        place = influx_place(urlsplit(store))
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    for name in (place.org, place.bucket):
        if not _SAFE.fullmatch(name):
            raise click.UsageError(f"{name!r}: letters, digits, . _ - (at most 64)")
    wanted = Wanted(
        url=place.url,
        org=place.org,
        bucket=place.bucket,
        keep_d=keep_days,
        keep_minutes_d=keep_minutes_days,
        ca_file=None if place.ca_file is None else Path(place.ca_file),
    )
    fault = None if admin_token_file is None else unfit(admin_token_file)
    if fault is not None:
        raise click.ClickException(f"{admin_token_file}: {fault}")
    try:
        done = set_up(wanted, SecretFolder(folder), admin_token_file)
    except (SetupFailed, OSError) as wrong:
        raise click.ClickException(str(wrong)) from None
    for sentence in [*done.changes, *done.wrong]:
        click.echo(sentence, err=True)
    if not done.changes:
        click.echo("nothing had to be changed", err=True)
    sys.exit(1 if done.wrong else 0)
