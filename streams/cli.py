"""The command line: words to the product. Machines read stdout, people read stderr.

Exit codes: 0 done, 1 failed, 2 wrong use. Each command imports what it needs when it runs.
"""

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from streams.audit.cli import audit
from streams.console import in_words, settings_of_environment
from streams.deploy_influxdb import deploy_influxdb
from streams.deploy_named import deploy_what_is_named
from streams.deploy_users import deploy_users
from streams.grafana.cli import deploy_grafana
from streams.letters.cli import dead_letters
from streams.offline_commands import explain, policy, replay, scenario
from streams.whatif.cli import whatif

if TYPE_CHECKING:
    from streams.watch.status_command import Form


_SPEED = click.FloatRange(min=0.0, min_open=True, max=1000.0)
_SPEED_HELP = "Ward seconds in a second."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("inowatch"), prog_name="inowatch")
def main() -> None:
    """Watch over inhaled nitric oxide therapy.

    A secondary alarm system: it never replaces the device's own alarms.
    """


@main.command()
@click.argument("roles", nargs=-1)
def run(roles: tuple[str, ...]) -> None:
    """Run the named roles: monitor, recorder, pager, board, journal, watchdog; by default all.

    One role runs in this process; several run as processes of their own that are started again
    when they die. Settings come from the environment (INOWATCH_*); see the README. Without
    INOWATCH_JOURNAL there is no journal among them.
    """
    from streams.app import ROLES, run_role, usual_roles
    from streams.ending import EXIT_CANNOT_START, CannotStart
    from streams.supervise import run_roles

    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise click.UsageError(f"no role {unknown[0]!r}; there are {', '.join(ROLES)}")
    settings = settings_of_environment()
    if not roles and settings.journal is None:
        click.echo("no audit journal is kept: INOWATCH_JOURNAL names no folder", err=True)
    if len(roles) != 1:
        sys.exit(run_roles(roles or usual_roles(settings)))
    try:
        with in_words():
            run_role(roles[0], settings)
    except CannotStart as wrong:
        click.echo(f"{roles[0]} cannot start:\n{wrong}", err=True)
        sys.exit(EXIT_CANNOT_START)


@main.command()
@click.option("--format", "form", default="table", type=click.Choice(["table", "json"]))
@click.option("--role", help="Only this role: is anybody at it, and does nothing wait.")
def status(form: "Form", role: str | None) -> None:
    """Say whether it is well: lag, clock, receivers, undelivered pages. Exit code 1 when not."""
    from streams.settings import WATCHABLE
    from streams.watch.role_status import role_faults
    from streams.watch.status_command import run_status

    if role is not None:
        if role not in WATCHABLE:
            raise click.UsageError(f"no role {role!r} to look at: {', '.join(WATCHABLE)}")
        faults = role_faults(settings_of_environment(), role)
        click.echo("\n".join(f"NOT WELL: {fault}" for fault in faults) or "well")
        sys.exit(1 if faults else 0)
    try:
        well, text = run_status(settings_of_environment(), form)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    click.echo(text)
    sys.exit(0 if well else 1)


@main.command()
@click.option("--beds", default=8, show_default=True, type=click.IntRange(1, 200))
@click.option("--speed", default=20.0, show_default=True, type=_SPEED, help=_SPEED_HELP)
@click.option("--for", "for_s", type=float, help="Stop after this many seconds.")
@click.option("--port", default=0, help="The board's port; a free one by default.")
@click.option("--store", help="Record into this store; by default into a file that is kept.")
@click.option("--no-browser", is_flag=True, help="Do not open the board.")
def demo(  # noqa: PLR0913 - the contract's options, one parameter each
    beds: int,
    speed: float,
    for_s: float | None,
    port: int,
    store: str | None,
    *,
    no_browser: bool,
) -> None:
    """Watch a simulated ward with the whole product: real Kafka, the workers, the board."""
    from deploy.free_port import free_port, is_free
    from streams.demo import run_demo

    if port and not is_free(port):
        raise click.UsageError(f"port {port} is taken; another --port, or none for a free one")
    if store:
        _check_store(store)
    port = port or free_port()
    with in_words():
        sys.exit(run_demo(beds, speed, for_s, port, store=store, browser=not no_browser))


def _check_store(address: str) -> None:
    """A wrong address is told before anything is started."""
    from streams.stores.open import open_store
    from streams.stores.port import StoreUnavailable, WrongStore

    try:
        open_store(address).close()
    except (StoreUnavailable, WrongStore) as wrong:
        raise click.ClickException(str(wrong)) from None
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None


@main.command()
@click.option("--beds", default=8, show_default=True, type=click.IntRange(1, 1000))
@click.option("--scenario", default="ward", show_default=True, help="'list' names them all.")
@click.option("--seed", default=1, show_default=True)
@click.option("--speed", default=1.0, show_default=True, type=_SPEED, help=_SPEED_HELP)
@click.option("--for", "for_s", type=float, help="Stop after this many seconds (of wall time).")
@click.option("--out", help="A file (.gz and .zst are compressed, - is stdout) in place of Kafka.")
def simulate(  # noqa: PLR0913, PLR0917 - the contract's options, one parameter each
    beds: int, scenario: str, seed: int, speed: float, for_s: float | None, out: str | None
) -> None:
    """Simulate a ward of devices, to Kafka (INOWATCH_KAFKA) or to a file."""
    from streams.simulate_command import InvalidSimulation, list_scenarios, run_simulation

    if scenario == "list":
        for line in list_scenarios():
            click.echo(line)
        return
    try:
        with in_words():
            run_simulation(beds, scenario, seed, speed, for_s, out)
    except InvalidSimulation as wrong:
        raise click.UsageError(str(wrong)) from None
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None


@main.group(invoke_without_command=True)
@click.pass_context
def deploy(context: click.Context) -> None:
    """Set up servers; doing it twice changes nothing.

    Without a command: Kafka's topics, and each server that the settings name.
    """
    if context.invoked_subcommand is None:
        sys.exit(deploy_what_is_named(deploy.commands))


@deploy.command("kafka")
def deploy_kafka() -> None:
    """Make the topics that are missing; say which ones are not as they should be."""
    from streams.deploy_command import run_deploy_kafka

    with in_words():
        sys.exit(run_deploy_kafka(settings_of_environment()))


deploy.add_command(deploy_influxdb)
deploy.add_command(deploy_users)
deploy.add_command(deploy_grafana)
for command in (replay, whatif, policy, explain, scenario, dead_letters, audit):
    main.add_command(command)


if __name__ == "__main__":
    main()
