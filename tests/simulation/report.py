"""Runs of correct care and of hazards, counted together: what was said, what was missed.

Promise: the same plan gives the same report, however many processes share the work.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from operator import attrgetter
from typing import Any

from msgspec import Struct

from alerts.rules import RULES
from schemas.alert import rank
from tests.simulation.correct_care import CORRECT, CareCount, CareRun, watch
from tests.simulation.provoked import SCENARIOS_WITH_HAZARDS, HazardRun, Outcome, provoke

NOT_INJECTED = {"data-rejected", "monitor-blind"}
"""About records and the monitor itself: no device and no lapse in care provokes them."""


class Plan(Struct, frozen=True):
    """What is simulated, and how many bed-days of correct care it has to come to at least."""

    care: tuple[CareRun, ...]
    hazards: tuple[HazardRun, ...]
    least_bed_days: float


FULL = Plan(
    care=(
        # A sample a minute for the bulk, for time; every ten seconds for a tenth of it.
        *(CareRun(name, seed, 4, 9, 60.0) for name in CORRECT for seed in range(1, 11)),
        *(CareRun(name, 11, 4, 9, 10.0) for name in CORRECT),
    ),
    hazards=tuple(HazardRun(name, seed) for name in SCENARIOS_WITH_HAZARDS for seed in range(1, 4)),
    least_bed_days=1000.0,
)


class Report(Struct, frozen=True):
    """What came of a plan."""

    plan: Plan
    care: list[CareCount]
    outcomes: list[Outcome]

    @property
    def bed_days(self) -> float:
        """Days on which a bed delivered in correct care."""
        return sum(count.bed_days for count in self.care)

    @property
    def pages(self) -> list[str]:
        """What would have been paged in correct care."""
        return [page for count in self.care for page in count.pages]

    @property
    def extras(self) -> list[str]:
        """What would have been paged beside a hazard, without a reason."""
        return [extra for outcome in self.outcomes for extra in outcome.extras]

    def figures(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        rules = sorted({outcome.rule for outcome in self.outcomes})
        return {
            "bed_days": round(self.bed_days, 1),
            "pages_medium_or_above": len(self.pages),
            **_found(self.outcomes),
            "by_rule": {
                name: _found([o for o in self.outcomes if o.rule == name]) for name in rules
            },
        }

    def table(self) -> Iterator[str]:
        """Yield the report as lines for people."""
        yield f"{self.bed_days:.0f} bed-days of correct care, transitions:"
        told = sum((count.told for count in self.care), Counter[tuple[str, str, str]]())
        for (rule, phase, priority), number in sorted(told.items()):
            yield f"  {rule:24} {phase:12} {priority:8} {number:6}"
        yield f"  pages of medium or above: {len(self.pages)}"
        yield ""
        columns = ("rule", "priority", "injected", "found", "late", "missed", "worst", "extras")
        yield "{:24} {:8} {:>8} {:>6} {:>6} {:>6} {:>8} {:>6}".format(*columns)
        kind = attrgetter("rule", "priority")
        for (rule, priority), group in groupby(sorted(self.outcomes, key=_row), key=kind):
            alike = list(group)
            found = _found(alike)
            missed = found["injected"] - found["found"]
            late = sum(not outcome.in_time for outcome in alike) - missed
            extras = sum(len(outcome.extras) for outcome in alike)
            worst = "-" if found["worst_delay_s"] is None else f"{found['worst_delay_s']:.3f} s"
            yield (
                f"{rule:24} {priority:8} {found['injected']:8} {found['found']:6} {late:6}"
                f" {missed:6} {worst:>8} {extras:6}"
            )

    def faults(self) -> Iterator[str]:
        """Yield everything that must not be."""
        if self.bed_days < self.plan.least_bed_days:
            yield f"only {self.bed_days:.1f} of {self.plan.least_bed_days:.0f} bed-days"
        for page in self.pages:
            yield f"paged in correct care: {page}"
        for extra in self.extras:
            yield f"paged without a reason: {extra}"
        for outcome in self.outcomes:
            where = f"{outcome.rule} {outcome.priority} in {outcome.scenario}, seed {outcome.seed}"
            if outcome.delay_s is None:
                yield f"missed: {where}"
            elif not outcome.in_time:
                yield f"late by {outcome.delay_s:.3f} s: {where}"
        provoked = NOT_INJECTED | {outcome.rule for outcome in self.outcomes}
        for rule in RULES:
            if rule.name not in provoked:
                yield f"nothing provokes {rule.name}"


def _row(outcome: Outcome) -> tuple[str, int]:
    return outcome.rule, rank(outcome.priority)


def _found(outcomes: list[Outcome]) -> dict[str, Any]:
    delays = [outcome.delay_s for outcome in outcomes if outcome.delay_s is not None]
    worst_s = round(max(delays), 3) if delays else None
    return {"injected": len(outcomes), "found": len(delays), "worst_delay_s": worst_s}


def report(plan: Plan, processes: int = 1, done: Callable[[], object] = lambda: None) -> Report:
    """Simulate and judge the plan; ``done`` is called after each of its runs."""
    jobs: list[Callable[[], Any]] = [partial(watch, run) for run in plan.care]
    jobs += [partial(provoke, run) for run in plan.hazards]
    results = list(_results(jobs, processes, done))
    care, provoked = results[: len(plan.care)], results[len(plan.care) :]
    return Report(plan, care, [outcome for outcomes in provoked for outcome in outcomes])


def _results(
    jobs: list[Callable[[], Any]], processes: int, done: Callable[[], object]
) -> Iterator[Any]:
    """Yield what each job returns, in their order."""
    if processes == 1:
        for job in jobs:
            yield job()
            done()
        return
    # Not forked: whoever asks may have threads whose locks a fork would take along.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures: list[Future[Any]] = [pool.submit(job) for job in jobs]
        for future in futures:
            yield future.result()
            done()
