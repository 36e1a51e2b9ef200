"""The rule book in words, made from the registry, the profile and nothing else.

``docs/rules.md`` is this text for the default profile; a test fails when it is stale.
"""

import inspect
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType

from alerts import rules
from alerts.limits import Limits
from alerts.rule import Rule, SampledRule

_SECTIONS = {
    "set-dose-high": "set_dose_high",
    "abrupt-stop": "abrupt_stop",
    "methb-first-due": "methb_first",
    "methb-first-overdue": "methb_first",
    "course-over-14-days": "course_14_days",
    "course-near-14-days": "course_14_days",
    "telemetry-lost": "telemetry_lost",
    "measured-dose-high": "measured_dose",
    "under-delivery": "measured_dose",
    "fast-wean": "fast_wean",
    "backup-delivery": "backup_delivery",
    "methb-repeat-overdue": "methb_repeat",
    "methb-high": "methb_high",
    "no2-high": "no2_high",
    "no-response-72h": "no_response_72h",
    "supply-low": "supply_low",
    "reading-frozen": "reading_frozen",
    "calibration-overdue": "calibration_overdue",
    "device-alarm": "device_alarm",
    "rebound-suspected": "rebound_suspected",
    "eligibility-review": "eligibility_review",
}
"""Rule to the section of the profile that holds its numbers."""


def explain(name: str, limits: Limits) -> str:
    """Describe one rule: what it watches, why, and the numbers of a profile with their sources.

    Raises ``KeyError`` when there is no such rule.
    """
    rule = next((rule for rule in rules.RULES if rule.name == name), None)
    if rule is None:
        raise KeyError(name)
    return "\n".join(_lines(rule, limits))


def reference(limits: Limits) -> str:
    """Describe every rule, in the order of the registry."""
    parts = [explain(rule.name, limits) for rule in rules.RULES]
    head = f"# The rules\n\nMade by `inowatch explain --all` from the profile `{limits.name}`.\n\n"
    return head + "\n\n".join(parts) + "\n"


def _lines(rule: Rule, limits: Limits) -> Iterator[str]:
    module = _module(rule)
    yield f"## {rule.name}"
    yield ""
    yield inspect.cleandoc(module.__doc__ or "")
    yield ""
    if isinstance(rule, SampledRule):
        yield "Decided from the samples; tiers, each with its hold and its clearing hold:"
        yield ""
        for tier in rule.tiers(limits):
            yield f"- {tier.priority}: {_written(tier.hold)}, clears {_written(tier.clear_hold)}"
    elif rule.moves_with == "samples":
        yield "Decided by a hold time, which moves with the patient's own samples and the clock."
    else:
        yield "Decided by deadlines, which wait for the clock alone."
    section = _SECTIONS.get(rule.name)
    if section is None:
        return
    yield ""
    yield "| number | value | source |"
    yield "|---|---|---|"
    values = getattr(limits, section)
    for key in values.__struct_fields__:
        source = limits.sources[f"{section}.{key}"]
        yield f"| `{section}.{key}` | {_written(getattr(values, key))} | {source} |"


def _module(rule: Rule) -> ModuleType:
    found: ModuleType = getattr(rules, rule.name.replace("-", "_"))
    return found


def _written(value: float | timedelta) -> str:
    if not isinstance(value, timedelta):
        return f"{value:g}"
    seconds = value.total_seconds()
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
