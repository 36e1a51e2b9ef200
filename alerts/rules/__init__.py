"""The rule book: every rule, in the order in which they are looked at.

The order decides only what is told first when two rules turn at one instant.
"""

from alerts.rule import DeadlineRule, Rule, SampledRule
from alerts.rules import (
    abrupt_stop,
    backup_delivery,
    caution_lv_dysfunction,
    contraindicated,
    course_near_14_days,
    course_over_14_days,
    fast_wean,
    measured_dose_high,
    methb_first_due,
    methb_first_overdue,
    methb_high,
    methb_repeat_overdue,
    no2_high,
    no_donor_drug,
    set_dose_high,
    telemetry_lost,
    under_delivery,
)

RULES: tuple[Rule, ...] = (
    set_dose_high.RULE,
    measured_dose_high.RULE,
    under_delivery.RULE,
    abrupt_stop.RULE,
    fast_wean.RULE,
    backup_delivery.RULE,
    methb_first_due.RULE,
    methb_first_overdue.RULE,
    methb_repeat_overdue.RULE,
    methb_high.RULE,
    no2_high.RULE,
    course_over_14_days.RULE,
    course_near_14_days.RULE,
    contraindicated.RULE,
    caution_lv_dysfunction.RULE,
    no_donor_drug.RULE,
    telemetry_lost.RULE,
)

SAMPLED: tuple[SampledRule, ...] = tuple(r for r in RULES if isinstance(r, SampledRule))
DEADLINE: tuple[DeadlineRule, ...] = tuple(r for r in RULES if isinstance(r, DeadlineRule))
