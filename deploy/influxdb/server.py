"""A real InfluxDB of one's own, for tests: onboarded, with the life of ``OwnServer``."""

import secrets
from pathlib import Path
from typing import Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.onboarding_request import OnboardingRequest
from influxdb_client.service.setup_service import SetupService

from deploy.influxdb.build import influxd_path
from deploy.own_server import OwnServer


class InfluxServer(OwnServer):
    """An influxd with organization ``org``, bucket ``bucket`` and an all-access ``token``.

    Data lie in ``directory``, which is kept; without one, in a temporary one that goes at the end.
    ``program`` is the influxd to run; without it one is found or built (may raise ``CannotBuild``).
    Not ``onboarded`` it has none of them, as a server that was just installed.
    """

    name = "influxd"
    ready = "/health"
    org = "ward"
    bucket = "inowatch"

    def __init__(
        self,
        directory: Path | None = None,
        program: Path | None = None,
        *,
        onboarded: bool = True,
    ) -> None:
        super().__init__(directory)
        self._onboarded = onboarded
        self._program = program
        self.token = secrets.token_urlsafe(32)

    def _find(self) -> None:
        self._program = self._program or influxd_path()

    def _command(self, directory: Path) -> list[str]:
        return [
            str(self._program),
            *("--http-bind-address", self._address),
            *("--bolt-path", str(directory / "influxd.bolt")),
            *("--sqlite-path", str(directory / "influxd.sqlite")),
            *("--engine-path", str(directory / "engine")),
            *("--log-level", "error"),
            "--reporting-disabled",
        ]

    def _begin(self) -> None:
        if not self._onboarded:
            return
        request: Any = OnboardingRequest
        with InfluxDBClient(self.url, "") as client:
            setup: Any = SetupService
            setup(client.api_client).post_setup(
                request(
                    username="inowatch",
                    password=secrets.token_urlsafe(16),
                    org=self.org,
                    bucket=self.bucket,
                    token=self.token,
                )
            )
