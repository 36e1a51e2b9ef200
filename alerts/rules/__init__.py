"""The rule book: every rule, in the order in which they are looked at.

The order decides only what is told first when two rules turn at one instant.
"""

from alerts.rule import DeadlineRule, Rule, SampledRule
from alerts.rules import (
    abrupt_stop,
    course_near_14_days,
    course_over_14_days,
    methb_first_due,
    methb_first_overdue,
    set_dose_high,
    telemetry_lost,
)

RULES: tuple[Rule, ...] = (
    set_dose_high.RULE,
    abrupt_stop.RULE,
    methb_first_due.RULE,
    methb_first_overdue.RULE,
    course_over_14_days.RULE,
    course_near_14_days.RULE,
    telemetry_lost.RULE,
)

SAMPLED: tuple[SampledRule, ...] = tuple(r for r in RULES if isinstance(r, SampledRule))
DEADLINE: tuple[DeadlineRule, ...] = tuple(r for r in RULES if isinstance(r, DeadlineRule))
