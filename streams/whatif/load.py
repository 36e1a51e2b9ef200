"""The load that alerts are: how many there were, and how often somebody was called.

A page is what the pager's own decision sends at once to a receiver that takes everything; it does
not know silences, outages or a site that pages from a higher priority on.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

from alerts.notify import History, Tell, decide, remember
from schemas.alert import PRIORITIES, Alert, Priority
from streams.whatif.episode import Episode
from streams.whatif.spans import Span


class Load(Struct, frozen=True):
    """Alerts by the highest priority that they had, and pages by the one that they said."""

    alerts: dict[Priority, int]
    pages: dict[Priority, int]


def load_of(episodes: Iterable[Episode], window: Span) -> Load:
    """Count the alerts raised and the pages sent within the window."""
    start, end = window
    alerts, pages = Counter[Priority](), Counter[Priority]()
    for episode in episodes:
        alerts[episode.priority] += start <= episode.first.at < end
        pages.update(page.priority for page in _pages(episode) if start <= page.at < end)
    return Load(
        {priority: alerts[priority] for priority in PRIORITIES},
        {priority: pages[priority] for priority in PRIORITIES},
    )


def _pages(episode: Episode) -> Iterator[Alert]:
    history = History()
    for alert in episode.transitions:
        decision = decide(alert, history, alert.at)
        if isinstance(decision, Tell):
            history = remember(history, alert, "delivered")
            if decision.kind == "trigger":
                yield alert
