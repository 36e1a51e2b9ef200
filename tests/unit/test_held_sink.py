"""Who may tell: a page too many is better than one too few, but not from who was replaced."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import streams.held_sink
from alerts.sinks.port import Message
from streams.held_sink import HeldSink
from streams.lease import STOOD_STILL_S, Lease, LeaseLost, Superseded


class Receiver:
    """A receiver that counts."""

    name = "receiver"

    def __init__(self) -> None:
        self.told = 0

    async def send(self, message: Message) -> str:
        """Take it."""
        self.told += 1
        return "taken"


class Asked(Lease):
    """A lease with an answer of its own."""

    def __init__(self, hold: Callable[[], Awaitable[None]]) -> None:
        super().__init__(lambda: asyncio.sleep(0, result=True))
        self._answer = hold

    async def hold(self) -> None:
        """Answer."""
        await self._answer()


def told(hold: Callable[[], Awaitable[None]]) -> int:
    """How often the receiver was told through a ``HeldSink``."""
    receiver, message = Receiver(), Any
    held = HeldSink(receiver, lambda: Asked(hold))
    assert held.name == "receiver"
    assert asyncio.run(held.send(message)) == "taken"  # type: ignore[arg-type] # only passed on
    return receiver.told


def test_it_tells_while_it_is_counted_in() -> None:
    """The group's yes lets the page through."""

    async def hold() -> None:
        await asyncio.sleep(0)

    assert told(hold) == 1


def test_it_tells_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kafka that is away delays a page by no more than the answer may take."""
    monkeypatch.setattr(streams.held_sink, "ANSWER_S", 0.01)

    async def hold() -> None:
        await asyncio.sleep(60)

    assert told(hold) == 1


def test_it_tells_when_the_question_fails() -> None:
    """A question that cannot be asked is no reason to be silent."""

    async def hold() -> None:
        raise OSError("no way to Kafka")

    assert told(hold) == 1


def test_who_was_replaced_tells_nobody() -> None:
    """The group's no ends it before the receiver hears anything."""

    async def hold() -> None:
        raise LeaseLost("others have taken over")

    receiver = Receiver()
    with pytest.raises(LeaseLost):
        asyncio.run(HeldSink(receiver, lambda: Asked(hold)).send(Any))  # type: ignore[arg-type] # only passed on
    assert receiver.told == 0


def test_who_stood_still_waits_for_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen for a while, it may have been replaced: it tells nothing before it is told no."""
    monkeypatch.setattr(streams.held_sink, "ANSWER_S", 0.01)

    async def hold() -> None:
        await asyncio.sleep(0.1)
        raise LeaseLost("others have taken over")

    receiver, lease = Receiver(), Asked(hold)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now - STOOD_STILL_S - 1)
    lease.pulse()
    monkeypatch.undo()
    assert lease.stood_still
    monkeypatch.setattr(streams.held_sink, "ANSWER_S", 0.01)
    with pytest.raises(LeaseLost):
        asyncio.run(HeldSink(receiver, lambda: lease).send(Any))  # type: ignore[arg-type] # only passed on
    assert receiver.told == 0


def test_a_batch_that_was_given_away_is_left() -> None:
    """After a rebalance what was under way comes again: this one tells nothing more of it."""

    async def hold() -> None:
        await asyncio.sleep(0)

    receiver, lease = Receiver(), Asked(hold)
    held = HeldSink(receiver, lambda: lease)
    held.begin()
    lease.turn += 1
    with pytest.raises(Superseded):
        asyncio.run(held.send(Any))  # type: ignore[arg-type] # only passed on
    held.begin()
    asyncio.run(held.send(Any))  # type: ignore[arg-type] # only passed on
    assert receiver.told == 1
