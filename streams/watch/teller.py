"""One receiver of the watchdog: its transitions, in order, until each is settled.

The same sinks and the same retry as the pager's, in another process and without Kafka. Each
receiver has one of these, so that one that is away delays no other. Every attempt is reported.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from alerts.notify import History, Tell, decide, page_text, remember
from alerts.sinks.port import Message, Sink
from alerts.sinks.retry import Attempt, deliver
from schemas.alert import Alert
from schemas.page import Outcome

MOST = 100
"""Transitions that may wait for a receiver. An occurrence is open for a minute at least, so these
are an hour of the worst there is; what falls out is long over."""

Note = Callable[[str, Alert, Outcome, str, int], None]
"""Called with sink, transition, outcome, reason and the number of the attempt."""


class Teller:
    """Tells one sink. ``clock`` is the ward's."""

    def __init__(self, sink: Sink, clock: Callable[[], datetime], note: Note) -> None:
        self._sink = sink
        self._clock = clock
        self._note = note
        self._waiting: deque[Alert] = deque(maxlen=MOST)
        self._came = asyncio.Event()
        self._histories: dict[str, History] = {}

    @property
    def name(self) -> str:
        """The sink's word in page records."""
        return self._sink.name

    def recall(self, alert: str, history: History) -> None:
        """Take up what an earlier run had told of an alert."""
        self._histories[alert] = history

    def tell(self, alert: Alert) -> None:
        """Let the receiver know of a transition as soon as it can."""
        self._waiting.append(alert)
        self._came.set()

    async def serve(self) -> None:
        """Tell whatever comes, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                await self._settle(self._waiting.popleft())

    async def _settle(self, alert: Alert) -> None:
        history = self._histories.get(alert.id, History())
        over = next((one.at for one in self._waiting if _ends(one, alert)), None)
        decision = decide(alert, history, self._clock(), over_at=over)
        if isinstance(decision, Tell):
            page = Message(kind=decision.kind, alert=alert, text=page_text(alert, self._clock()))
            last = await deliver(self._sink, page, self._report(alert))
            history = remember(history, alert, last.outcome)
        elif decision.reason != "already-told":
            self._note(self.name, alert, "withheld", decision.reason, 1)
        self._histories[alert.id] = history
        if alert.phase == "cleared":
            del self._histories[alert.id]

    def _report(self, alert: Alert) -> Callable[[Attempt], Awaitable[None]]:
        async def report(attempt: Attempt) -> None:
            self._note(self.name, alert, attempt.outcome, attempt.reason, attempt.number)

        return report

    async def close(self) -> None:
        """Let go of the receiver."""
        await self._sink.close()


def _ends(one: Alert, alert: Alert) -> bool:
    return one.id == alert.id and one.phase == "cleared"
