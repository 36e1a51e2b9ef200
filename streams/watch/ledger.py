"""Who was told of what: the alerts and pages topics, folded into what is still owed.

An alert worth a page is owed from the moment Kafka has it until somebody took it, a decision not to
tell it is on record, or it is over. The order in which the two topics are read does not matter, nor
that a record comes twice. It knows no Kafka and no clock.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from alerts.monitor_blind import NAME
from alerts.notify import History, remember
from schemas.alert import Alert, Priority, rank
from schemas.page import Page
from streams.watch.observation import Receiver, Untold

_NOBODY_TOLD = ("already-refused", "no-receiver")
"""Reasons to withhold that leave people untold; any other one is a decision."""
_UNKNOWN_TO_IT = ("401", "403", "404")
"""Answers of a receiver that does not know us; others refuse one page, not the sender."""

_Key = tuple[str, str, str]
"""Alert id, phase and priority: one thing to tell."""
LeftOpen = tuple[Alert, dict[str, History]]
"""An own occurrence, as it was raised, and what each sink was told of it."""


class _Sink(Struct):
    """What is known of one sink; ``waits`` has what it failed to take, and since when."""

    told: datetime | None = None
    waits: dict[_Key, datetime] = {}
    refuses: datetime | None = None
    reason: str = ""


class Ledger:
    """One site's. ``page_from`` is the weakest priority that is paged."""

    def __init__(self, page_from: Priority, watcher: str) -> None:
        self._page_from = page_from
        self._watcher = watcher
        self._owed: dict[_Key, Untold] = {}
        self._settled: dict[_Key, datetime] = {}
        self._sinks: dict[str, _Sink] = {}
        self._own: dict[str, Alert] = {}
        self._own_told: dict[str, dict[str, History]] = {}

    def take_alert(self, alert: Alert, came: datetime) -> None:
        """Note a transition that Kafka has had since ``came``."""
        if alert.rule == NAME:
            self._take_own(alert)
            return
        if alert.phase == "cleared":
            self._owed = {key: owed for key, owed in self._owed.items() if owed.alert != alert.id}
            return
        worth = alert.phase in ("raised", "escalated")
        key = (alert.id, alert.phase, alert.priority)
        if worth and rank(alert.priority) >= rank(self._page_from) and key not in self._settled:
            owed = Untold(
                alert=alert.id,
                rule=alert.rule,
                phase=alert.phase,
                priority=alert.priority,
                since=came,
            )
            self._owed.setdefault(key, owed)

    def _take_own(self, alert: Alert) -> None:
        """The watchdog tells its own alerts itself; what it has left open it takes up again."""
        if alert.device == self._watcher and alert.phase == "raised":
            self._own[alert.id] = alert
        elif alert.phase == "cleared":
            self._own.pop(alert.id, None)
            self._own_told.pop(alert.id, None)

    def take_page(self, page: Page, came: datetime) -> None:
        """Note what came of an attempt."""
        if page.rule == NAME:
            self._take_own_page(page, came)
            return
        key = (page.alert, page.phase, page.priority)
        sink = self._sinks.setdefault(page.sink, _Sink())
        if page.outcome == "delivered":
            sink.told, sink.refuses = came, None
            sink.waits.clear()
        elif page.outcome == "failed":
            sink.waits.setdefault(key, came)
            sink.reason = page.reason
        else:
            sink.waits.pop(key, None)
            self._refused(sink, page, came)
        if page.outcome == "delivered" or (
            page.outcome == "withheld" and page.reason not in _NOBODY_TOLD
        ):
            self._settled[key] = came
            self._owed.pop(key, None)

    def _take_own_page(self, page: Page, came: datetime) -> None:
        """What a receiver took from the watchdog proves that it knows us again.

        It proves no more: what fails for the pager may fail for its own reasons.
        """
        sink = self._sinks.setdefault(page.sink, _Sink())
        if page.outcome == "delivered":
            sink.told, sink.refuses = came, None
        elif page.outcome == "refused":
            self._refused(sink, page, came)
        raised = self._own.get(page.alert)
        if raised is not None and page.phase == "raised":
            told = self._own_told.setdefault(page.alert, {})
            told[page.sink] = remember(told.get(page.sink, History()), raised, page.outcome)

    def _refused(self, sink: _Sink, page: Page, came: datetime) -> None:
        if page.outcome == "refused" and page.reason.startswith(_UNKNOWN_TO_IT):
            sink.refuses = sink.refuses or came
            sink.reason = page.reason

    def forget(self, before: datetime) -> None:
        """Drop what was settled earlier than this: nothing about it comes any more."""
        self._settled = {key: came for key, came in self._settled.items() if came >= before}

    def receivers(self, names: Iterable[str]) -> tuple[Receiver, ...]:
        """Tell how the sinks of these names fare, heard of or not."""
        return tuple(self._receiver(name) for name in names)

    def _receiver(self, name: str) -> Receiver:
        sink = self._sinks.get(name, _Sink())
        since = [*sink.waits.values(), *([sink.refuses] if sink.refuses else [])]
        return Receiver(
            sink=name,
            told=sink.told,
            failing=min(since, default=None),
            refuses=sink.refuses is not None,
            reason=sink.reason if since else "",
        )

    def untold(self) -> tuple[Untold, ...]:
        """List what is owed, oldest first."""
        return tuple(sorted(self._owed.values(), key=lambda owed: owed.since))

    def left_open(self) -> list[LeftOpen]:
        """List own occurrences that were raised and not cleared, and what each sink was told."""
        return [(alert, self._own_told.get(id_, {})) for id_, alert in self._own.items()]
