"""The topics of the contract, in one place: name, what it holds, how it is kept."""

from typing import Literal

from msgspec import Struct

from schemas.decode import Kind

Cleanup = Literal["delete", "compact"]


class Topics(Struct, frozen=True):
    """Topic names under one prefix (``ino`` by default)."""

    prefix: str = "ino"

    def name(self, what: str) -> str:
        return f"{self.prefix}.{what}"

    @property
    def telemetry(self) -> str:
        return self.name("telemetry")

    @property
    def labs(self) -> str:
        return self.name("labs")

    @property
    def courses(self) -> str:
        return self.name("courses")

    @property
    def actions(self) -> str:
        return self.name("actions")

    @property
    def alerts(self) -> str:
        return self.name("alerts")

    @property
    def pages(self) -> str:
        return self.name("pages")

    @property
    def dead_letters(self) -> str:
        return self.name("dead-letters")

    @property
    def board(self) -> str:
        return self.name("board")

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
        kept = [*self.inputs, self.alerts, self.pages, self.dead_letters]
        policies: dict[str, Cleanup] = dict.fromkeys(kept, "delete")
        policies[self.board] = "compact"
        return policies
