"""Tell again? Why? The decision between an alert transition and a receiver.

Promise: pure. The same transition, the same history and the same ``now`` give the same answer, and
every answer carries its reason, which travels into the page record, the audit row and the metric.
Within one history a (phase, priority) that got through is told once, and a resolve is told only
where a trigger may have arrived. It does not know who listens, what is silenced, or how to send.

The dedup key of every message of an occurrence is the alert id, also when it escalates. The doubt:
PagerDuty notifies nobody of a new trigger on an incident that is *acknowledged*, so a worsening
after an acknowledgement shows in the incident's log and wakes no one. A key per priority would
page, and would leave two incidents to resolve for one condition. The contract says alert id; a
site that wants the second page sets the acknowledgement time-out of its PagerDuty service.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from schemas.alert import Alert, Phase, Priority, rank
from schemas.page import Outcome

Kind = Literal["trigger", "resolve"]
TellReason = Literal["new", "escalated", "still-open", "cleared"]
WithholdReason = Literal[
    "already-told",  # this phase and priority got through before: a redelivery
    "already-refused",  # the receiver refused just this before and would again
    "already-over",  # its resolve got through: a trigger now would open an orphan incident
    "overtaken",  # a later trigger of the same alert got through
    "info-only",  # information is for the board
    "below-minimum",  # the site pages from a higher priority on
    "over-and-old",  # it is over, and was found too late for anyone to act on
    "never-told",  # a resolve without a trigger would be dropped
    "deescalated",  # nobody is called to hear that it is less bad
]

PAGED_FROM: Priority = "low"
"""The weakest priority that is paged. IEC 60601-1-8 asks an operator to be *aware* of low priority
and allots no signal to information; ``info`` here is a reminder that is not yet a deviation (a
check falls due), and paging it would teach the ward to look away."""

TOO_OLD = timedelta(minutes=15)
"""A spike that is over and due longer ago than this is recorded as late, and pages nobody."""

WORTH_SAYING = timedelta(minutes=2)
"""A page later than this says by how much. Below it lies the ordinary way through the stream."""

TEXT_MAX_CHARS = 1024
"""The narrowest field a page must fit: ``payload.summary`` of PagerDuty (see sinks.pagerduty)."""

STARS: dict[Priority, str] = {"high": "***", "medium": "**", "low": "*", "info": ""}
"""Priority without colour, as bedside monitors write it."""

_CUT = " [cut]"


class Told(Struct, frozen=True, kw_only=True):
    """One transition that was handed to a receiver, and what came of it.

    ``at`` is the transition's own time. ``failed`` means that nobody knows whether it arrived.
    """

    phase: Phase
    priority: Priority
    at: datetime
    outcome: Outcome


class History(Struct, frozen=True, kw_only=True):
    """What one receiver was told of one alert id: the value kept in the pager's table.

    One per sink, because each receiver took what it took. At most 16 entries: 4 phases times 4
    priorities, the newest of each.
    """

    told: tuple[Told, ...] = ()

    def outcome_of(self, alert: Alert) -> Outcome | None:
        """Say what came of this very transition before; ``None`` when it was never tried."""
        for told in self.told:
            if (told.phase, told.priority) == (alert.phase, alert.priority):
                return told.outcome
        return None

    @property
    def triggers(self) -> tuple[Told, ...]:
        """Every trigger that arrived."""
        return tuple(t for t in self.told if t.phase != "cleared" and t.outcome == "delivered")

    @property
    def may_be_open(self) -> bool:
        """Whether an incident may stand at the receiver, a trigger of unknown fate included."""
        return any(t.phase != "cleared" and t.outcome in ("delivered", "failed") for t in self.told)

    @property
    def resolved(self) -> bool:
        """Whether a resolve arrived."""
        return any(t.phase == "cleared" and t.outcome == "delivered" for t in self.told)


class Tell(Struct, frozen=True):
    """Send it, as this kind, for this reason."""

    kind: Kind
    reason: TellReason


class Withhold(Struct, frozen=True):
    """Do not send it, for this reason."""

    reason: WithholdReason


def decide(
    alert: Alert,
    history: History,
    now: datetime,
    *,
    over_at: datetime | None = None,
    paged_from: Priority = PAGED_FROM,
) -> Tell | Withhold:
    """Whether ``alert`` is told to the receiver whose ``history`` this is.

    ``over_at`` is the time of the alert's clear transition where that is already at hand, so that
    a backlog does not page what it also resolves. An old one that is still open is told.
    """
    before = history.outcome_of(alert)
    if before == "delivered":
        return Withhold("already-told")
    if before == "refused":
        return Withhold("already-refused")
    if alert.phase == "cleared":
        return _resolve(history)
    return (
        _beyond_telling(alert, history)
        or _not_worth_a_page(alert, now, over_at, paged_from)
        or _trigger(alert, history)
    )


def remember(history: History, alert: Alert, outcome: Outcome) -> History:
    """Add to the history that ``alert`` met ``outcome``; what was withheld leaves no mark."""
    if outcome == "withheld":
        return history
    told = Told(phase=alert.phase, priority=alert.priority, at=alert.at, outcome=outcome)
    others = (t for t in history.told if (t.phase, t.priority) != (told.phase, told.priority))
    return History(told=(*others, told))


def late_by(alert: Alert, now: datetime) -> str:
    """``found 12 min late`` or, from two hours on, ``found 3 h 5 min late``; empty when in time."""
    late = now - alert.at
    if late <= WORTH_SAYING:
        return ""
    minutes = late // timedelta(minutes=1)
    if late < timedelta(hours=2):
        return f"found {minutes} min late"
    return f"found {minutes // 60} h {minutes % 60} min late"


def page_text(alert: Alert, now: datetime) -> str:
    """Put the page into one sentence: stars, how late it was found, the alert's own summary.

    A cleared alert has ``over:`` in place of the stars. What is late stands in front, so that
    trimming to 1024 characters never takes it away.
    """
    mark = "over:" if alert.phase == "cleared" else STARS[alert.priority]
    late = late_by(alert, now)
    parts = (mark, f"[{late}]" if late else "", alert.summary)
    return trimmed(" ".join(part for part in parts if part))


def trimmed(text: str, most_chars: int = TEXT_MAX_CHARS) -> str:
    """``text`` itself where it fits, else its beginning and a mark that says it was cut."""
    return text if len(text) <= most_chars else text[: most_chars - len(_CUT)] + _CUT


def _resolve(history: History) -> Tell | Withhold:
    """Any priority resolves: what was told has to be taken back, whatever is paged now."""
    if history.resolved:
        return Withhold("already-told")
    return Tell("resolve", "cleared") if history.may_be_open else Withhold("never-told")


def _beyond_telling(alert: Alert, history: History) -> Withhold | None:
    """Withhold a trigger that what the receiver already holds makes wrong."""
    if history.resolved:
        return Withhold("already-over")
    if any(told.at > alert.at for told in history.triggers):
        return Withhold("overtaken")
    return None


def _not_worth_a_page(
    alert: Alert, now: datetime, over_at: datetime | None, paged_from: Priority
) -> Withhold | None:
    if rank(alert.priority) < rank(paged_from):
        return Withhold("info-only" if alert.priority == "info" else "below-minimum")
    if over_at is not None and now - alert.at > TOO_OLD:
        return Withhold("over-and-old")
    return None


def _trigger(alert: Alert, history: History) -> Tell | Withhold:
    if alert.phase == "raised":
        return Tell("trigger", "new")
    if alert.phase == "escalated":
        return Tell("trigger", "escalated")
    # Less bad, but open. PagerDuty takes no lower severity into an open incident and a webhook's
    # receiver would ring again, so it is told only where no trigger of this alert ever arrived.
    return Withhold("deescalated") if history.triggers else Tell("trigger", "still-open")
