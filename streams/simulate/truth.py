"""What the simulator did wrong on purpose, and by when a monitor has to have said so.

Promise: comes from the plan of a stay and the numbers of a profile alone. It asks no rule, so that
a rule which decides late, or not at all, is found out by it.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from alerts.limits import Limits
from schemas.alert import Priority
from streams.simulate.stay import Stay

_NEEDS_A_CYLINDER = "supply-low"


class Injected(Struct, frozen=True):
    """A hazard that is there from ``onset`` on and has to be told at ``due``, after its hold."""

    rule: str
    priority: Priority
    patient: str
    onset: datetime
    due: datetime


def injected(stay: Stay, limits: Limits) -> list[Injected]:
    """List the hazards of a stay whose moment is known to the second, in order of time."""
    found = []
    for hazard in stay.regimen.hazards:
        if hazard.rule == _NEEDS_A_CYLINDER and not stay.place.has_cylinder:
            continue
        onset = stay.at(hazard.from_h)
        due = onset + hold(hazard.rule, hazard.priority, limits)
        found.append(Injected(hazard.rule, hazard.priority, stay.patient, onset, due))
    return sorted(found, key=lambda one: (one.onset, one.due))


def hold(rule: str, priority: Priority, limits: Limits) -> timedelta:
    """How long the condition has to be true until it is told; nothing where it is told at once."""
    no2, lost = limits.no2_high, limits.telemetry_lost
    holds: dict[str, timedelta | dict[Priority, timedelta]] = {
        "set-dose-high": limits.set_dose_high.hold,
        "measured-dose-high": limits.measured_dose.hold,
        "under-delivery": limits.measured_dose.hold,
        "abrupt-stop": limits.abrupt_stop.hold,
        "fast-wean": limits.fast_wean.correction,
        "backup-delivery": limits.backup_delivery.hold,
        "no2-high": {"low": no2.low_hold, "medium": no2.medium_hold, "high": no2.high_hold},
        "telemetry-lost": {"low": lost.low, "medium": lost.medium, "high": lost.high},
        "reading-frozen": limits.reading_frozen.hold,
        "device-alarm": limits.device_alarm.hold,
        "rebound-suspected": limits.rebound_suspected.hold,
    }
    found = holds.get(rule, timedelta())
    return found if isinstance(found, timedelta) else found[priority]
