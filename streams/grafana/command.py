"""What ``inowatch deploy grafana`` does: push to a Grafana, or write its files."""

import os
import sys
from pathlib import Path

from deploy.grafana.api import GrafanaClient
from deploy.grafana.build import build
from deploy.grafana.provisioning import files, write
from deploy.grafana.push import push
from streams.grafana.settings import read_grafana_settings


def run_push() -> None:
    """Bring the site's Grafana to the build; a line a thing. Raises ``GrafanaError``."""
    settings = read_grafana_settings(os.environ, pushing=True)
    built = build(settings.thresholds, settings.site)
    grafana = GrafanaClient(settings.url, settings.token)
    for step in push(built, settings.store_token, grafana):
        sys.stderr.write(f"{step.outcome:9} {step.kind} {step.name}\n")


def run_provisioning(folder: Path) -> None:
    """Write the files into ``folder``; a line for each that was not as it should be."""
    settings = read_grafana_settings(os.environ, pushing=False)
    made = files(build(settings.thresholds, settings.site), settings.store_token_file)
    changed = write(made, folder)
    for name in made:
        sys.stderr.write(f"{'written' if name in changed else 'unchanged':9} {name}\n")
