"""Records of one device, or of nobody known, are refused again and again.

What is refused is judged for nobody: a device whose clock is wrong or whose gateway writes rubbish
looks well only because nothing of it is looked at. Of a patient who is known the records are
counted by device. All others of a partition are counted together, whatever they name, and whoever
sends them is one unknown patient. The same record twice is one. It is over when none has come for a
while; the end of a course does not end it.
"""

from datetime import datetime, timedelta
from math import ceil

from alerts.limits import Limits
from alerts.rule import CountedRule, Finding, Tier
from schemas.stand_in import is_unknown
from schemas.state import PatientState, Refusal

NAME = "data-rejected"


def is_often(refusals: list[Refusal], limits: Limits) -> bool:
    """Whether the newest of these came so often that somebody has to be told."""
    rule = limits.data_rejected
    counted = refusals[-max(1, ceil(rule.count)) :]
    often = len(counted) >= rule.count
    return often and counted[-1].at - counted[0].at < rule.within


def _tiers(limits: Limits) -> tuple[Tier, ...]:
    return (Tier("low", timedelta(), limits.data_rejected.clear),)


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    rule = limits.data_rejected
    newest = max((kept[-1] for kept in patient.refused.values()), key=lambda one: one.at)
    of = f" of device {newest.device}" if newest.device else ""
    by = " that belong to no known patient" if is_unknown(patient.patient) else ""
    return Finding(
        summary=(
            f"{ceil(rule.count)} records{of}{by} refused within"
            f" {rule.within / timedelta(minutes=1):g} min ({newest.reason.replace('-', ' ')}):"
            " they are not judged"
        ),
        reason="rejected",
        value=float(ceil(rule.count)),
        limit=rule.count,
        unit_of_measure="records",
        source=limits.sources["data_rejected.count"],
        device=newest.device,
    )


RULE = CountedRule(
    NAME,
    "records refused",
    _tiers,
    _finding,
    otherwise="none-rejected",
    raised={
        "low": "{data_rejected.count} records of one device, or of no patient that is known, were"
        " refused in less than {data_rejected.within}"
    },
    clears="none was refused for {data_rejected.clear}",
)
