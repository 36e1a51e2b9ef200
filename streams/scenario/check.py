"""Run a scenario through the core and say, in words, where it differs from what it expects."""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.alert import Alert
from schemas.rejected import Rejected
from schemas.span import parse_span, write_span
from streams.replay import replay, replay_until
from streams.scenario.timeline import Expected, InvalidScenario, Json, Scenario, records_of
from streams.ward import Ward


def run(scenario: Scenario, records: Iterable[Json] | None = None) -> list[Alert]:
    """Judge the records of a scenario (or others in their place) by the core."""
    lines = (msgspec.json.encode(record) for record in records or records_of(scenario))
    ward = Ward(scenario.profile)
    told = list(replay(lines, ward, _never))
    told += replay_until(ward, scenario.start + parse_span(scenario.until))
    return told


def _never(number: int, line: bytes, why: Rejected) -> None:
    raise InvalidScenario(f"record {number} is refused: {why.reason}: {why.detail}: {line!r}")


def differences(scenario: Scenario, told: Iterable[Alert]) -> list[str]:
    """Return a line for each transition that is missing (``-``) or not expected (``+``)."""
    rules = set(scenario.only)
    seen = [alert for alert in told if not rules or alert.rule in rules]
    found: list[str] = []
    for expected in scenario.expect:
        match = next((alert for alert in seen if _is(expected, alert, scenario)), None)
        if match is None:
            found.append(f"- {_wanted(expected)}")
        else:
            seen.remove(match)
    return found + [f"+ {_got(alert, scenario)}" for alert in seen]


def _is(expected: Expected, alert: Alert, scenario: Scenario) -> bool:
    return all(_agreements(expected, alert, scenario))


def _agreements(expected: Expected, alert: Alert, scenario: Scenario) -> Iterator[bool]:
    yield (alert.rule, alert.phase) == (expected.rule, expected.phase)
    yield alert.at == scenario.start + parse_span(expected.at)
    yield expected.priority in (None, alert.priority)
    yield expected.reason in (None, alert.reason)
    yield expected.patient in (None, alert.patient)
    yield expected.says is None or expected.says in alert.summary
    yield expected.onset is None or alert.onset == scenario.start + parse_span(expected.onset)


def _wanted(expected: Expected) -> str:
    parts = (str(expected.at), expected.rule, expected.phase, expected.priority, expected.reason)
    return " ".join(part for part in parts if part)


def _got(alert: Alert, scenario: Scenario) -> str:
    at = write_span(alert.at - scenario.start)
    return f"{at} {alert.rule} {alert.phase} {alert.priority} {alert.reason}: {alert.summary}"
