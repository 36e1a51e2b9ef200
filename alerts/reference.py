"""The rule book in words, made from the registry, the profile and nothing else.

``docs/rules.md`` is this text for the default profile; a test fails when it is stale.
"""

import inspect
from collections.abc import Iterator

from alerts import monitor_blind, rules
from alerts.limits import Limits
from alerts.numbers import BOUNDS, Number, filled, number_at, numbers_of
from alerts.rule import AnyRule, CountedRule, OutsideRule, SampledRule

EVERY_RULE: tuple[AnyRule, ...] = (*rules.RULES, monitor_blind.RULE)
"""The rules about patients, and the one about the monitor itself."""
OF_THE_COURSE = ("course.interruption", "course.either_order", "course.settling")


def explain(name: str, limits: Limits) -> str:
    """Describe one rule: what it watches and why, when it is raised and clears, by which numbers.

    Raises ``KeyError`` when there is no such rule.
    """
    rule = next((rule for rule in EVERY_RULE if rule.name == name), None)
    if rule is None:
        raise KeyError(name)
    return "\n".join(_lines(rule, limits))


def reference(limits: Limits) -> str:
    """Describe every rule, in the order of the registry, and what the watchdog tells."""
    head = "\n".join(_head(limits))
    parts = [head, *(explain(rule.name, limits) for rule in EVERY_RULE)]
    return "\n\n".join(parts) + "\n"


_HEAD = """\
# The rules

Made by `inowatch explain --all` from the profile `{name}`, version {version}. Every number is a
default that needs local clinical review; another profile (`alerts/profiles/`) may say another. This
is a secondary alarm system: it never replaces the device's own alarms.

How to read it: what holds *for* a time is true in every sample of that time. A bound *above* or
*below* leaves exactly that number in order, *at or above* and *at or below* do not. A missing value
is unknown: it raises nothing and clears nothing. Priorities have the meaning of IEC 60601-1-8; it
allots none to conditions, so they are this project's own proposal. Sources: S0, a clinical summary;
S2, a payer's policy; label, the prescribing information; own, this project's proposal.

| rule | tells | priority |
|---|---|---|"""


def _head(limits: Limits) -> Iterator[str]:
    yield _HEAD.format(name=limits.name, version=limits.version)
    for rule in EVERY_RULE:
        yield f"| [{rule.name}](#{rule.name}) | {rule.title} | {', '.join(rule.raised)} |"
    yield ""
    yield "Of every course:"
    yield ""
    yield from _table([number_at(name, limits) for name in OF_THE_COURSE])


def _lines(rule: AnyRule, limits: Limits) -> Iterator[str]:
    yield f"## {rule.name}"
    yield ""
    yield f"*{rule.title[0].upper()}{rule.title[1:]}.* {_meaning(rule)}"
    yield ""
    yield "Raised:"
    yield ""
    for priority, words in rule.raised.items():
        yield f"- **{priority}**: {filled(words, limits)}"
    yield ""
    yield f"Clears: {filled(rule.clears, limits)}."
    yield ""
    if isinstance(rule, SampledRule):
        yield "Judged in every sample."
    elif isinstance(rule, CountedRule):
        yield "Judged each time it comes; over by the monitor's clock. It outlives a course."
    elif isinstance(rule, OutsideRule):
        yield "Judged from outside, by the watchdog: it needs no monitor."
    elif rule.moves_with == "samples":
        yield "Judged as time passes, by the patient's own samples or the clock."
    else:
        yield "Judged as time passes, by the monitor's clock: it needs no sample."
    numbers = numbers_of(rule, limits)
    if numbers:
        yield ""
        yield from _table(numbers)


def _table(numbers: list[Number]) -> Iterator[str]:
    yield "| number | bound | value | source |"
    yield "|---|---|---|---|"
    for number in numbers:
        bound = BOUNDS[number.bound]
        yield f"| `{number.name}` | {bound} | {number.written} | {number.source} |"


def _meaning(rule: AnyRule) -> str:
    """Give what the rule's own file says of it."""
    about_it = rule is monitor_blind.RULE
    module = monitor_blind if about_it else getattr(rules, rule.name.replace("-", "_"))
    return inspect.cleandoc(module.__doc__ or "").replace("``", "`")
