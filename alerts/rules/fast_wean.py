"""The dose was lowered too far at once, or again too soon.

S0: weaning goes in several steps with several hours at each. A step counts once the new dose has
stood for five minutes, so that a correction is none; steps up do not count.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.state import PatientState


def _watch(patient: PatientState, _limits: Limits) -> Watch:
    course = patient.course
    if course is None:
        return Quiet("course-ended")
    step = course.fast_step
    if step is None:
        return Quiet("pause-kept")
    return Armed((Stage("low", step.at, onset=step.onset),))


def _finding(patient: PatientState, limits: Limits, _at: datetime) -> Finding:
    step = patient.course.fast_step if patient.course else None
    told = f"from {step.from_ppm:g} to {step.to_ppm:g} ppm" if step else "down"
    rule = limits.fast_wean
    return Finding(
        summary=(
            f"dose stepped {told}; steps of at most {rule.step_ppm:g} ppm and"
            f" {rule.step_share * 100:g} %, {rule.pause.total_seconds() / 3600:g} h apart"
        ),
        reason="too-fast",
        value=step.from_ppm - step.to_ppm if step else None,
        limit=rule.step_ppm,
        unit_of_measure="ppm",
        source=limits.sources["fast_wean.step_ppm"],
    )


RULE = DeadlineRule(
    "fast-wean",
    "weaning too fast",
    _watch,
    _finding,
    moves_with="samples",
    raised={
        "low": "one step down is more than {fast_wean.step_ppm} or more than"
        " {fast_wean.step_share} of the dose, or comes within {fast_wean.pause} of the"
        " last; a step counts once the new dose has stood for {fast_wean.correction}",
    },
    clears="the next step keeps the pause, or the course ends",
)
