"""What a person did about a patient or an alert."""

from typing import Literal

from msgspec import Struct

from schemas.units import PatientId, Sentence, Time, Word

ActionKind = Literal[
    "acknowledge",
    "silence",
    "unsilence",
    "plan-stop",
    "resume",
    "review",
    "close-course",
]
CloseReason = Literal["weaned", "transferred", "ecmo", "died", "other"]


class Action(Struct, frozen=True, kw_only=True, tag="action", tag_field="type"):
    """One act of a named (pseudonymous) person; which fields it needs depends on ``action``."""

    time: Time
    id: Word
    patient: PatientId
    by: Word
    action: ActionKind
    alert: Word | None = None
    rule: Word | None = None
    until: Time | None = None
    reason: Sentence | None = None
