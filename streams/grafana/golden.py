"""The boards as they are with the default profile, kept in the checkout; a test says when stale.

``make boards`` writes them anew: a change of a board is seen in its diff. They are also an example
of what ``inowatch deploy grafana --provisioning`` writes; the addresses in them are nobody's.
"""

from pathlib import Path

from alerts.profile_book import packaged
from deploy.grafana.build import Build, build
from deploy.grafana.provisioning import files, write
from deploy.grafana.site import Site, Store
from streams.grafana.settings import thresholds_of

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "golden"
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


if __name__ == "__main__":
    write(golden(), FOLDER)
