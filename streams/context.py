"""What arrives beside the samples: results, context and acts of people, folded into the state.

Each arrives once in effect: a repeated record is known, and of two words on one thing the newer
stands. Judges nothing.
"""

from datetime import datetime
from hashlib import blake2b

from alerts.limits import Limits
from alerts.methb import first_check
from alerts.rules import course_over_14_days
from schemas.action import Action
from schemas.course import Course, Flags
from schemas.encode import encode
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.state import LabState, PatientState

MAX_KEPT = 64
"""Results, plans to stop and names of records that are kept a patient: some kilobytes."""


def take_lab(patient: PatientState, lab: Lab, at: datetime, limits: Limits) -> None:
    """Keep a methemoglobin result; an amendment replaces what stands under its id."""
    if lab.code != METHEMOGLOBIN:
        return
    known = patient.labs.get(lab.id)
    if known is not None and not _replaces(lab, known):
        return
    course = patient.course
    had_check = course is not None and first_check(patient, course, limits) is not None
    patient.labs[lab.id] = LabState(lab.time, lab.resulted, lab.value_pct, lab.withdrawn)
    if course is not None and had_check and first_check(patient, course, limits) is None:
        course.methb_withdrawn = at
    while len(patient.labs) > MAX_KEPT:
        oldest = min(patient.labs, key=lambda key: patient.labs[key].time)
        del patient.labs[oldest]


def _replaces(lab: Lab, known: LabState) -> bool:
    """Whether a result is the newer word under its id; a withdrawal is not undone by an older one.

    Where the times of the results do not say, only an amendment brings a withdrawn result back.
    """
    if lab.resulted is not None and known.resulted is not None and lab.resulted != known.resulted:
        return lab.resulted > known.resulted
    return lab.withdrawn or not known.withdrawn or lab.status == "amended"


def is_repeat(patient: PatientState, event: Lab | Course | Action) -> bool:
    """Whether the very same record has been taken before; notes it when not."""
    name = blake2b(encode(event), digest_size=8).hexdigest()
    if name in patient.seen:
        return True
    patient.seen = (*patient.seen[1 - MAX_KEPT :], name)
    return False


def take_course(patient: PatientState, course: Course, at: datetime) -> None:
    """Fold a record that arrives at ``at`` into the context: the newest word on a field stands."""
    context = patient.context
    for name in (
        "born",
        "gestational_age",
        "indication",
        "payer",
        "profile",
        "oxygenation_index",
        "dose_order",
    ):
        value = getattr(course, name)
        if value is not None and _is_newest(context.said, name, course.time):
            if getattr(context, name) != value:
                context.arrived[name] = at
            setattr(context, name, value)
    if course.flags is not None:
        flags = {name: getattr(context.flags, name) for name in Flags.__struct_fields__}
        for name in Flags.__struct_fields__:
            value = getattr(course.flags, name)
            if value is not None and _is_newest(context.said, f"flags.{name}", course.time):
                if flags[name] != value:
                    context.arrived[f"flags.{name}"] = at
                flags[name] = value
        context.flags = Flags(**flags)
    if patient.sample_time is None or course.time > patient.sample_time:
        patient.unit, patient.bed = course.unit or patient.unit, course.bed or patient.bed


def _is_newest(said: dict[str, datetime], name: str, time: datetime) -> bool:
    if name in said and time < said[name]:
        return False
    said[name] = time
    return True


def take_action(patient: PatientState, action: Action) -> None:
    """Apply what a person did, as far as it changes the therapy."""
    course = patient.course
    if course is None and action.action == "close-course":
        # It had ended by itself; nothing under way may bring it back now.
        patient.lapsed, patient.closed = None, action.time
    if course is None:
        return
    match action.action:
        case "plan-stop":
            if action.time not in course.planned:
                course.planned = tuple(sorted((*course.planned, action.time))[-MAX_KEPT:])
        case "resume":
            course.unplanned = max(action.time, course.unplanned or action.time)
        case "review":
            over = patient.tracks.get(course_over_14_days.NAME)
            opened = over.open if over is not None else None
            before = patient.reviewed
            if action.rule == course_over_14_days.NAME and (opened or before):
                patient.reviewed = max(action.time, before or action.time)
