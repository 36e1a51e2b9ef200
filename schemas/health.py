"""How the whole site is, at one look from outside: what the watchdog leaves for the store.

For charts, and for whoever asks whether anybody watches at all. It is no evidence about a patient:
what is told to people is an alert. Its own names for a role and a sink become names of fields.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.units import Time, Word

EVERY_S = 30
"""A watchdog leaves one so often, and at once when ``well`` changes. Two fall into each minute of a
chart; they are 2,880 a day, where one bed sends 86,400 samples."""

Part = Annotated[str, Meta(pattern=r"^[a-z]{1,32}\Z")]
"""A role or a sink, by the product's own word for it."""


class RoleHealth(Struct, frozen=True, kw_only=True):
    """How many workers of a role are ``running``, and how many records wait for it.

    ``lag_s`` is for how long the oldest has. ``None``: not known.
    """

    running: int | None
    waiting: int | None
    lag_s: float | None


class SinkHealth(Struct, frozen=True, kw_only=True):
    """For how long nothing gets through to a sink: 0 when all does, ``None`` when not known."""

    failing_s: float | None
    reason: str


class Health(Struct, frozen=True, kw_only=True):
    """What ``watcher`` saw at ``time``; ``well``: there are no ``faults``, each of them a sentence.

    ``clock_s`` is the age of the oldest of the newest ticks, ``untold`` how many open alerts have
    reached nobody. ``None``: not known.
    """

    time: Time
    watcher: Word
    well: bool
    faults: tuple[str, ...]
    clock_s: float | None
    roles: dict[Part, RoleHealth]
    sinks: dict[Part, SinkHealth]
    untold: int | None
