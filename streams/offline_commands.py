"""The commands that need no broker: judge recordings, explain, run scenarios.

Exit codes: 0 done, 1 failed, 2 wrong use. Each command imports what it needs when it runs.
"""

import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.console import Instant

if TYPE_CHECKING:
    from alerts.profile_book import ProfileBook
    from streams.explain_command import Form


_PROFILES = click.option(
    "--profiles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="INOWATCH_PROFILES",
    show_envvar=True,
    help="A folder with the site's own profiles.",
)


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--until", type=Instant(), help="Move the clock on to this time at the end.")
@click.option("--profile", default="default", show_default=True, help="The limits to judge by.")
@_PROFILES
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was refused to this file, a JSON object a line.",
)
def replay(
    files: tuple[Path, ...],
    until: datetime | None,
    profile: str,
    profiles: Path | None,
    rejects: Path | None,
) -> None:
    """Judge recorded events offline: alert transitions as JSON lines on stdout."""
    from alerts.profile_book import InvalidProfile, ProfileBook
    from streams.replay_command import InvalidReplay, run_replay
    from streams.ward import Ward

    try:
        ward = Ward(profile, book=ProfileBook(profiles))
        refused = run_replay(files, until, ward, rejects, sys.stdout.buffer)
    except (InvalidProfile, InvalidReplay) as wrong:
        raise click.UsageError(str(wrong)) from None
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None
    _tell_refused(refused, f"see {rejects}" if rejects else "--rejects FILE keeps them")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--patient", required=True, help="The patient's pseudonym.")
@click.option("--at", type=Instant(), help="As of this time; the recording's end by default.")
@click.option("--payer", help="Show this payer's policy in place of the recorded one's.")
@click.option("--profile", default="default", show_default=True, help="The limits to judge by.")
@_PROFILES
@click.option(
    "--format", "form", default="table", show_default=True, type=click.Choice(["table", "json"])
)
def policy(  # noqa: PLR0913, PLR0917 - the options, one parameter each
    file: Path,
    patient: str,
    at: datetime | None,
    payer: str | None,
    profile: str,
    profiles: Path | None,
    form: str,
) -> None:
    """Show what payer and label ask of a patient's course, and what is on record.

    No verdict on care: each criterion is met, not met or indeterminate, with the fact behind it.
    """
    from alerts.policy import InvalidPolicy
    from alerts.profile_book import InvalidProfile, ProfileBook
    from schemas.encode import encode
    from streams.policy_command import InvalidAsk, UnknownPatient, run_policy
    from streams.ward import Ward
    from streams.worksheet import table

    kept = "inowatch replay --rejects FILE keeps them"
    try:
        ward = Ward(profile, book=ProfileBook(profiles))
        sheet, refused = run_policy(file, patient, at, payer, ward)
    except (InvalidProfile, InvalidAsk) as wrong:
        raise click.UsageError(str(wrong)) from None
    except UnknownPatient as wrong:
        _tell_refused(wrong.refused, kept)
        raise click.ClickException(str(wrong)) from None
    except (OSError, InvalidPolicy) as wrong:
        raise click.ClickException(str(wrong)) from None
    lines = table(sheet) if form == "table" else [encode(sheet).decode()]
    for line in lines:
        click.echo(line)
    _tell_refused(refused, kept)


@click.command()
@click.argument("what", metavar="RULE|ALERT_ID", required=False)
@click.option("--all", "every", is_flag=True, help="The whole rule book, as in docs/rules.md.")
@click.option("--profile", default="default", show_default=True, help="The limits of a rule.")
@_PROFILES
@click.option(
    "--store",
    envvar="INOWATCH_STORE",
    show_envvar=True,
    help="Where an alert was kept; what the last demo recorded by default.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to write an alert.",
)
def explain(  # noqa: PLR0913 - options, one parameter each
    what: str | None,
    profile: str,
    profiles: Path | None,
    store: str | None,
    form: "Form",
    *,
    every: bool,
) -> None:
    """Say what a rule watches, why and by which numbers, or what stands behind one alert."""
    from alerts.profile_book import InvalidProfile, ProfileBook
    from alerts.reference import EVERY_RULE, reference
    from alerts.reference import explain as explained
    from streams.explain_command import is_alert_id

    names = ", ".join(one.name for one in EVERY_RULE)
    if not every and what is None:
        raise click.UsageError(f"name a rule or an alert's id, or --all: {names}")
    try:
        book = ProfileBook(profiles)
        if every:
            click.echo(reference(book.named(profile)).rstrip())
        elif is_alert_id(str(what)):
            _explain_alert(str(what), store, form, book)
        else:
            click.echo(explained(str(what), book.named(profile)))
    except InvalidProfile as wrong:
        raise click.UsageError(str(wrong)) from None
    except KeyError:
        raise click.UsageError(f"no rule and no alert's id: {what!r}; there are {names}") from None


def _explain_alert(alert_id: str, store: str | None, form: "Form", book: "ProfileBook") -> None:
    from streams.asked_store import asked_store
    from streams.explain_command import NoSuchAlert, explain_alert
    from streams.stores.port import StoreUnavailable, WrongStore

    try:
        click.echo(explain_alert(alert_id, asked_store(store), form, book))
    except (NoSuchAlert, StoreUnavailable, WrongStore) as wrong:
        raise click.ClickException(str(wrong)) from None
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scenario file instead.")
def scenario(paths: tuple[Path, ...], *, schema: bool) -> None:
    """Run scenario files, or all in a folder and below it, and say where they differ."""
    from streams.scenario.schema import written_schema
    from streams.scenario_command import NoScenarios, run_scenarios

    if schema == bool(paths):
        raise click.UsageError("name scenario files or folders, or --schema alone")
    if schema:
        click.echo(written_schema(), nl=False)
        return
    try:
        held = run_scenarios(paths)
    except NoScenarios as wrong:
        raise click.UsageError(str(wrong)) from None
    sys.exit(0 if held else 1)


def _tell_refused(refused: Counter[str], where: str) -> None:
    if not refused:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in sorted(refused.items()))
    click.echo(f"{refused.total()} records refused: {counts}; {where}", err=True)
