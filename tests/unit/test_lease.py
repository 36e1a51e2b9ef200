"""Whether a worker may still write: proved by the group, never by its own memory."""

import asyncio
import time

import pytest

from streams.lease import GOOD_FOR_S, STOOD_STILL_S, Lease, LeaseLost, Superseded


class Group:
    """A group that answers as it is told to."""

    def __init__(self, *answers: bool, old_s: float = 0.0) -> None:
        self.answers = list(answers)
        self.asked = 0
        self._old_s = old_s
        self.lease = Lease(self.prove)

    async def prove(self) -> bool:
        """Answer, and renew the lease with a yes; the first yes took ``old_s`` to come."""
        self.asked += 1
        answer = self.answers.pop(0)
        if answer:
            self.lease.renew(time.monotonic() - self._old_s)
            self._old_s = 0.0
        return answer


def test_a_fresh_proof_is_not_asked_for_again() -> None:
    """A commit a moment ago is proof enough."""
    group = Group()
    group.lease.renew(time.monotonic())
    asyncio.run(group.lease.hold())
    assert group.asked == 0


def test_an_old_proof_is_asked_for_anew() -> None:
    """Whoever was away for longer than a proof holds asks before it writes."""
    group = Group(True)
    group.lease.renew(time.monotonic() - GOOD_FOR_S)
    asyncio.run(group.lease.hold())
    assert group.asked == 1


def test_who_is_not_counted_in_does_not_write() -> None:
    """The group's no ends it, with a sentence that says why."""
    group = Group(False)
    with pytest.raises(LeaseLost, match="others have taken over"):
        asyncio.run(group.lease.hold())


def test_what_is_lost_comes_back_with_an_assignment_only() -> None:
    """After the group's no there is nothing to ask, and a late yes counts for nothing."""
    group = Group(False)
    with pytest.raises(LeaseLost):
        asyncio.run(group.lease.hold())
    group.lease.renew(time.monotonic())
    with pytest.raises(LeaseLost):
        asyncio.run(group.lease.hold())
    assert group.asked == 1
    group.lease.begin()
    asyncio.run(group.lease.hold())
    assert (group.lease.lost_s, group.asked) == (None, 1)


def test_a_no_to_a_question_before_a_rebalance() -> None:
    """It says nothing of the partitions that are assigned since, and ends what was under way."""
    group = Group(False)

    async def rebalance() -> bool:
        group.lease.begin()
        return await Group.prove(group)

    group.lease = Lease(rebalance)
    with pytest.raises(Superseded, match="while the group was asked") as raised:
        asyncio.run(group.lease.hold())
    assert not isinstance(raised.value, LeaseLost)
    assert group.lease.lost_s is None


def test_an_answer_that_took_too_long_is_no_proof() -> None:
    """A yes to a question of long ago is asked for again: much may have happened since."""
    group = Group(True, True, old_s=GOOD_FOR_S)
    asyncio.run(group.lease.hold())
    assert group.asked == 2


def test_an_older_proof_takes_nothing_back() -> None:
    """Two answers may cross; the newer one holds."""
    group = Group()
    group.lease.renew(time.monotonic())
    group.lease.renew(time.monotonic() - GOOD_FOR_S)
    asyncio.run(group.lease.hold())
    assert group.asked == 0


def test_a_pulse_that_stopped_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was frozen knows it, also after the next pulse, until the group has counted it in."""
    lease, now = Group().lease, time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert not lease.stood_still
    lease.pulse()
    monkeypatch.setattr(time, "monotonic", lambda: now + STOOD_STILL_S + 0.1)
    assert lease.stood_still
    lease.pulse()
    assert lease.stood_still
    lease.renew(now + STOOD_STILL_S + 0.2)
    assert not lease.stood_still
