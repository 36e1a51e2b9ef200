"""The insides of the product that faults are set at, by name: the one file to adapt to a change.

A name that is not there any more is an error at the start of the armed process, and a test asks for
all of them. Nothing here runs unless it was named in the environment of a worker under test.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Literal

from msgspec import Struct

from alerts.notify import History

When = Literal["before", "after"]


class Point(Struct, frozen=True):
    """A moment in a worker's life: ``when`` the callable at ``place`` is about to run, or has.

    ``counts`` looks at the arguments and the result (``None`` before) and says whether this call is
    one that counts.
    """

    role: str
    place: str
    when: When
    counts: Callable[[tuple[Any, ...], Any], bool] = lambda _args, _result: True


POINTS: Mapping[str, Point] = {
    "after-state-computed": Point(
        "monitor",
        "streams.partition:Partition.judge",
        "after",
        lambda _, outcome: bool(outcome.alerts),
    ),
    "after-changelog": Point(
        "monitor", "streams.lasting:Lasting.publish", "before", lambda args, _: bool(args[2])
    ),
    "after-alert-sent": Point(
        "monitor", "streams.partition:Partition.published", "before", lambda args, _: bool(args[1])
    ),
    "before-commit": Point(
        "monitor", "streams.batch_consumer:BatchConsumer._commit_offsets", "before"
    ),
    "after-checkpoint": Point("monitor", "streams.batch_consumer:BatchConsumer._commit", "before"),
    "after-commit": Point(
        "monitor", "streams.batch_consumer:BatchConsumer._commit_offsets", "after"
    ),
    "during-recovery": Point(
        "monitor", "faust.tables.base:Collection.apply_changelog_batch", "before"
    ),
    "after-recovery": Point("monitor", "streams.partition:Partition.restore", "after"),
    "during-rebalance": Point(
        "monitor", "streams.monitor:Monitor._let_go", "before", lambda args, _: bool(args[-1])
    ),
    "after-store-204": Point(
        "recorder", "streams.keeper:Keeper.keep", "after", lambda args, _: bool(args[1])
    ),
    "recorder-before-commit": Point(
        "recorder", "streams.batch_consumer:BatchConsumer._commit_offsets", "before"
    ),
    "after-page-accepted": Point("pager", "streams.pager:Pager._keep", "before"),
    "pager-before-commit": Point(
        "pager", "streams.batch_consumer:BatchConsumer._commit_offsets", "before"
    ),
    "before-journal-write": Point("journal", "streams.journal.shelf:Shelf.append", "before"),
    "after-journal-write": Point("journal", "streams.journal.shelf:Shelf.append", "after"),
    "journal-before-commit": Point(
        "journal", "streams.batch_consumer:BatchConsumer._commit_offsets", "before"
    ),
}
"""Where a worker can be made to kill itself."""

CLOCK = "streams.settings:parse_clock"
JUDGE = "streams.partition:Partition.judge"
"""Called with the topic and the records of a batch, offset first."""
SEND = "faust.transport.drivers.aiokafka:Producer.send"
"""What every record but states and rows goes out by, its topic first; awaiting it twice is having
it in Kafka."""
STORE_WRITE = "streams.stores.sqlite:SqliteStore.write"
STORE_CONNECTION = "_connection"
CHAIN_WRITE = "streams.journal.chain_file:ChainFile.append_lines"
"""Called with the lines, without their newlines, of a chain of the journal or of its anchors."""
CHAIN_FILE = "_file"
"""Of such a chain: the number of its open file."""


class NoSuchPoint(AttributeError):
    """The product was changed, and this file was not."""


def found(place: str) -> tuple[Any, str, Any]:
    """Find the owner, the name in it and what it is now. Raises ``NoSuchPoint``."""
    module, _, path = place.partition(":")
    owner: Any = import_module(module)
    *outer, name = path.split(".")
    try:
        for part in outer:
            owner = getattr(owner, part)
        return owner, name, getattr(owner, name)
    except AttributeError as missing:
        raise NoSuchPoint(f"{place}: {missing}; adapt tests/faults/points.py") from None


def wrap(place: str, make: Callable[[Any], Any]) -> None:
    """Put what ``make`` makes of the callable at ``place`` in its stead."""
    owner, name, now = found(place)
    setattr(owner, name, make(now))


def _awaits_nothing(_published: Any) -> Any:
    async def published(sends: Any) -> None:
        """Ask for nothing; what became of the records is not known."""

    return published


def _remembers_nothing(_history: Any) -> Any:
    return lambda _self, _sink, _alert: History()


def _minds_no_offset(apply: Any) -> Any:
    def unguarded(partition: Any, topic: str, offset: int, event: Any, outcome: Any) -> Any:
        patient = partition.ward.patients.get(event.patient)
        if patient is not None:
            patient.offsets.pop(topic, None)
        return apply(partition, topic, offset, event, outcome)

    return unguarded


def _takes_all(restore: Any) -> Any:
    def unfiltered(partition: Any, states: Any, mark: Any = None) -> Any:
        mine = list(states)
        for state in mine:
            state.partition = partition.number
        return restore(partition, mine, mark)

    return unfiltered


def _skips(cut: Any) -> Any:
    calls = 0

    def skipping(records: Any) -> Any:
        nonlocal calls
        calls += 1
        return [] if calls % 25 == 0 else cut(records)

    return skipping


def _forgets_offsets(_is_in: Any) -> Any:
    return lambda _entry, _last: False


MUTATIONS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "awaiting": ("streams.monitor:published", _awaits_nothing),
    "deduplication": ("streams.pager:Pager._history", _remembers_nothing),
    "offset-guard": ("streams.partition:Partition._apply", _minds_no_offset),
    "every-fetch": ("streams.batch_consumer:cut", _skips),
    "ghost-filter": ("streams.partition:Partition.restore", _takes_all),
    "journal-offsets": ("streams.journal.chain_file:_is_in", _forgets_offsets),
}
"""What keeps the promises, each by what it is without itself."""


def check() -> None:
    """Find every place that is named here. Raises ``NoSuchPoint``."""
    for point in POINTS.values():
        found(point.place)
    for place, _ in MUTATIONS.values():
        found(place)
    for place in (CLOCK, JUDGE, SEND, STORE_WRITE, CHAIN_WRITE):
        found(place)
