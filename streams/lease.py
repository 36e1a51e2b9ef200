"""Whether this worker may still speak for the partitions it holds.

A process that was frozen for a while does not know it: others have taken over meanwhile, and what
it would write now is old. So whoever is about to publish asks here first. Membership is proved by
the consumer group, at each commit; between two proofs it is taken for granted for less time than
the group waits for a silent member. Knows no Kafka.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

PULSE_S = 0.5
"""How often a worker notes that it lives."""
STOOD_STILL_S = 4.0
"""Not to have noted it for so long means to have been frozen, not to have been busy."""

GOOD_FOR_S = 6.0
"""How long a proof holds. The group lets a member go 10 s after its last heartbeat, and one is sent
every 2 s: who was heard of at t is a member until t + 8 s at least."""


class Superseded(RuntimeError):
    """The partitions were given away since: what is under way comes again, here or elsewhere."""


class LeaseLost(Superseded):
    """Others may have taken over: nothing must be published before the group assigns anew."""


class Lease:
    """A membership that was last proved when ``renew`` said so.

    ``prove`` asks the group once more, calls ``renew`` when it says yes, and says whether it did.
    It may take as long as the group is out of reach. ``turn`` counts how often the partitions were
    given away and assigned. ``lost_s`` is when the group said no (``time.monotonic``): from then on
    there is nothing to ask until ``begin``.
    """

    def __init__(self, prove: Callable[[], Awaitable[bool]]) -> None:
        self._prove = prove
        self._proved_s = float("-inf")
        self.turn = 0
        self.lost_s: float | None = None
        self._question: asyncio.Future[bool] | None = None
        self._pulse_s = float("inf")
        self._stood_still = False

    def begin(self) -> None:
        """The group has just assigned partitions to this worker.

        What was asked before says nothing of them: whoever waits for that answer is superseded.
        """
        self.turn += 1
        self._question = None
        self.lost_s = None
        self.renew(time.monotonic())

    def renew(self, asked_s: float) -> None:
        """The group has answered a question that was asked at ``asked_s`` (``time.monotonic``)."""
        self._proved_s = max(self._proved_s, asked_s)
        self._stood_still = False

    def pulse(self) -> None:
        """Note that this process lives; whoever cares calls it every ``PULSE_S``."""
        self._stood_still, self._pulse_s = self.stood_still, time.monotonic()

    @property
    def stood_still(self) -> bool:
        """Whether this process was frozen since the last proof."""
        return self._stood_still or time.monotonic() - self._pulse_s > STOOD_STILL_S

    async def hold(self) -> None:
        """Return while the membership is proved, if need be anew.

        Raises ``LeaseLost``, or ``Superseded`` when the partitions are given away meanwhile.
        """
        self.not_lost()
        turn = self.turn
        # An answer may itself come so late that it has to be asked for again.
        while time.monotonic() - self._proved_s >= GOOD_FOR_S:
            if not await self._answer():
                if turn != self.turn:
                    raise Superseded("the partitions were given away while the group was asked")
                self.lost_s = self.lost_s or time.monotonic()
            self.not_lost()

    def not_lost(self) -> None:
        """Raise ``LeaseLost`` if the group has said no since it last assigned partitions."""
        if self.lost_s is not None:
            raise LeaseLost("the group no longer counts this worker in; others have taken over")

    async def _answer(self) -> bool:
        # One question at a time, however many want to know.
        if self._question is None or self._question.done():
            self._question = asyncio.ensure_future(self._prove())
        return await asyncio.shield(self._question)
