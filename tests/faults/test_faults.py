"""The fault suite in a shorter form: a seed of its own, and some of its rounds.

``make faults`` plays them all, and mixed.
"""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from tests.faults import points
from tests.faults.difference import compared
from tests.faults.faults import (
    broker_killed,
    disk_full,
    freeze,
    kill_at,
    kill_journal,
    receiver_unsure,
)
from tests.faults.mutations import MUTATIONS, PATIENCE_S
from tests.faults.oracle import expected
from tests.faults.play import Fault, Verdict, play
from tests.faults.timeline import timeline

SEED = 7

# Kafka's client leaves sockets open where a broker is killed under it.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Run a broker that may be killed: not the one that other tests share."""
    with Broker() as started:
        yield started


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Let what is left of such clients go where it is expected, not in somebody else's test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_every_point_is_there() -> None:
    """What the faults are set at exists in the product as it is."""
    points.check()


def test_one_seed_is_one_log() -> None:
    """The same seed makes the same records, and the core decides the same."""
    first, again = timeline(SEED), timeline(SEED)
    assert [entry.raw for entry in first.live] == [entry.raw for entry in again.live]
    alerts = expected(first).alerts
    assert alerts == expected(again).alerts
    assert {alert.rule for alert in alerts} >= {
        "abrupt-stop",
        "course-over-14-days",
        "data-rejected",
        "methb-first-overdue",
        "methb-high",
        "no2-high",
        "set-dose-high",
        "telemetry-lost",
    }


def test_a_difference_is_seen_on_both_sides() -> None:
    """What is missing and what is too much are told apart, also where it is one more of a kind."""
    look = compared("rows", ["a", "b"], ["b", "b", "c"])
    assert (look.missing, look.surplus) == (["a"], ["b", "c"])
    assert not compared("rows", ["a", "b"], ["b", "a"])


ROUNDS = {
    "killed at points": [
        kill_at(
            *("after-state-computed:2", "during-recovery:1", "after-recovery:1"),
            *("after-changelog:1", "after-alert-sent:1", "before-commit:3"),
        ),
        kill_at("after-store-204:3"),
        kill_at("after-page-accepted:2"),
        kill_journal(),
    ],
    "frozen, and all others fail": [
        freeze("monitor"),
        broker_killed(),
        disk_full(),
        receiver_unsure(),
    ],
}


@pytest.mark.parametrize("name", ROUNDS)
def test_under_faults(name: str, broker: Broker, tmp_path: Path) -> None:
    """Nothing is lost and nothing doubled: all that is left behind is what the core says."""
    verdict = play(SEED, ROUNDS[name], broker, tmp_path)
    _assert_green(verdict)
    if name == "killed at points":
        died = {death.name for death in verdict.deaths}
        assert died == {"monitor-0", "recorder-0", "pager-0", "journal-0"}


def test_a_ghost_is_noticed(broker: Broker, tmp_path: Path) -> None:
    """Without the filter of other partitions' states the suite turns red."""
    (mutation,) = [one for one in MUTATIONS if one.without == "ghost-filter"]
    faults: list[Fault] = [mutation.against()]
    verdict = play(SEED, faults, broker, tmp_path, without=mutation.without, patience_s=PATIENCE_S)
    assert mutation.shows_in in {look.about for look in verdict.differences}


def _assert_green(verdict: Verdict) -> None:
    lines = [line for look in verdict.differences for line in look.lines()]
    assert not verdict.red, "\n".join([*verdict.notes, *lines])
