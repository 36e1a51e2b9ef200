"""``inowatch deploy users``: its words. Who may do what is in ``rights``."""

import sys
from pathlib import Path

import click

from streams.console import in_words, secrets_folder, settings_of_environment


@click.command("users")
@secrets_folder
def deploy_users(folder: Path) -> None:
    """Make Kafka's users: a login for each role and sender, and the least that it needs.

    Whoever runs it must be allowed to (``super.users`` of the brokers). A second run changes
    nothing; rights that nobody needs are told of and left (exit code 1).
    """
    from deploy.kafka.cluster import connected
    from deploy.kafka.users import keep_users
    from deploy.secret_files import SecretFolder
    from streams.rights import rights

    settings = settings_of_environment()
    try:
        with in_words(), connected(settings.kafka) as cluster:
            done = keep_users(cluster, rights(settings), SecretFolder(folder))
    except OSError as wrong:
        raise click.ClickException(str(wrong)) from None
    for sentence in [*done.changes, *done.wrong]:
        click.echo(sentence, err=True)
    if not done.changes:
        click.echo("nothing had to be changed", err=True)
    sys.exit(1 if done.wrong else 0)
