"""Hazards on purpose: each is simulated at a sample and a tick a second, and has to be found.

A hazard counts as found when its rule is told at its priority not more than a second before it is
due; a second after that it is late. The moment is the ward's clock when it was decided, not the
time that the transition carries: that one is due by construction.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from alerts.profile_book import load_profile
from schemas.alert import Alert, Priority
from streams.simulate.scenarios import SCENARIOS
from streams.simulate.stay import LEAD_H
from streams.simulate.truth import Injected, injected
from streams.simulate.ward import stays, ward
from streams.ward import Ward
from tests.simulation.judged import SECOND, is_page, judged, with_ticks

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
LEAD = timedelta(minutes=10)
"""Samples come every second from so long before a hazard on; once a minute before that."""
TRAIL = timedelta(minutes=2)
"""Later than so much behind the due time it is not found any more."""
FIRST_COMES = timedelta(hours=LEAD_H)
"""The first patient of a bed has come by then."""
SCENARIOS_WITH_HAZARDS = tuple(
    scenario.name
    for scenario in SCENARIOS.values()
    if not scenario.staged and len(scenario.raises) > 1
)
"""All that raise more than the reminder which comes in every course."""


MOST_ALIKE = 2
"""Hazards of one rule and priority that are looked at in one stay; the further ones are alike."""


class HazardRun(Struct, frozen=True):
    """The first patient of a scenario, and the hazards of this one."""

    scenario: str
    seed: int


class Outcome(Struct, frozen=True):
    """What came of one hazard: ``delay_s`` behind its due time, ``None`` when it was missed.

    ``extras`` are pages that nothing in the scenario gives a reason for.
    """

    rule: str
    priority: Priority
    scenario: str
    seed: int
    delay_s: float | None
    extras: list[str]

    @property
    def in_time(self) -> bool:
        """Found, and within a second of its hold time."""
        return self.delay_s is not None and self.delay_s <= SECOND.total_seconds()


def provoke(run: HazardRun) -> list[Outcome]:
    """Simulate each hazard by itself and look for it."""
    stay = next(stays(1, run.scenario, run.seed, START, START, START + FIRST_COMES))
    alike = Counter[tuple[str, Priority]]()
    outcomes = []
    for hazard in injected(stay, load_profile("default")):
        alike[hazard.rule, hazard.priority] += 1
        if alike[hazard.rule, hazard.priority] <= MOST_ALIKE:
            outcomes.append(_outcome(run, hazard))
    return outcomes


def _outcome(run: HazardRun, hazard: Injected) -> Outcome:
    live, end = hazard.onset - LEAD, hazard.due + TRAIL
    arrivals = ward(1, run.scenario, run.seed, START, live, end, period_s=1.0)
    delay_s, extras = None, []
    for decided, alert in judged(with_ticks(arrivals, live, end), Ward()):
        if delay_s is None and decided >= hazard.due - SECOND and _tells(alert, hazard):
            delay_s = (decided - hazard.due).total_seconds()
        if is_page(alert) and alert.rule not in SCENARIOS[run.scenario].raises:
            extras.append(f"{run.scenario}, seed {run.seed}: {alert.rule} {alert.at}")
    return Outcome(hazard.rule, hazard.priority, run.scenario, run.seed, delay_s, extras)


def _tells(alert: Alert, hazard: Injected) -> bool:
    same = (alert.rule, alert.priority, alert.patient)
    return alert.phase in ("raised", "escalated") and same == (
        hazard.rule,
        hazard.priority,
        hazard.patient,
    )
