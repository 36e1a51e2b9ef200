"""Another drug gives nitric oxide too: its effect on methemoglobin adds up (label)."""

from alerts.flagged import flag_rule

RULE = flag_rule(
    "no-donor-drug",
    "no_donor_drug",
    "low",
    "another nitric oxide donor is given, methemoglobin is due sooner",
    "label: added effect on methemoglobin",
)
