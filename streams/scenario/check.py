"""Run a scenario through the core and say, in words, where it differs from what it expects."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

import msgspec

from schemas.alert import Alert
from schemas.rejected import Rejected
from schemas.span import parse_span, write_span
from streams.replay import replay, replay_until
from streams.scenario.pairing import VERDICTS, Aspect, Pair, paired
from streams.scenario.timeline import (
    Expected,
    InvalidScenario,
    Json,
    Scenario,
    records_of,
    refused_of,
)
from streams.ward import Ward


def run(scenario: Scenario, records: Iterable[Json] | None = None) -> list[Alert]:
    """Judge the records of a scenario (or others in their place) by the core."""
    lines = (msgspec.json.encode(record) for record in records or records_of(scenario))
    to_be_refused = {msgspec.json.encode(record) for record in refused_of(scenario)}

    def refuse(number: int, line: bytes, why: Rejected) -> None:
        if line not in to_be_refused:
            raise InvalidScenario(
                f"record {number} is refused: {why.reason}: {why.detail}: {line!r}"
            )

    ward = Ward(scenario.profile)
    told = list(replay(lines, ward, refuse))
    told += replay_until(ward, scenario.start + parse_span(scenario.until))
    return told


def differences(scenario: Scenario, told: Iterable[Alert]) -> list[str]:
    """Return the lines of ``difference``; none when exactly what is expected has come."""
    return [line for _, line in difference(scenario, paired(scenario, told))]


def difference(scenario: Scenario, pairs: list[Pair]) -> Iterator[tuple[Pair | None, str]]:
    """Yield lines that show expected and got side by side, each with the pair it is about.

    Nothing when all is the same; else the pairs that agree stand among the others, so that one
    sees where in the story something differs. The last line counts.
    """
    counts = Counter(pair.verdict for pair in pairs)
    if counts["same"] == len(pairs):
        return
    rows = [(pair, _wanted(pair.expected), _came(pair, scenario)) for pair in pairs]
    width = max(len(_HEAD), *(len(left) for _, left, _ in rows))
    yield None, f"{'':7}  {_HEAD:{width}}  got"
    for pair, left, right in rows:
        yield pair, f"{pair.verdict:7}  {left:{width}}  {right}"
        for aspect in pair.unlike:
            yield pair, f"{'':7}    {aspect}: {_unlike(aspect, pair, scenario)}"
        if pair.got is not None and pair.verdict != "same":
            yield pair, f"{'':7}    {pair.got.summary}"
    yield None, ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])


_HEAD = "expected"


def _wanted(expected: Expected | None) -> str:
    if expected is None:
        return "-"
    parts = (
        str(expected.at),
        expected.rule,
        expected.phase,
        expected.priority,
        expected.reason,
        expected.patient,
    )
    return " ".join(part for part in parts if part)


def _came(pair: Pair, scenario: Scenario) -> str:
    alert = pair.got
    if alert is None:
        return "-"
    at = write_span(alert.at - scenario.start)
    return f"{at} {alert.rule} {alert.phase} {alert.priority} {alert.reason} {alert.patient}"


def _unlike(aspect: Aspect, pair: Pair, scenario: Scenario) -> str:
    """Say what was expected of one aspect and what it is, and for a time by how much."""
    expected, alert = pair.expected, pair.got
    if aspect == "says":
        return f"expected {getattr(expected, aspect)!r} in the sentence"
    wanted, got = getattr(expected, aspect), getattr(alert, aspect)
    if aspect not in {"at", "onset"}:
        return f"expected {wanted}, got {got}"
    since = got - scenario.start
    late = since - parse_span(wanted)
    by = f"{write_span(abs(late))} {'late' if late > timedelta() else 'early'}"
    return f"expected {wanted}, got {write_span(since)}, {by}"
