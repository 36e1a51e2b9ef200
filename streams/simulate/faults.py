"""The faults of one device, asked from sample to sample.

Promise: a fault is there in full from its first sample on, so that the moment at which a condition
becomes true is known to the second. Times are whole milliseconds from the first delivery.
"""

from collections.abc import Sequence

from schemas.telemetry import DeviceAlarm
from streams.simulate.regimen import Fault, FaultKind
from streams.simulate.stay import HOUR_MS

_ALARMS: tuple[tuple[FaultKind, DeviceAlarm], ...] = (
    ("alarm-medium", DeviceAlarm(code="battery-low", priority="medium", active=True)),
    ("alarm-high", DeviceAlarm(code="ventilator-flow-lost", priority="high", active=True)),
)
"""What only the device itself can know."""


class Faults:
    """Which faults there are at a moment, and how bad they are."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._stretches = [
            (fault.kind, round(fault.from_h * HOUR_MS), round(fault.to_h * HOUR_MS), fault.value)
            for fault in faults
        ]
        self._alarming = any(fault.kind.startswith("alarm") for fault in faults)

    def value(self, kind: FaultKind, at_ms: int) -> float | None:
        """Return the value of the fault of this kind that is there; ``None`` when none is."""
        for own, from_ms, to_ms, value in self._stretches:
            if own == kind and from_ms <= at_ms < to_ms:
                return value
        return None

    def begun(self, kind: FaultKind, at_ms: int) -> float | None:
        """Return the value of the fault of this kind that begins at this very moment."""
        for own, from_ms, _, value in self._stretches:
            if own == kind and from_ms == at_ms:
                return value
        return None

    def alarms(self, at_ms: int) -> tuple[DeviceAlarm, ...] | None:
        """Return the device's own alarms; ``None`` from a device that never speaks of them."""
        if not self._alarming:
            return None
        return tuple(alarm for kind, alarm in _ALARMS if self.value(kind, at_ms) is not None)
