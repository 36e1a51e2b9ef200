"""A real Alertmanager of one's own, for tests: not in a cluster; it lives as ``OwnServer`` does."""

from pathlib import Path

from deploy.alertmanager.build import alertmanager_path
from deploy.own_server import OwnServer


class AlertmanagerServer(OwnServer):
    """An Alertmanager with the configuration ``config``, a file.

    ``program`` is the one to run; without it one is found or built (may raise ``CannotBuild``).
    With ``web_config``, its file for TLS, it answers by https under a certificate of ``ca_file``.
    """

    name = "alertmanager"
    ready = "/-/ready"

    def __init__(
        self,
        config: Path,
        program: Path | None = None,
        *,
        web_config: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        super().__init__(ca_file=ca_file)
        self._config = config
        self._program = program
        self._web_config = web_config

    def _find(self) -> None:
        self._program = self._program or alertmanager_path()

    def _command(self, directory: Path) -> list[str]:
        web = [] if self._web_config is None else [f"--web.config.file={self._web_config}"]
        return [
            str(self._program),
            f"--config.file={self._config}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address={self._address}",
            "--cluster.listen-address=",
            *web,
        ]
