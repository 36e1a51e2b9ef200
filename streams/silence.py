"""When the silence of many devices is one silence: the arithmetic over the shares of a unit.

Counts and compares; it judges no patient, sends nothing and knows no clock but the one handed in.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from alerts.limits import TelemetryLostLimits
from alerts.rules.telemetry_lost import is_told, last_heard
from schemas.stand_in import NOT_KNOWN
from schemas.state import PatientState, UnitSilence
from schemas.unit import UnitShare

MOST_HEARD = 1000
"""Silent devices told of a unit by one partition: at 30 bytes each, half of what a record holds."""


def shares_of(
    patients: Iterable[PatientState],
    at: datetime,
    partition: int,
    lost_of: Callable[[str], TelemetryLostLimits],
    alone: Collection[str] = (),
) -> dict[str, UnitShare]:
    """Count the devices of each unit as of ``at``, and those that are silent for a while.

    They are told of long before their silence counts, so that the unit's home has all shares by
    then. Patients who are told of ``alone``, by an open occurrence or a decision, are in no group.
    """
    devices: dict[str, int] = {}
    heard: dict[str, list[datetime]] = {}
    worth_telling: dict[str, datetime] = {}
    for patient in patients:
        unit = patient.unit
        if unit == NOT_KNOWN:
            continue
        if unit not in heard:
            lost = lost_of(unit)
            worth_telling[unit] = at - (lost.low - lost.group_within) / 2
        silent = heard.setdefault(unit, [])
        last = last_heard(patient)
        devices[unit] = devices.get(unit, 0) + (last is not None)
        if last is None or last >= worth_telling[unit]:
            continue
        if patient.patient not in alone and not is_told(patient):
            silent.append(last)
    return {
        unit: UnitShare(
            time=at,
            unit=unit,
            partition=partition,
            devices=devices[unit],
            heard=sorted(silent)[:MOST_HEARD],
        )
        for unit, silent in heard.items()
    }


def ends(silence: UnitSilence, lost: TelemetryLostLimits) -> datetime | None:
    """When a silence that is told of as one ends, should no more devices fall silent by then."""
    return silence.few_since + lost.group_clear if silence.few_since is not None else None


def count_on(silence: UnitSilence, now: datetime, lost: TelemetryLostLimits) -> None:
    """Count a silence that is told of as one: who has been silent long enough for it at ``now``.

    It stays as it began until they are too few for ``group_clear``, so that devices that come back
    one after the other do not leave the last ones to be told of alone; or until none is left.
    """
    heard = _put_together(silence)
    silence.silent = bisect_left(heard, now - (lost.low - lost.group_within))
    if _is_enough(silence, lost):
        silence.few_since = None
        return
    silence.few_since = silence.few_since or now
    if not silence.silent or now - silence.few_since >= lost.group_clear:
        silence.since = silence.few_since = None


def forecast(silence: UnitSilence, lost: TelemetryLostLimits, *, may_begin: bool) -> None:
    """Count a silence that is not told of yet, and say since when it will be, if it lasts.

    Whoever is lost within ``group_within`` of the first has been silent for ``low - group_within``
    when the first one's time is up: so it can be decided then, without waiting for the last.
    """
    heard = _put_together(silence)
    known, silence.since, silence.silent = silence.since is not None, None, 0
    for number, first in enumerate(heard):
        silence.silent = bisect_left(heard, first + lost.group_within) - number
        if _is_enough(silence, lost):
            silence.since = first if known or may_begin else None
            return


def _put_together(silence: UnitSilence) -> list[datetime]:
    silence.devices = sum(share.devices for share in silence.shares.values())
    return sorted(one for share in silence.shares.values() for one in share.heard)


def _is_enough(silence: UnitSilence, lost: TelemetryLostLimits) -> bool:
    together = silence.silent
    return together >= lost.group_least and together > lost.group_share * silence.devices
