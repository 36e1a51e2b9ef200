"""One course of therapy as it was carried out: doses, breaks, blood draws, people's deeds.

Everything is in hours from the first delivery, so that a regimen knows neither dates nor names
and a hazard can be placed in it by arithmetic.
"""

from msgspec import Struct

from schemas.action import ActionKind

Stretch = tuple[float, float]
"""From, to; in hours from the first delivery."""


class Draw(Struct, frozen=True):
    """Blood drawn for methemoglobin, and what the laboratory found in it."""

    collected_h: float
    resulted_h: float
    value_pct: float


class Deed(Struct, frozen=True):
    """What a person enters at the bedside."""

    at_h: float
    action: ActionKind
    reason: str
    rule: str | None = None


class Oxygen(Struct, frozen=True):
    """The oxygen that is given from ``from_h`` on, and the saturation that the baby settles at."""

    from_h: float
    fio2_pct: float
    spo2_pct: float


class Regimen(Struct, frozen=True, kw_only=True):
    """A course from first delivery to its close.

    ``doses`` are (hour, set ppm), the first at 0 h and the last with 0 ppm: the end. A dose of
    0 ppm before it is an interruption. During ``transports`` the transport device delivers;
    during ``silences`` the gateway passes nothing on. ``noisy`` devices use the whole tolerance.
    """

    doses: tuple[tuple[float, float], ...]
    oxygen: tuple[Oxygen, ...]
    draws: tuple[Draw, ...]
    deeds: tuple[Deed, ...]
    calibrations: tuple[Stretch, ...]
    transports: tuple[Stretch, ...] = ()
    silences: tuple[Stretch, ...] = ()
    noisy: bool = False

    @property
    def end_h(self) -> float:
        """When delivery ends for good."""
        return self.doses[-1][0]

    @property
    def closed_h(self) -> float:
        """When the last thing is entered about it."""
        return max(deed.at_h for deed in self.deeds)
