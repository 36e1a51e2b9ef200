"""The pager: alert transitions to people, in a Faust worker.

Each sink is served by an agent of its own, in the order of the transitions, so that one that is
away delays no other. What a sink was told of an alert is kept in a table under (sink, alert id): a
transition that comes again is not told again. Every attempt is recorded on the pages topic.
"""

import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import faust
import msgspec

from alerts.monitor_blind import NAME as MONITOR_BLIND
from alerts.notify import History, Tell, decide, page_text, remember
from alerts.sinks.port import Message, Sink
from alerts.sinks.retry import Attempt, deliver
from alerts.sinks.terminal import Terminal
from schemas.alert import Alert
from schemas.encode import encode
from schemas.page import Outcome, Page
from streams.batch import Batch, KafkaRecord
from streams.held_sink import HeldSink
from streams.lease import PULSE_S, Lease
from streams.receivers import receivers
from streams.settings import Settings
from streams.worker import each_batch, new_app, new_table, published

log = logging.getLogger("inowatch")

NOBODY = "nobody"
TOLD_BY_WATCHDOG = "told-by-watchdog"
"""Why the pager leaves ``monitor-blind`` alone: it may be the one that is found to be blind."""

_ALERT = msgspec.json.Decoder(Alert)
_HISTORY = msgspec.json.Decoder(History)


class Pager:
    """One worker's share of the alerts, told to every sink that the site has named."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = settings.clock
        self.app = app = new_app("pager", settings)
        self._alerts = app.topic(settings.topics.alerts, key_type=bytes, value_type=bytes)
        self._pages = app.topic(settings.topics.pages)
        self._told: Any = new_table(app, "told", settings)
        app.timer(PULSE_S, name="pulse")(self._pulse)
        sinks = list(receivers(settings))
        for sink in sinks:
            self._serve(sink.name, partial(self._page, HeldSink(sink, self._lease)))
        if settings.terminal:
            terminal = Terminal(sys.stdout)
            self._serve(terminal.name, partial(self._print, terminal))
        elif not sinks:
            log.error("no receiver is set: nobody will be paged (see INOWATCH_PAGERDUTY_KEY_FILE)")
            self._serve(NOBODY, self._tell_nobody)

    def _lease(self) -> Lease:
        lease: Lease = self.app.consumer.lease
        return lease

    async def _pulse(self) -> None:
        self._lease().pulse()

    def _serve(self, name: str, handle: Callable[[Batch], Awaitable[None]]) -> None:
        """Give a receiver an agent of its own."""

        async def page(stream: faust.StreamT[bytes]) -> None:
            await each_batch(stream, handle)

        self.app.agent(self._alerts, name=f"page-{name}", concurrency=1)(page)

    async def _page(self, sink: HeldSink, batch: Batch) -> None:
        sink.begin()
        alerts = [(record.partition, alert) for record, alert in _decoded(batch)]
        over = {alert.id: alert.at for _, alert in alerts if alert.phase == "cleared"}
        for partition, alert in alerts:
            if alert.rule == MONITOR_BLIND:
                await self._note(sink.name, alert, "withheld", TOLD_BY_WATCHDOG)
                continue
            history = self._history(sink.name, alert)
            decision = decide(
                alert,
                history,
                self._clock(),
                over_at=over.get(alert.id),
                paged_from=self._settings.page_from,
            )
            if isinstance(decision, Tell):
                await self._tell(sink, partition, alert, history, decision)
            elif decision.reason != "already-told":
                await self._note(sink.name, alert, "withheld", decision.reason)

    async def _tell(
        self, sink: Sink, partition: int, alert: Alert, history: History, decision: Tell
    ) -> None:
        async def report(attempt: Attempt) -> None:
            await self._note(sink.name, alert, attempt.outcome, attempt.reason, attempt.number)

        page = Message(kind=decision.kind, alert=alert, text=page_text(alert, self._clock()))
        last = await deliver(sink, page, report)
        await self._keep(sink.name, partition, alert, remember(history, alert, last.outcome))

    # Every transition is a line, paged or not; a repeated one is not printed again.
    async def _print(self, terminal: Terminal, batch: Batch) -> None:
        for record, alert in _decoded(batch):
            history = self._history(terminal.name, alert)
            if alert.rule != MONITOR_BLIND and history.outcome_of(alert) is None:
                terminal.show(alert)
                await self._note(terminal.name, alert, "delivered", "printed")
                history = remember(history, alert, "delivered")
                await self._keep(terminal.name, record.partition, alert, history)

    def _history(self, sink: str, alert: Alert) -> History:
        value = self._told.data.get(_key(sink, alert))
        return History() if value is None else _HISTORY.decode(value)

    async def _keep(self, sink: str, partition: int, alert: Alert, history: History) -> None:
        key, value = _key(sink, alert), encode(history)
        await published([self._told.send_changelog(partition, key, value)])
        self._told.data[key] = value

    async def _tell_nobody(self, batch: Batch) -> None:
        """Without a receiver the record, and the board, say that nobody was told."""
        for _, alert in _decoded(batch):
            await self._note(NOBODY, alert, "withheld", "no-receiver")

    async def _note(
        self, sink: str, alert: Alert, outcome: Outcome, reason: str, attempt: int = 1
    ) -> None:
        page = Page(
            time=self._clock(),
            alert=alert.id,
            rule=alert.rule,
            phase=alert.phase,
            priority=alert.priority,
            at=alert.at,
            patient=alert.patient,
            sink=sink,
            attempt=attempt,
            outcome=outcome,
            reason=reason,
        )
        await published([await self._pages.send(key=alert.id.encode(), value=encode(page))])


def _key(sink: str, alert: Alert) -> bytes:
    return f"{sink}|{alert.id}".encode()


def _decoded(batch: Batch) -> Iterator[tuple[KafkaRecord, Alert]]:
    """Alerts of a batch; what is none was not written by the monitor and is logged."""
    for record in batch:
        try:
            yield record, _ALERT.decode(record.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            log.warning("offset %d is no alert and is not told: %s", record.offset, wrong)
