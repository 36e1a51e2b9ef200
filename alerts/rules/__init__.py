"""The rule book: every rule, in the order in which they are looked at.

The order decides only what is told first when two rules turn at one instant.
"""

from alerts.rule import CountedRule, DeadlineRule, Rule, SampledRule
from alerts.rules import (
    abrupt_stop,
    backup_delivery,
    calibration_overdue,
    caution_lv_dysfunction,
    contraindicated,
    course_near_14_days,
    course_over_14_days,
    data_rejected,
    device_alarm,
    eligibility_review,
    fast_wean,
    measured_dose_high,
    methb_first_due,
    methb_first_overdue,
    methb_high,
    methb_repeat_overdue,
    no2_high,
    no_donor_drug,
    no_response_72h,
    reading_frozen,
    rebound_suspected,
    set_dose_high,
    supply_low,
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
    no_response_72h.RULE,
    supply_low.RULE,
    calibration_overdue.RULE,
    rebound_suspected.RULE,
    telemetry_lost.RULE,
    reading_frozen.RULE,
    device_alarm.RULE,
    eligibility_review.RULE,
    data_rejected.RULE,
)

SAMPLED: tuple[SampledRule, ...] = tuple(r for r in RULES if isinstance(r, SampledRule))
DEADLINE: tuple[DeadlineRule, ...] = tuple(r for r in RULES if isinstance(r, DeadlineRule))
OF_COURSE: tuple[Rule, ...] = tuple(r for r in RULES if not isinstance(r, CountedRule))
"""The rules about a course: they end with it."""
