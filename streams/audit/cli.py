"""The words of ``inowatch audit``: each question is a command, found in the catalogue."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.console import Instant
from streams.journal.cli import verify

if TYPE_CHECKING:
    from streams.audit.catalogue import Catalogue
    from streams.audit.command import Form
    from streams.audit.question import Parameter, Question

_FORMS = ("table", "csv", "json", "parquet", "html")


class Questions(click.Group):
    """A group whose commands are the questions, beside those that are added to it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the questions, then what else there is."""
        return [*_catalogue().questions, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find the command, or make the one of a question; a wrong name gets near ones."""
        from streams.audit.catalogue import UnknownQuestion

        added = super().get_command(ctx, cmd_name)
        if added is not None:
            return added
        try:
            return _command_of(_catalogue().named(cmd_name))
        except UnknownQuestion as wrong:
            raise click.UsageError(str(wrong), ctx) from None


@click.group(cls=Questions, invoke_without_command=True, subcommand_metavar="[NAME] [OPTIONS]")
@click.option("--list", "every", is_flag=True, help="List the questions, a line each.")
@click.pass_context
def audit(ctx: click.Context, *, every: bool) -> None:
    """Ask the history: what the quality team and a committee want to know.

    Without NAME it lists the questions. `inowatch audit NAME --help` shows a question's parameters.
    """
    from streams.audit.command import listing

    if every or ctx.invoked_subcommand is None:
        for line in listing(_catalogue()):
            click.echo(line)
        ctx.exit(0)


audit.add_command(verify)


def _catalogue() -> "Catalogue":
    from streams.audit.catalogue import read_catalogue

    return read_catalogue()


def _command_of(question: "Question") -> click.Command:
    parameters = "".join(
        f"\n\n--set {one.name}={one.default}{_choices(one)}: {one.says}."
        for one in question.parameters
    )
    return click.Command(
        question.name,
        callback=lambda **said: _answer(question, **said),
        params=_options(),
        help=f"{question.title}. {question.asks}{parameters}",
        short_help=question.title,
    )


def _choices(one: "Parameter") -> str:
    return f" (or {', '.join(other for other in one.choices if other != one.default)})" * bool(
        one.choices
    )


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--from", "start"], type=Instant(), help="From this time on; all by default."
        ),
        click.Option(["--to", "stop"], type=Instant(), help="Up to, not including, this time."),
        click.Option(["--unit"], help="Only this unit."),
        click.Option(
            ["--format", "form"], type=click.Choice(_FORMS), default="table", show_default=True
        ),
        click.Option(
            ["--store"],
            envvar="INOWATCH_STORE",
            show_envvar=True,
            help="Where the history is kept; what the last demo recorded by default.",
        ),
        click.Option(
            ["--copy"],
            envvar="INOWATCH_AUDIT_COPY",
            show_envvar=True,
            metavar="FOLDER",
            help="Where copies of past samples are kept, so that the next question is quick; "
            "`none` for none. Beside the file by default for SQLite, none for InfluxDB.",
        ),
        click.Option(
            ["--set", "values"],
            multiple=True,
            metavar="NAME=VALUE",
            help="A parameter of the question; may be repeated.",
        ),
        click.Option(
            ["--out"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write to this file in place of standard output.",
        ),
    ]


def _answer(  # noqa: PLR0913 - the contract's options, one parameter each
    question: "Question",
    *,
    start: datetime | None,
    stop: datetime | None,
    unit: str | None,
    form: "Form",
    store: str | None,
    copy: str | None,
    values: tuple[str, ...],
    out: Path | None,
) -> None:
    from streams.asked_store import asked_store
    from streams.audit.command import deliver, is_before, run_audit
    from streams.audit.engine import Asked
    from streams.audit.question import InvalidQuestion, filled
    from streams.journal.looked import note_view
    from streams.stores.port import StoreUnavailable, WrongStore

    if not is_before(start, stop):
        raise click.UsageError("the period ends before it begins: --from is not before --to")
    try:
        parameters = filled(question, _pairs(values))
        asked = Asked(question=question, start=start, stop=stop, unit=unit, parameters=parameters)
        address = asked_store(store)
        answer = run_audit(_catalogue(), asked, address, form, copy)
        note_view(f"audit:{question.name}", unit=unit or "", store=address)
        deliver(answer, out)
    except (StoreUnavailable, WrongStore, InvalidQuestion, OSError) as wrong:
        raise click.ClickException(str(wrong)) from None
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


def _pairs(values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, Any] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text!r}: write NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs
