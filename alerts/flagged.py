"""Rules that hold while a finding about the patient is known and the therapy runs."""

from datetime import datetime

from alerts.limits import Limits
from alerts.rule import Armed, DeadlineRule, Finding, Quiet, Stage, Watch
from schemas.alert import Priority
from schemas.state import PatientState


def flag_rule(name: str, flag: str, priority: Priority, words: str, source: str) -> DeadlineRule:
    """Make the rule that ``flag`` is true while delivering; a missing flag raises nothing."""

    def watch(patient: PatientState, _limits: Limits) -> Watch:
        course = patient.course
        if course is None:
            return Quiet("course-ended")
        if course.phase != "running":
            return Quiet("delivery-ended")
        if not getattr(patient.context.flags, flag):
            return Quiet("flag-cleared")
        since = max(course.running_since, patient.context.arrived[f"flags.{flag}"])
        return Armed((Stage(priority, since),), otherwise="flag-cleared")

    def finding(_patient: PatientState, _limits: Limits, _at: datetime) -> Finding:
        return Finding(words, "flagged", None, None, None, source)

    return DeadlineRule(
        name,
        words,
        watch,
        finding,
        moves_with="samples",
        raised={priority: f"delivering while the flag `{flag}` is true"},
        clears="the flag is true no longer, or delivery ends",
    )
