"""A receiver that is told of an alert only by the worker whose turn it is.

A pager that was frozen for a while would tell once more what another has told meanwhile. So the
consumer group is asked first (``Lease``). But a page too many is better than one too few: when the
group cannot be asked, or takes longer than ``ANSWER_S`` to answer, the alert is told all the same.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from alerts.sinks.port import Message, Sink
from streams.lease import LeaseLost

log = logging.getLogger("inowatch")

ANSWER_S = 2.0
"""The longest that a page waits for the group."""


class HeldSink:
    """``sink`` behind ``hold``, which raises ``LeaseLost`` when others have taken over."""

    def __init__(self, sink: Sink, hold: Callable[[], Awaitable[None]]) -> None:
        self.name = sink.name
        self._sink = sink
        self._hold = hold

    async def send(self, message: Message) -> str:
        """Tell it, unless others have taken over; raises ``LeaseLost``, or what the sink raises."""
        asking = asyncio.ensure_future(self._hold())
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        await asyncio.wait({asking}, timeout=ANSWER_S)
        fault = asking.exception() if asking.done() else TimeoutError("no answer")
        if isinstance(fault, LeaseLost):
            raise fault
        if fault is not None:
            log.warning("told without the group's word: %r", fault)
        return await self._sink.send(message)

    async def close(self) -> None:
        """Give back what the sink opened itself."""
        await self._sink.close()
