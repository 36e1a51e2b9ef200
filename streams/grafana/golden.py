"""Boards and runbooks as they are with the default profile, kept in the checkout.

``make boards`` writes them anew, and a test says when they are stale: a change of a board is seen
in its diff. The boards are also an example of what ``inowatch deploy grafana --provisioning``
writes; the addresses in them are nobody's.
"""

from pathlib import Path

from alerts.profile_book import packaged
from alerts.reference import EVERY_RULE
from alerts.runbook import runbook
from deploy.grafana.build import Build, build
from deploy.grafana.provisioning import files, write
from deploy.grafana.site import Site, Store
from streams.grafana.settings import thresholds_of

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "golden"
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
_SITE = Site(
    store=Store(url="http://influxdb:8086", org="ward", bucket="inowatch"),
    runbooks_url="https://runbooks.example",
)
_TOKEN_FILE = "/run/secrets/inowatch_grafana_influxdb"  # noqa: S105 - a path, not a secret


def example() -> Build:
    """Build for nobody's site, with the default profile."""
    return build(thresholds_of(packaged().named("default")), _SITE)


def golden() -> dict[str, str]:
    """Return each golden file's text by its name."""
    return files(example(), _TOKEN_FILE)


def runbooks(folder: Path = RUNBOOKS) -> dict[str, str]:
    """Return each runbook's text by its name; the words written by hand are those in ``folder``."""
    limits, made = packaged().named("default"), {}
    for rule in EVERY_RULE:
        path = folder / f"{rule.name}.md"
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        made[path.name] = runbook(rule, limits, before)
    return made


if __name__ == "__main__":
    write(golden(), FOLDER)
    write(runbooks(), RUNBOOKS)
