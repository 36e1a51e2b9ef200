"""The words of ``inowatch deploy grafana``; what it does is in ``command``."""

from pathlib import Path

import click


@click.command("grafana")
@click.option(
    "--provisioning",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the same as files for Grafana's own provisioning; nothing is sent.",
)
def deploy_grafana(folder: Path | None) -> None:
    """Bring Grafana to the boards, data source and backup rules of this version.

    Settings come from the environment (INOWATCH_GRAFANA_*); see the README.
    """
    from deploy.grafana.port import GrafanaError
    from streams.grafana.command import run_provisioning, run_push
    from streams.settings import InvalidSettings

    try:
        if folder is None:
            run_push()
        else:
            run_provisioning(folder)
    except InvalidSettings as wrong:
        raise click.UsageError(str(wrong)) from None
    except (GrafanaError, OSError) as wrong:
        raise click.ClickException(str(wrong)) from None
