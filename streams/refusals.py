"""Refused records, counted for the patient that they claim to be of.

Keeps no more than it takes to know whether they came too often; the records themselves lie among
the dead letters. Judges nothing.
"""

from datetime import datetime
from math import ceil

from alerts.limits import Limits
from schemas.state import PatientState, Refusal

MOST_DEVICES = 16
"""Devices kept a patient: more than ever stand at one bed. With at most a hundred refusals each
(``alerts.profile_book``) that is some 100 kB at the very worst, and 8 kB by default."""


def note_refusal(
    patient: PatientState, device: str, refusal: Refusal, limits: Limits
) -> list[Refusal]:
    """Keep a refusal under ``device``; return what is kept there, or nothing if it is known."""
    kept = patient.refused.pop(device, [])
    repeated = any(refusal.mark == known.mark for known in kept)
    if not repeated:
        kept = [*kept, refusal][-max(1, ceil(limits.data_rejected.count)) :]
    patient.refused[device] = kept
    while len(patient.refused) > MOST_DEVICES:
        del patient.refused[next(iter(patient.refused))]
    return [] if repeated else kept


def newest_refusal(patient: PatientState) -> datetime | None:
    """When the last one came; records of several topics are read in no fixed order."""
    return max((kept[-1].at for kept in patient.refused.values()), default=None)
