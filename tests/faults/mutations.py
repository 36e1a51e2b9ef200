"""The mutation check: what keeps the promises is switched off, and the suite has to notice.

For each: a round that is green as the product is, and red without that one thing.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from deploy.kafka.broker import Broker
from tests.faults.faults import alert_lost, kill_at, kill_journal
from tests.faults.play import Fault, Verdict, play

PATIENCE_S = 25.0
"""A round that is to be red need not wait long for what will not come."""


class Mutation(Struct, frozen=True):
    """What is switched off, the fault that it stands against, and what must then differ."""

    without: str
    against: Callable[[], Fault]
    shows_in: str


MUTATIONS = (
    Mutation("awaiting", alert_lost, "alerts"),
    Mutation("deduplication", lambda: kill_at("after-alert-sent:3", "after-alert-sent:3"), "pages"),
    Mutation("offset-guard", lambda: kill_at("after-checkpoint:8", "after-checkpoint:5"), "states"),
    # As Faust's own consumer did when a rebalance met a fetch.
    Mutation("every-fetch", lambda: Fault(name="none"), "records skipped by the monitor"),
    Mutation("ghost-filter", lambda: kill_at("after-alert-sent:3"), "states"),
    Mutation("journal-offsets", kill_journal, "journal"),
)


class Noticed(Struct):
    """What came of the two rounds of a mutation."""

    mutation: Mutation
    green: Verdict
    red: Verdict

    @property
    def well(self) -> bool:
        """Whether the product passes and the mutant does not, where it should not."""
        return not self.green.red and any(
            look.about == self.mutation.shows_in for look in self.red.differences
        )


def check(mutation: Mutation, seed: int, broker: Broker, make_home: Callable[[], Path]) -> Noticed:
    """Play the two rounds of a mutation."""
    green = play(seed, [mutation.against()], broker, make_home())
    red = play(
        seed,
        [mutation.against()],
        broker,
        make_home(),
        without=mutation.without,
        patience_s=PATIENCE_S,
    )
    return Noticed(mutation, green, red)
