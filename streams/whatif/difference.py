"""What two ways of judging one history say differently, alert by alert.

Two episodes are one and the same alert when they are of one rule and one patient and their
conditions held at the same time. The course is not asked for: a profile with another interruption
cuts one therapy into other courses. An alert stands for at most one alert of the other side: where
one side clears and raises again what the other keeps open, each further raising *splits* it off;
seen from the other side it *joins* what is open already, and nothing is lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from schemas.alert import Priority, rank
from streams.whatif.episode import Episode
from streams.whatif.spans import Span, joined, meets

Verdict = Literal["vanishes", "appears", "priority", "moved", "joins", "splits", "lasts", "same"]
VERDICTS: tuple[Verdict, ...] = (
    "vanishes",
    "appears",
    "priority",
    "moved",
    "joins",
    "splits",
    "lasts",
    "same",
)
"""Worst first. ``lasts``: raised alike, and then it escalates or ends at another time."""


class Difference(Struct, frozen=True):
    """One alert on both sides; ``None`` where a side has none.

    ``open_there``: the side that has none had another one of the same open at that time.
    """

    old: Episode | None
    new: Episode | None
    open_there: bool = False

    @property
    def either(self) -> Episode:
        """The episode of the old side, or else of the new one."""
        found = self.old or self.new
        assert found is not None  # noqa: S101 - a difference without sides is never made
        return found

    @property
    def priority(self) -> Priority:
        """The highest that it had on either side."""
        return max((one.priority for one in (self.old, self.new) if one), key=rank)

    @property
    def moved(self) -> timedelta:
        """How much later it is raised on the new side; negative: earlier."""
        if self.old is None or self.new is None:
            return timedelta()
        return self.new.first.at - self.old.first.at

    @property
    def verdict(self) -> Verdict:
        """What has become of it; of several differences the worst."""
        old, new = self.old, self.new
        if new is None:
            return "joins" if self.open_there else "vanishes"
        if old is None:
            return "splits" if self.open_there else "appears"
        if (old.first.priority, old.priority) != (new.first.priority, new.priority):
            return "priority"
        if self.moved or old.first.onset != new.first.onset:
            return "moved"
        return "same" if _phases(old) == _phases(new) else "lasts"


def _phases(episode: Episode) -> list[tuple[str, Priority, datetime]]:
    return [(alert.phase, alert.priority, alert.at) for alert in episode.transitions]


def differences(old: Iterable[Episode], new: Iterable[Episode], window: Span) -> list[Difference]:
    """Pair all episodes; return the pairs of which a side was raised within the window.

    The worst come first: by verdict, then by priority, then by rule and time.
    """
    sides: dict[tuple[str, str], tuple[list[Episode], list[Episode]]] = defaultdict(
        lambda: ([], [])
    )
    for number, episodes in enumerate((old, new)):
        for episode in episodes:
            sides[episode.about][number].append(episode)
    found = [
        pair
        for ours, theirs in sides.values()
        for pair in _paired(ours, theirs, horizon=window[1])
        if any(one and window[0] <= one.first.at < window[1] for one in (pair.old, pair.new))
    ]
    return sorted(found, key=_worst_first)


def _worst_first(pair: Difference) -> tuple[int, int, str, datetime, str, str]:
    first = pair.either.first
    verdict = VERDICTS.index(pair.verdict)
    return verdict, -rank(pair.priority), first.rule, first.at, first.patient, first.id


def _paired(old: list[Episode], new: list[Episode], horizon: datetime) -> Iterator[Difference]:
    """Pair episodes of one rule and patient: first those with one id, then those at one time."""
    by_id = {episode.first.id: episode for episode in new}
    rest: list[Episode] = []
    for episode in old:
        twin = by_id.pop(episode.first.id, None)
        if twin is None:
            rest.append(episode)
        else:
            yield Difference(episode, twin)
    others = list(by_id.values())
    old_open = joined(episode.held(horizon) for episode in old)
    new_open = joined(episode.held(horizon) for episode in new)
    while rest or others:
        ours = rest[0].held(horizon) if rest else None
        theirs = others[0].held(horizon) if others else None
        if ours and theirs and max(ours[0], theirs[0]) < min(ours[1], theirs[1]):
            yield Difference(rest.pop(0), others.pop(0))
        elif ours and (theirs is None or ours[1] <= theirs[1]):
            yield Difference(rest.pop(0), None, meets(ours, new_open))
        elif theirs:
            yield Difference(None, others.pop(0), meets(theirs, old_open))
