"""What a payer, the label or a summary asks of a course, as nouns.

A policy is data with a name, a version, a source and a date (``alerts/policies``); it is read by
``alerts.policy_reading`` and held against the facts by ``alerts.criteria``. Nothing here judges.
"""

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

State = Literal["met", "not met", "indeterminate"]
"""An answer to a criterion. Unknown is a third answer, never a yes or a no."""

Kind = Literal["payer", "label", "summary"]
Stage = Literal["initiation", "continuation"]
Combine = Literal["all", "any"]
Comparison = Literal["at_least", "above", "at_most", "below", "is"]
Value = timedelta | float | str | bool

KINDS: tuple[Kind, ...] = ("payer", "label", "summary")
STAGES: tuple[Stage, ...] = ("initiation", "continuation")
COMBINES: tuple[Combine, ...] = ("all", "any")
COMPARISONS: tuple[Comparison, ...] = ("at_least", "above", "at_most", "below", "is")


class FactTest(Struct, frozen=True):
    """One fact against one or more bounds.

    ``indeterminate_at`` is the value at which the source leaves it open, ``because`` how it does.
    ``otherwise`` is the answer when a known fact does not pass.
    """

    fact: str
    bounds: tuple[tuple[Comparison, Value], ...]
    indeterminate_at: Value | None = None
    because: str = ""
    otherwise: State = "not met"


class Criterion(Struct, frozen=True):
    """One thing that is asked: ``asks`` in words, ``reference`` where the source says so.

    ``not_here`` says why nothing is ever recorded here about it or, beside tests, about what else
    would do: what the tests do not meet stays indeterminate then.
    ``watched_by`` names the rule that raises an alert about it, so that no other one does.
    """

    id: str
    asks: str
    reference: str
    combine: Combine = "all"
    tests: tuple[FactTest, ...] = ()
    not_here: str = ""
    watched_by: str = ""


class Pathway(Struct, frozen=True):
    """One way to meet a stage: all of its criteria. Of several any one will do.

    ``fits`` is the id of the criterion that says whether this way is the one that is asked.
    """

    stage: Stage
    name: str
    criteria: tuple[Criterion, ...]
    fits: str = ""


class Policy(Struct, frozen=True):
    """One policy. ``payers`` are the names, in lower case, under which its payer is recorded."""

    name: str
    kind: Kind
    title: str
    version: str
    effective: date
    source: str
    payers: tuple[str, ...]
    pathways: tuple[Pathway, ...]

    def applies_to(self, payer: str | None) -> bool:
        """Whether it is asked of a course with this payer; ``None``: none is recorded."""
        if self.kind != "payer":
            return True
        return payer is not None and plain(payer) in (self.name, *self.payers)


def plain(payer: str) -> str:
    """A payer's name as it is compared: in lower case, its words one space apart."""
    return " ".join(payer.lower().split())


class InvalidPolicy(ValueError):
    """Policies that cannot be judged by. The message lists every fault, one a line."""
