"""A receiver that is told of an alert only by the worker whose turn it is.

A pager that was frozen for a while would tell once more what another has told meanwhile. So the
consumer group is asked first (``Lease``). But a page too many is better than one too few: when it
is the group that cannot be asked, or that takes longer than ``ANSWER_S``, the alert is told all the
same. Only a pager that stood still itself waits for the group's word as long as it takes.
"""

import asyncio
import logging
from collections.abc import Callable

from alerts.sinks.port import Message, Sink
from streams.lease import Lease, LeaseLost, Superseded

log = logging.getLogger("inowatch")

ANSWER_S = 2.0
"""The longest that a page waits for the group."""


class HeldSink:
    """``sink`` behind a lease that is asked for when there is something to tell."""

    def __init__(self, sink: Sink, lease: Callable[[], Lease]) -> None:
        self.name = sink.name
        self._sink = sink
        self._lease = lease
        self._turn = 0

    def begin(self) -> None:
        """From now on it is told of a batch that has just come."""
        self._turn = self._lease().turn

    async def send(self, message: Message) -> str:
        """Tell it, unless others have taken over.

        Raises ``LeaseLost``, ``Superseded`` when the batch was given away, or what the sink raises.
        """
        lease = self._lease()
        self._still_ours(lease)
        asking = asyncio.ensure_future(lease.hold())
        asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        await asyncio.wait({asking}, timeout=None if lease.stood_still else ANSWER_S)
        fault = asking.exception() if asking.done() else TimeoutError("no answer")
        self._still_ours(lease)
        if isinstance(fault, LeaseLost):
            raise fault
        if fault is not None:
            log.warning("told without the group's word: %r", fault)
        return await self._sink.send(message)

    def _still_ours(self, lease: Lease) -> None:
        if lease.turn != self._turn:
            raise Superseded("this alert is told by whoever holds its partition now")

    async def close(self) -> None:
        """Give back what the sink opened itself."""
        await self._sink.close()
