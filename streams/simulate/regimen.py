"""One course of therapy as it was carried out: doses, breaks, blood draws, people's deeds, faults.

Everything is in hours from the first delivery, so that a regimen knows neither dates nor names
and a hazard can be placed in it by arithmetic.
"""

from collections.abc import Callable
from random import Random
from typing import Literal

from msgspec import Struct

from schemas.action import ActionKind
from schemas.alert import Priority
from schemas.course import Indication

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


class Note(Struct, frozen=True):
    """A finding that is entered into the patient's context: ``flag`` is so, or is not so."""

    at_h: float
    flag: str
    present: bool


FaultKind = Literal[
    "delivery", "backup", "no2", "spo2", "frozen", "cylinder", "leak", "alarm-medium", "alarm-high"
]


class Fault(Struct, frozen=True):
    """What goes wrong with the bed's own device, in full from ``from_h`` on, until ``to_h``.

    What ``value`` is depends on the kind:

    - ``delivery``  the share of the set dose that arrives: 0 lost, 1.5 half as much again
    - ``backup``    (none) the device gives up and its backup delivers
    - ``no2``       NO2 in the gas, in ppm
    - ``spo2``      the saturation that the baby falls to, in %
    - ``frozen``    (none) every reading stays as it was at ``from_h``
    - ``cylinder``  the pressure of the one that is connected at ``from_h``, in bar; nobody changes
      it before ``to_h``
    - ``leak``      what it loses beside the delivery, in bar an hour
    - ``alarm-...`` (none) the device's own alarm of this priority is active
    """

    kind: FaultKind
    from_h: float
    to_h: float
    value: float = 0.0


class Hazard(Struct, frozen=True):
    """The condition of ``rule`` at this ``priority`` is true from ``from_h`` on, past its hold."""

    rule: str
    priority: Priority
    from_h: float


class Regimen(Struct, frozen=True, kw_only=True):
    """A course from first delivery to its close.

    ``doses`` are (hour, set ppm), the first at 0 h and the last with 0 ppm: the end. A dose of
    0 ppm before it is an interruption. During ``transports`` the transport device delivers;
    during ``silences`` the gateway passes nothing on. ``noisy`` devices use the whole tolerance.
    ``hazards`` is what is wrong in all this and from which moment on, as far as that moment is
    known to the second; it changes nothing of what is sent.
    """

    doses: tuple[tuple[float, float], ...]
    oxygen: tuple[Oxygen, ...]
    draws: tuple[Draw, ...]
    deeds: tuple[Deed, ...]
    calibrations: tuple[Stretch, ...]
    transports: tuple[Stretch, ...] = ()
    silences: tuple[Stretch, ...] = ()
    noisy: bool = False
    indication: Indication = "hrf-pphn"
    notes: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    hazards: tuple[Hazard, ...] = ()

    @property
    def end_h(self) -> float:
        """When delivery ends for good."""
        return self.doses[-1][0]

    @property
    def closed_h(self) -> float:
        """When the last thing is entered about it."""
        return max(deed.at_h for deed in self.deeds)


Make = Callable[[Random, float | None], Regimen]
"""Makes a course from its random numbers and the hour of its first event (``None``: any)."""
