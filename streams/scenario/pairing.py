"""What was expected beside what came: each transition with its counterpart, if it has one.

A counterpart agrees in all that is expected of it, or it is a near miss: the same rule, the same
moment or the same phase. Writes no words and judges no rule.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Literal, NamedTuple

from schemas.alert import Alert
from schemas.span import parse_span
from streams.scenario.timeline import Expected, Scenario

Verdict = Literal["same", "unlike", "missing", "extra"]
VERDICTS: tuple[Verdict, ...] = ("same", "unlike", "missing", "extra")
Aspect = Literal["at", "phase", "priority", "reason", "onset", "patient", "says"]


class Pair(NamedTuple):
    """``unlike`` names what differs between the two; one of them may not be there."""

    expected: Expected | None
    got: Alert | None
    unlike: tuple[Aspect, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``missing``: it did not come. ``extra``: nobody expected it."""
        if self.got is None:
            return "missing"
        if self.expected is None:
            return "extra"
        return "unlike" if self.unlike else "same"


def paired(scenario: Scenario, told: Iterable[Alert]) -> list[Pair]:
    """Pair all that is expected with all that came of the rules looked at, in the order of time."""
    rules = set(scenario.only)
    got = [alert for alert in told if not rules or alert.rule in rules]
    # Who asks for more chooses first, or a vague expectation would take what only it can have.
    wanted = sorted(scenario.expect, key=_vagueness)
    pairs = [*_agreeing(wanted, got, scenario), *_near(wanted, got, scenario)]
    pairs += [Pair(expected, None) for expected in wanted]
    pairs += [Pair(None, alert) for alert in got]
    return sorted(pairs, key=lambda pair: _moment(pair, scenario))


def _vagueness(expected: Expected) -> int:
    return sum(getattr(expected, name) is None for name in Expected.__struct_fields__)


def _agreeing(wanted: list[Expected], got: list[Alert], scenario: Scenario) -> Iterator[Pair]:
    """Take out of both lists what agrees."""
    for expected in list(wanted):
        for alert in got:
            if expected.rule == alert.rule and not any(disagreements(expected, alert, scenario)):
                wanted.remove(expected)
                got.remove(alert)
                yield Pair(expected, alert)
                break


def _near(wanted: list[Expected], got: list[Alert], scenario: Scenario) -> Iterator[Pair]:
    """Take out of both lists what is nearly the same, the nearest first."""
    near = []
    for expected in wanted:
        for alert in got:
            unlike = tuple(disagreements(expected, alert, scenario))
            if expected.rule == alert.rule and not {"at", "phase"} <= set(unlike):
                far = abs(alert.at - scenario.start - parse_span(expected.at))
                near.append((len(unlike), far, expected, alert, unlike))
    for _, _, expected, alert, unlike in sorted(near, key=lambda one: one[:2]):
        if expected in wanted and alert in got:
            wanted.remove(expected)
            got.remove(alert)
            yield Pair(expected, alert, unlike)


def disagreements(expected: Expected, alert: Alert, scenario: Scenario) -> Iterator[Aspect]:
    """Name what is not as expected; what an expectation leaves out is not looked at."""
    if alert.at != scenario.start + parse_span(expected.at):
        yield "at"
    if alert.phase != expected.phase:
        yield "phase"
    if expected.priority not in (None, alert.priority):
        yield "priority"
    if expected.reason not in (None, alert.reason):
        yield "reason"
    if expected.onset is not None and alert.onset != scenario.start + parse_span(expected.onset):
        yield "onset"
    if expected.patient not in (None, alert.patient):
        yield "patient"
    if expected.says is not None and expected.says not in alert.summary:
        yield "says"


def _moment(pair: Pair, scenario: Scenario) -> timedelta:
    if pair.expected is not None:
        return parse_span(pair.expected.at)
    return pair.got.at - scenario.start if pair.got is not None else timedelta()
