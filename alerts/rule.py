"""What a rule is. One rule, one file in ``alerts/rules``; three kinds are enough for all.

A *sampled* rule reads each sample and says per tier whether its condition is true; hold times turn
that into an occurrence. A *deadline* rule says from the state alone when its tiers fall due; a tier
holds once time has passed its deadline. A *counted* rule is about how often something came. All are
pure: no acknowledgement and no clock reaches them. What is missing is an answer of its own
(``UNKNOWN``), never a false or a zero.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Literal, NamedTuple

from alerts.limits import Limits
from alerts.reasons import Reason
from schemas.alert import Priority
from schemas.state import PatientState
from schemas.telemetry import Telemetry


class Tier(NamedTuple):
    """A tier of a sampled rule: how long its condition must hold, and how long its contrary."""

    priority: Priority
    hold: timedelta
    clear_hold: timedelta


class Levels(NamedTuple):
    """Whether the condition of each tier is true in this sample."""

    true: tuple[bool, ...]


class Silent(Enum):
    """A sample that says nothing about the condition."""

    UNKNOWN = "unknown"
    """A value is missing: nothing starts, is reset or is cleared."""
    SUSPENDED = "suspended"
    """Calibrating, purging, invalid, settling: a running hold starts again, nothing clears."""


UNKNOWN, SUSPENDED = Silent.UNKNOWN, Silent.SUSPENDED


class Ended(NamedTuple):
    """The condition cannot be true any more: an open occurrence clears at once."""

    reason: Reason


Reading = Levels | Silent | Ended


class Stage(NamedTuple):
    """A deadline after which a tier holds. ``strict``: only when time is past ``at``.

    ``onset`` is when the condition became true, where that is not the deadline itself.
    """

    priority: Priority
    at: datetime
    strict: bool = False
    onset: datetime | None = None


class Armed(NamedTuple):
    """The deadlines that run now. A tier whose deadline has moved is over for ``otherwise``.

    Where nothing that happens to a patient moves them, other limits have.
    """

    stages: tuple[Stage, ...]
    otherwise: Reason = "limits-changed"


class Quiet(NamedTuple):
    """No deadline runs; an open occurrence clears for this reason."""

    reason: Reason


Watch = Armed | Quiet


class Finding(NamedTuple):
    """What is told of an occurrence: the sentence for the nurse and the numbers behind it.

    The sentence says what, with value and limit; where it is gets put in front of it. ``device``
    is named where it is not the patient's leading one.
    """

    summary: str
    reason: Reason
    value: float | None
    limit: float | None
    unit_of_measure: str | None
    source: str
    device: str | None = None


Raised = Mapping[Priority, str]
"""Each priority that a rule may have, and in words when. ``{section.key}`` stands for a number of
the profile: what the words of a rule mention, in ``raised`` and in ``clears``, are its numbers."""


@dataclass(frozen=True)
class SampledRule:
    """A rule whose condition stands in the samples.

    ``levels``, where there is one, says the same from the state alone: it is asked when the context
    changes between two samples.
    """

    name: str
    title: str
    tiers: Callable[[Limits], tuple[Tier, ...]]
    read: Callable[[PatientState, Telemetry, Limits], Reading]
    finding: Callable[[PatientState, Limits, datetime], Finding]
    levels: Callable[[PatientState, Limits, datetime], Levels] | None = None
    moves_with: Literal["samples"] = "samples"
    raised: Raised = field(default_factory=dict, hash=False)
    clears: str = ""


@dataclass(frozen=True)
class DeadlineRule:
    """A rule whose condition is that something has not happened in time.

    ``moves_with`` ``clock``: it waits for the partition's clock. ``samples``: it is a hold time of
    telemetry and moves with the patient's own samples as well.
    """

    name: str
    title: str
    watch: Callable[[PatientState, Limits], Watch]
    finding: Callable[[PatientState, Limits, datetime], Finding]
    moves_with: Literal["clock", "samples"] = "clock"
    raised: Raised = field(default_factory=dict, hash=False)
    clears: str = ""


@dataclass(frozen=True)
class CountedRule:
    """A rule that something has come too often, told of each time it comes.

    It is over, for ``otherwise``, when nothing has come for a tier's clearing hold. It is about
    records and not about therapy, so it outlives a course.
    """

    name: str
    title: str
    tiers: Callable[[Limits], tuple[Tier, ...]]
    finding: Callable[[PatientState, Limits, datetime], Finding]
    otherwise: Reason
    moves_with: Literal["clock"] = "clock"
    raised: Raised = field(default_factory=dict, hash=False)
    clears: str = ""


@dataclass(frozen=True)
class OutsideRule:
    """A rule about the monitor itself: words and numbers. It is judged elsewhere, by the wall."""

    name: str
    title: str
    moves_with: Literal["wall"] = "wall"
    raised: Raised = field(default_factory=dict, hash=False)
    clears: str = ""


Rule = SampledRule | DeadlineRule | CountedRule
AnyRule = Rule | OutsideRule


def hours_since_start(patient: PatientState, at: datetime) -> float:
    """How old the course is at ``at``; 0 without one."""
    return (at - patient.course.start) / timedelta(hours=1) if patient.course else 0.0


def told_priority(patient: PatientState, rule: str) -> Priority | None:
    """The priority of the open occurrence of a rule: which tier a finding is about."""
    track = patient.tracks.get(rule)
    return track.open.priority if track is not None and track.open is not None else None
