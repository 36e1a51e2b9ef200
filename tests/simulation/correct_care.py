"""Wards in which everything goes by the book: how long, and what was said nevertheless."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from schemas.encode import encode
from schemas.state import PatientState
from streams.simulate.ward import ward
from streams.ward import Ward
from tests.simulation.judged import is_page, judged

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CORRECT = ("correct-care", "device-handover", "sensor-noise")


class CareRun(Struct, frozen=True):
    """So many beds of a scenario for so long, a sample every ``period_s`` from each."""

    scenario: str
    seed: int
    beds: int
    days: int
    period_s: float


class CareCount(Struct, frozen=True):
    """What came of it. A bed-day is a day on which a bed delivered: empty beds do not count.

    ``told`` counts transitions by rule, phase and priority; ``pages`` are the words of each that
    would have been paged.
    """

    bed_days: float
    told: Counter[tuple[str, str, str]]
    pages: list[str]


def watch(run: CareRun) -> CareCount:
    """Simulate and judge, under the default profile."""
    end = START + run.days * DAY
    arrivals = ward(run.beds, run.scenario, run.seed, START, START, end, period_s=run.period_s)
    core, told, pages = Ward(), Counter[tuple[str, str, str]](), list[str]()
    for _, alert in judged((encode(arrival.record) for arrival in arrivals), core):
        told[alert.rule, alert.phase, alert.priority] += 1
        if is_page(alert):
            pages.append(
                f"{run.scenario}, seed {run.seed}: {alert.rule} {alert.at}: {alert.summary}"
            )
    delivered = (_delivered(patient) for patient in core.patients.values())
    return CareCount(sum(delivered, timedelta()) / DAY, told, pages)


def _delivered(patient: PatientState) -> timedelta:
    return patient.earlier + (patient.course.delivered if patient.course else timedelta())
