"""The left ventricle fails: more flow through the lungs may end in oedema (S0, label)."""

from alerts.flagged import flag_rule

RULE = flag_rule(
    "caution-lv-dysfunction",
    "lv_dysfunction",
    "medium",
    "delivering with left ventricular dysfunction, watch for lung oedema",
    "S0; label: pulmonary oedema, discontinue",
)
