"""The last methemoglobin value of the course is high.

Nitric oxide makes methemoglobin. Published protocols keep it below 2.5 % and call more than 5 %
significant. The newest collection counts, a withdrawn one never did.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.methb import of_course
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch, told_priority
from schemas.alert import Priority
from schemas.state import PatientState

NAME = "methb-high"

_PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high")


def _watch(patient: PatientState, _limits: Limits) -> Watch:
    if patient.course is None:
        return Quiet("course-ended")
    stages = tuple(
        Stage(priority, since.at, onset=since.onset)
        for priority, since in zip(_PRIORITIES, patient.course.methb_high, strict=False)
    )
    return Armed(stages) if stages else Quiet("back-in-range")


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    labs = of_course(patient, patient.course) if patient.course else []
    value = labs[-1].value_pct if labs else None
    key = f"{told_priority(patient, NAME) or 'low'}_pct"
    limit = float(getattr(limits.methb_high, key))
    return Finding(
        summary=f"methemoglobin {value or 0:g} %, limit {limit:g} %",
        reason="over-limit",
        value=value,
        limit=limit,
        unit_of_measure="%",
        source=limits.sources[f"methb_high.{key}"],
    )


RULE = DeadlineRule(
    NAME,
    "methemoglobin high",
    _watch,
    _finding,
    raised={
        "low": "the newest value of the course is {methb_high.low_pct} or more",
        "medium": "it is {methb_high.medium_pct} or more",
        "high": "it is {methb_high.high_pct} or more",
    },
    clears="a newer value is below, or the course ends",
)
