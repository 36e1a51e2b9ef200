"""Three days of therapy around heart surgery, and no improvement is recorded.

S2 asks for an improvement within 72 h, or for taper. Improved is a saturation or a need of oxygen
that was better than at the start of the course by the profile's points for a while, at any time
since, and the other one not worse by as much. A dose that is put back up is no taper. Where neither
was ever measured nothing is raised: it cannot be judged.
"""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch, hours_since_start
from alerts.rules.course_over_14_days import is_waiting
from schemas.state import PatientState

NAME = "no-response-72h"


def _watch(patient: PatientState, limits: Limits) -> Watch:
    course, context = patient.course, patient.context
    if course is None:
        return Quiet("course-ended")
    if context.indication != "perioperative-chd":
        return Quiet("context-changed")
    if course.improved is not None:
        return Quiet("improved")
    if course.tapered is not None:
        return Quiet("tapered")
    unknown = not course.spo2_first_pct and not course.fio2_first_pct
    if unknown or is_waiting(patient, course, NAME):
        return Quiet("delivery-ended")
    after = course.start + limits.no_response_72h.after
    known = context.arrived.get("indication", course.start)
    again = (course.reopened, course.taper_ended)
    return Armed((Stage("low", max(t for t in (after, known, *again) if t is not None)),))


def _finding(patient: PatientState, limits: Limits, at: datetime) -> Finding:
    elapsed_h = hours_since_start(patient, at)
    limit_h = limits.no_response_72h.after.total_seconds() / 3600
    return Finding(
        summary=(
            f"no improvement of SpO2 or oxygen need recorded in {elapsed_h:.4g} h of therapy"
            f" around heart surgery, limit {limit_h:g} h"
        ),
        reason="no-response",
        value=elapsed_h,
        limit=limit_h,
        unit_of_measure="h",
        source=limits.sources["no_response_72h.after"],
    )


RULE = DeadlineRule(
    NAME,
    "no response in 72 h",
    _watch,
    _finding,
    raised={
        "low": "{no_response_72h.after} after the start of a course for `perioperative-chd`, SpO2"
        " has never been {no_response_72h.spo2_points} or more above that of the start for"
        " {no_response_72h.hold}, nor FiO2 {no_response_72h.fio2_points} or more below it, and the"
        " dose is not tapered",
    },
    clears="an improvement, a taper, another indication, or the course ends",
)
