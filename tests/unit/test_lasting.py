"""What a refused write leaves behind: nothing is taken for written."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from schemas.encode import encode
from schemas.telemetry import Telemetry
from schemas.topics import Topics
from streams.lasting import MARK_KEY, Lasting
from streams.lease import Superseded
from streams.partition import Partition
from streams.together import Pair
from streams.ward import Ward

NAMES = Topics("t")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Refusing:
    """A way that is closed as often as it is told; ``kept`` has the keys that were written."""

    def __init__(self, refusals: int) -> None:
        self._refusals = refusals
        self.kept: list[set[bytes]] = []

    async def hold(self) -> None:
        """Refuse, some times."""
        self._refusals -= 1
        if self._refusals >= 0:
            raise Superseded("others have it")

    async def send(self, records: Sequence[tuple[str, bytes | None, bytes, int | None]]) -> None:
        """Nothing is told here."""
        raise AssertionError(records)

    async def keep(self, partition: int, values: Sequence[Pair]) -> None:
        """Keep it."""
        assert partition == 0
        self.kept.append({key for key, _ in values})


def test_what_was_refused_is_written_later() -> None:
    """The states of a refused checkpoint are in the next one, not only how far it had come."""
    way, table = Refusing(1), dict[bytes, bytes]()
    lasting = Lasting(NAMES, lambda: table, way)
    partition = Partition(Ward(), NAMES.inputs, lambda _: 0)
    sample = encode(Telemetry(time=AT, device="d", patient="p", unit="u", bed="b", mode="standby"))
    outcome = partition.judge(NAMES.telemetry, [(0, b"p", sample, AT)])

    async def twice() -> None:
        await lasting.tell(partition, outcome)
        with pytest.raises(Superseded):
            await lasting.checkpoint([partition])
        assert not table
        await lasting.checkpoint([partition])

    asyncio.run(twice())
    assert way.kept == [{b"p", b"%b0" % MARK_KEY}]
    assert table.keys() == way.kept[0]
