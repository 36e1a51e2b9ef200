"""What is asked of a Grafana: three verbs on its HTTP API, so that the client may be replaced."""

from typing import Any, Protocol

Json = dict[str, Any]


class GrafanaError(RuntimeError):
    """Grafana did not do what it was asked; the message is a sentence, and holds no secret."""


class Grafana(Protocol):
    """A Grafana. Paths are those of its API, without ``/api``. All raise ``GrafanaError``."""

    def read(self, path: str) -> Json | None:
        """Return what is there; ``None`` when nothing is."""

    def make(self, path: str, body: Json) -> None:
        """POST: make what is not there, or save what has versions."""

    def change(self, path: str, body: Json) -> None:
        """PUT: put this in the place of what is there."""
