"""What the questions find is what the rules raised: one simulated ward, judged and asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.encode import encode
from streams.audit.engine import Asked, ask
from streams.audit.question import filled
from streams.replay import replay
from streams.simulate.ward import ward
from streams.stores.port import Store
from streams.ward import Ward
from tests.unit.audit_asked import CATALOGUE, keep

BEGIN = datetime(2026, 1, 15, 12, tzinfo=UTC)
END = BEGIN + timedelta(hours=76)
SCENARIOS = (
    "abrupt-stop",
    "dose-high",
    "methb-high",
    "methb-missed",
    "methb-repeat-missed",
    "no-response",
    "no2-high",
    "correct-care",
)
Raised = dict[str, set[tuple[str, datetime]]]
"""Rule to the patients and onsets of its alerts."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Raised]]:
    """A ward with one bed of each scenario: what it recorded, and what the core raised."""
    arrivals = [
        arrival
        for name in SCENARIOS
        for arrival in ward(1, name, 11, BEGIN, BEGIN, END, period_s=60.0)
    ]
    arrivals.sort(key=lambda arrival: arrival.at)
    raised: Raised = {}
    lines = (encode(arrival.record) for arrival in arrivals)
    for alert in replay(lines, Ward(), lambda *refused: pytest.fail(str(refused))):
        if alert.phase == "raised":
            raised.setdefault(alert.rule, set()).add((alert.patient, alert.onset))
    store = keep(tmp_path_factory.mktemp("agrees"), (arrival.record for arrival in arrivals))
    yield store, raised
    store.close()


def rows_of(store: Store, name: str) -> list[dict[str, Any]]:
    """The answer to a question, with its own numbers."""
    question = CATALOGUE.named(name)
    wanted = Asked(question=question, parameters=filled(question, {}))
    rows: list[dict[str, Any]] = ask(store, CATALOGUE, wanted, lambda _: None).table.to_pylist()
    return rows


@pytest.mark.parametrize(
    ("rule", "name", "results"),
    [
        ("set-dose-high", "dose-over-20", {"yes"}),
        ("methb-repeat-overdue", "methb-intervals", {"no"}),
        ("methb-high", "high-methb", {"yes"}),
        ("no2-high", "no2", {"yes"}),
        ("no-response-72h", "response-72h", {"no"}),
    ],
)
def test_a_question_finds_the_patients_whom_the_rule_was_raised_for(
    told: tuple[Store, Raised], rule: str, name: str, results: set[str]
) -> None:
    """Rule and question judge apart, by the same words, and come to the same patients."""
    store, raised = told
    found = {row["patient"] for row in rows_of(store, name) if row["result"] in results}
    assert found == {patient for patient, _ in raised[rule]}


def test_abrupt_stops_are_those_that_were_raised(told: tuple[Store, Raised]) -> None:
    """Each of them, at its moment, and no other."""
    store, raised = told
    rows = [row for row in rows_of(store, "stops") if row["result"] == "yes"]
    assert {(row["patient"], row["stopped_at"]) for row in rows} == raised["abrupt-stop"]


def test_a_first_check_that_was_overdue_is_late_or_was_resulted_late(
    told: tuple[Store, Raised],
) -> None:
    """The alert comes when no result is there; in time it may have been all the same."""
    store, raised = told
    rows = rows_of(store, "first-methb")
    missed = {
        row["patient"]
        for row in rows
        if row["result"] in {"late", "early", "never"} or "resulted after" in row["reason"]
    }
    assert missed == {patient for patient, _ in raised["methb-first-overdue"]}
    assert {row["result"] for row in rows} >= {"in time", "late"}
