"""A receiver of posts in a thread of its own, for tests that are no coroutines."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from tests.contract.receiver import Answer, Receiver


@contextmanager
def listening(*answers: Answer, port: int = 0) -> Iterator[Receiver]:
    """Run a ``Receiver`` until the end of the block, on a free port unless one is named."""
    ready, over = Event(), Event()
    receivers: list[Receiver] = []

    async def listen() -> None:
        async with Receiver(*answers, port=port) as receiver:
            receivers.append(receiver)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(listen()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield receivers[0]
    finally:
        over.set()
        thread.join(10)
