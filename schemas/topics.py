"""The topics of the contract, in one place: name, what it holds, how it is kept."""

from typing import Literal

from msgspec import Struct

from schemas.decode import Kind

Cleanup = Literal["delete", "compact"]


class Topics(Struct, frozen=True):
    """Topic names under one prefix (``ino`` by default)."""

    prefix: str = "ino"

    def _name(self, what: str) -> str:
        return f"{self.prefix}.{what}"

    @property
    def telemetry(self) -> str:
        """Samples of devices."""
        return self._name("telemetry")

    @property
    def labs(self) -> str:
        """Laboratory results."""
        return self._name("labs")

    @property
    def courses(self) -> str:
        """Context of courses."""
        return self._name("courses")

    @property
    def actions(self) -> str:
        """What people did."""
        return self._name("actions")

    @property
    def alerts(self) -> str:
        """Every alert transition."""
        return self._name("alerts")

    @property
    def pages(self) -> str:
        """Every attempt to tell someone."""
        return self._name("pages")

    @property
    def dead_letters(self) -> str:
        """What was refused."""
        return self._name("dead-letters")

    @property
    def changes(self) -> str:
        """Who came to be judged by another profile, and when."""
        return self._name("changes")

    @property
    def views(self) -> str:
        """Who looked at what."""
        return self._name("views")

    @property
    def anchors(self) -> str:
        """How far the audit journal was, hour by hour."""
        return self._name("anchors")

    @property
    def health(self) -> str:
        """How the whole site is, as the watchdog sees it."""
        return self._name("health")

    @property
    def board(self) -> str:
        """One current row a patient."""
        return self._name("board")

    @property
    def inputs(self) -> dict[str, Kind]:
        """Input topic to the type that it carries. All have the same number of partitions."""
        return {
            self.telemetry: "telemetry",
            self.labs: "lab",
            self.courses: "course",
            self.actions: "action",
        }

    @property
    def cleanup(self) -> dict[str, Cleanup]:
        """Every topic of the contract and its cleanup policy."""
        kept = [
            *self.inputs,
            self.alerts,
            self.pages,
            self.dead_letters,
            self.changes,
            self.views,
            self.anchors,
            self.health,
        ]
        policies: dict[str, Cleanup] = dict.fromkeys(kept, "delete")
        policies[self.board] = "compact"
        return policies
