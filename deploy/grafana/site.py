"""What a site decides of its Grafana, and the names by which Grafana knows what is made here."""

from msgspec import Struct

FOLDER_UID = "inowatch"
FOLDER_TITLE = "inowatch"
SOURCE_UID = "inowatch-influxdb"
SOURCE_NAME = "inowatch"
TAG = "inowatch"
RULE_GROUP = "inowatch-backup"


class Store(Struct, frozen=True, kw_only=True):
    """The InfluxDB that Grafana reads: its address as Grafana reaches it, organization, bucket."""

    url: str
    org: str
    bucket: str


class Site(Struct, frozen=True, kw_only=True):
    """A store to read, and where the site keeps the runbooks: an address without a last slash."""

    store: Store
    runbooks_url: str
