"""Scenarios through Kafka, Faust and the store: what replay decides, the workers decide."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from schemas.alert import Alert
from schemas.span import parse_span
from streams.scenario.check import differences
from streams.scenario.file import read_scenario
from streams.scenario.timeline import Scenario, records_of
from streams.stores.open import open_store
from streams.stores.points import record_of
from tests.e2e.product import eventually, product, renamed

FOLDER = Path(__file__).parents[1] / "scenarios"
# Without results and acts (across topics these have no fixed place among the samples) and without
# silence: it is judged by ticks, and here they begin when it is over. test_crash has it live.
NAMES = (
    "checkout-before-the-course",
    "dose-high-at-once",
    "dose-high-just-above",
    "dose-high-tiers",
    "dose-high-too-short",
    "stop-after-5-hours",
    "stop-at-4-hours",
    "stop-dose-before-it",
    "stop-for-29-seconds",
    "handover-without-a-word",
    "weaned-to-2",
    "zero-calibration",
)


def ending_now(name: str) -> Scenario:
    """Move a scenario so that it ends at this moment: ticks then go on from its end."""
    scenario = read_scenario(FOLDER / f"{name}.yaml")
    start = datetime.now(UTC).replace(microsecond=0) - parse_span(scenario.until)
    return msgspec.structs.replace(scenario, start=start)


def test_scenarios_live(kafka: str, tmp_path: Path) -> None:
    """Every scenario brings exactly its alerts, at their times, on the topic and in the store."""
    scenarios = {name: ending_now(name) for name in NAMES}
    with product(kafka, tmp_path) as site:
        for name, scenario in scenarios.items():
            site.send(renamed(record, name) for record in records_of(scenario))
        site.start("monitor", "recorder")

        def told(name: str) -> list[Alert]:
            mine = [a for a in site.alerts() if a.patient.rsplit("-", 1)[0] == name]
            limit = scenarios[name].start + parse_span(scenarios[name].until)
            return sorted((a for a in mine if a.at <= limit), key=lambda a: a.at)

        def differing() -> dict[str, list[str]]:
            found = {name: differences(scenarios[name], told(name)) for name in NAMES}
            return {name: lines for name, lines in found.items() if lines}

        eventually(lambda: not differing())
        assert differing() == {}

        store = open_store(site.settings.store)
        start, end = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

        def stored() -> set[tuple[str, str]]:
            records = [record_of(point) for point in store.read("alert", start, end)]
            return {(r.id, r.phase) for r in records if isinstance(r, Alert)}

        alerts = {(alert.id, alert.phase) for alert in site.alerts()}
        assert eventually(lambda: stored() >= alerts)
        records = [record for s in scenarios.values() for record in records_of(s)]
        samples = [record for record in records if record["type"] == "telemetry"]
        kept = sum(1 for _ in store.read("telemetry", start, end))
        store.close()
        assert kept == len(samples)


@pytest.mark.parametrize("name", NAMES)
def test_the_live_scenarios_expect_something_or_silence(name: str) -> None:
    """The scenarios named here are there, so that a renamed one is noticed."""
    assert read_scenario(FOLDER / f"{name}.yaml").timeline
