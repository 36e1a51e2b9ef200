"""What a site says of its Grafana, read from the environment, checked as a whole.

Apart from the workers' settings: setting up Grafana needs no Kafka. Secrets are files; what is in
them is read when it is sent, and never shown.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from alerts.limits import Limits
from alerts.profile_book import InvalidProfile, ProfileBook, packaged
from alerts.sinks.post import safe_url
from deploy.grafana.site import Site, Store
from deploy.grafana.thresholds import Thresholds
from streams.settings import InvalidSettings

_TOKEN_FILE = "INOWATCH_GRAFANA_TOKEN_FILE"  # noqa: S105 - the name of a variable, not a secret
_STORE_TOKEN_FILE = "INOWATCH_GRAFANA_INFLUXDB_TOKEN_FILE"  # noqa: S105 - the same


class GrafanaSettings(Struct, frozen=True, kw_only=True):
    """``url`` and ``token`` are Grafana's own, empty where files are written.

    ``store_token_file`` is the path of InfluxDB's read token, ``store_token`` what is in it.
    """

    site: Site
    thresholds: Thresholds
    url: str
    token: str
    store_token_file: str
    store_token: str


def read_grafana_settings(env: Mapping[str, str], *, pushing: bool) -> GrafanaSettings:
    """Read ``INOWATCH_*``. Raises ``InvalidSettings`` with all faults at once.

    Where files are written, nothing is sent: then neither token is read.
    """
    reader = _Reader(env)
    url, token = "", ""
    if pushing:
        url = reader.address("INOWATCH_GRAFANA_URL", "Grafana's, https://grafana.example")
        reader.faults += _not_safe("INOWATCH_GRAFANA_URL", url)
        path = reader.text(_TOKEN_FILE, "a file with the token of a service account (role Admin)")
        token = reader.secret(_TOKEN_FILE, path)
    store = Store(
        url=reader.address("INOWATCH_GRAFANA_INFLUXDB_URL", "InfluxDB's, as Grafana reaches it"),
        org=reader.text("INOWATCH_GRAFANA_INFLUXDB_ORG", "InfluxDB's organization"),
        bucket=reader.text("INOWATCH_GRAFANA_INFLUXDB_BUCKET", "what the recorder writes to"),
    )
    path = reader.text(_STORE_TOKEN_FILE, "a file with a token that only reads the bucket")
    store_token = reader.secret(_STORE_TOKEN_FILE, path) if pushing else ""
    runbooks = reader.address("INOWATCH_RUNBOOKS_URL", "where people read docs/runbooks")
    limits = reader.limits()
    if reader.faults:
        raise InvalidSettings("\n".join(reader.faults))
    return GrafanaSettings(
        site=Site(store=store, runbooks_url=runbooks),
        thresholds=thresholds_of(limits),
        url=url,
        token=token,
        store_token_file=path,
        store_token=store_token,
    )


class _Reader:
    """One look at the environment; what is wrong with it is gathered in ``faults``."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[str] = []

    def text(self, name: str, means: str) -> str:
        value = self._env.get(name, "").strip()
        if not value:
            self.faults.append(f"{name}: {means}")
        return value

    def address(self, name: str, means: str) -> str:
        value = self.text(name, means).rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            self.faults.append(f"{name}: not an address such as https://host/path")
        elif parts.username is not None:
            self.faults.append(f"{name}: an address carries no user and password")
        return value

    def secret(self, name: str, path: str) -> str:
        if not path:
            return ""
        try:
            held = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as unreadable:
            self.faults.append(f"{name}={path}: cannot be read: {unreadable}")
            return ""
        if not held:
            self.faults.append(f"{name}={path}: the file is empty")
        return held

    def limits(self) -> Limits:
        book = packaged()
        try:
            if self._env.get("INOWATCH_PROFILES"):
                book = ProfileBook(Path(self._env["INOWATCH_PROFILES"]))
            return book.named(self._env.get("INOWATCH_PROFILE", "default"))
        except InvalidProfile as wrong:
            self.faults.append(f"INOWATCH_PROFILE, INOWATCH_PROFILES:\n{wrong}")
            return packaged().named("default")


def thresholds_of(limits: Limits) -> Thresholds:
    """Take from a profile the numbers that boards show."""
    return Thresholds(
        profile=f"{limits.name}, version {limits.version}",
        dose_ppm=limits.set_dose_high.limit_ppm,
        dose_high_ppm=limits.set_dose_high.high_ppm,
        no2_low_ppm=limits.no2_high.low_ppm,
        no2_medium_ppm=limits.no2_high.medium_ppm,
        no2_high_ppm=limits.no2_high.high_ppm,
        methb_low_pct=limits.methb_high.low_pct,
        methb_medium_pct=limits.methb_high.medium_pct,
        methb_high_pct=limits.methb_high.high_pct,
        spo2_least_pct=limits.rebound_suspected.least_pct,
        silent_s=limits.telemetry_lost.low.total_seconds(),
        page_s=limits.monitor_blind.page.total_seconds(),
        sink_s=limits.monitor_blind.sink.total_seconds(),
        blind_s=limits.monitor_blind.age.total_seconds(),
    )


def _not_safe(name: str, url: str) -> list[str]:
    """Say why a token may not be sent there; plain http only to this machine."""
    try:
        safe_url(url or "https://none")
    except ValueError:
        return [f"{name}: https; a token leaves this machine by nothing else"]
    return []
