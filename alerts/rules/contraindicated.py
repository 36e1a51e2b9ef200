"""The circulation depends on a right-to-left shunt: nitric oxide is contraindicated (S0, label)."""

from alerts.flagged import flag_rule

RULE = flag_rule(
    "contraindicated",
    "right_to_left_shunt_dependent",
    "high",
    "delivering though the circulation depends on a right-to-left shunt",
    "S0; label: contraindicated",
)
