"""From conditions to transitions: hold times, deadlines, escalation, one occurrence a rule.

Keeps the tracks of a patient and nothing else. ``observe`` and ``rearm`` take in what a rule sees,
``next_turn`` finds what falls due first, ``turn`` lets it happen, ``end`` closes what cannot go on.
Each returns the transitions that follow. It knows no rule's meaning, no clock, no Faust.
"""

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from alerts.limits import Limits
from alerts.reasons import WORDS, Reason
from alerts.rule import (
    SUSPENDED,
    Armed,
    CountedRule,
    DeadlineRule,
    Ended,
    Levels,
    Quiet,
    Rule,
    SampledRule,
    Silent,
)
from schemas.alert import Alert, Phase, Priority, place, rank
from schemas.state import Occurrence, PatientState, TierState, Track
from schemas.telemetry import Telemetry


class _Case(NamedTuple):
    """One rule, one patient, and the numbers to judge by."""

    rule: Rule
    patient: PatientState
    limits: Limits


class Turn(NamedTuple):
    """A running hold or deadline that is over at ``at``."""

    at: datetime
    strict: bool
    rule: Rule


def alert_id(rule: str, patient: str, course: datetime | None, onset: datetime) -> str:
    """The occurrence's name: the same rule, patient, course and onset give the same one."""
    parts = (rule, patient, course.isoformat() if course else "", onset.isoformat())
    return blake2b("|".join(parts).encode(), digest_size=16).hexdigest()


def observe(
    rule: SampledRule, patient: PatientState, sample: Telemetry, limits: Limits
) -> list[Alert]:
    """Take one sample into the holds of a sampled rule."""
    reading = rule.read(patient, sample, limits)
    track = patient.tracks.get(rule.name)
    if isinstance(reading, Ended):
        return end(rule, patient, limits, reading.reason, sample.time)
    if isinstance(reading, Silent):
        if reading is SUSPENDED:
            for state in track.tiers if track else ():
                state.since = state.due = None
        return []
    _hold(rule, patient, limits, reading, sample.time)
    return []


def reconsider(rule: SampledRule, patient: PatientState, limits: Limits, at: datetime) -> None:
    """The context or the limits have changed: judge what stands as if a sample had said it."""
    course = patient.course
    if rule.levels is not None and course is not None and course.counting:
        _hold(rule, patient, limits, rule.levels(patient, limits, at), at)


def count(
    rule: CountedRule, patient: PatientState, limits: Limits, at: datetime, *, often: bool
) -> list[Alert]:
    """Something that is counted has come at ``at``; ``often``: often enough for its condition.

    From then on the contrary holds, until it comes again.
    """
    told = _turned(rule, patient, limits, at)
    track = patient.tracks.get(rule.name)
    if often or (track is not None and track.open is not None):
        tiers = len(rule.tiers(limits))
        _hold(rule, patient, limits, Levels((True,) * tiers), at)
        told += _turned(rule, patient, limits, at)
        _hold(rule, patient, limits, Levels((False,) * tiers), at)
    return told


def _turned(rule: CountedRule, patient: PatientState, limits: Limits, at: datetime) -> list[Alert]:
    """Let happen what is due for one rule by ``at``."""
    told: list[Alert] = []
    while due := [one for one in next_turn(patient, (rule,)) if one.at <= at]:
        told += turn(min(due, key=lambda one: one.at), patient, limits)
    return told


def _hold(
    rule: SampledRule | CountedRule,
    patient: PatientState,
    limits: Limits,
    levels: Levels,
    at: datetime,
) -> None:
    """Start, keep or drop the hold of each tier."""
    track = patient.tracks.get(rule.name)
    if track is None:
        if not any(levels.true):
            return
        track = patient.tracks[rule.name] = Track(tuple(TierState() for _ in levels.true))
    for tier, state, true in zip(rule.tiers(limits), track.tiers, levels.true, strict=True):
        if true == state.active:
            state.since = state.due = None
        elif state.since is None:
            state.since = at
            state.due = at + (tier.hold if true else tier.clear_hold)


def rearm(rule: DeadlineRule, patient: PatientState, limits: Limits, at: datetime) -> list[Alert]:
    """Bring the deadlines of a rule up to the patient's state; ``at`` is when that changed."""
    watch = rule.watch(patient, limits)
    if isinstance(watch, Quiet):
        return end(rule, patient, limits, watch.reason, at)
    track = patient.tracks.setdefault(rule.name, Track(()))
    more = len(watch.stages) - len(track.tiers)
    if more > 0:
        track.tiers += tuple(TierState() for _ in range(more))
    for state in track.tiers[len(watch.stages) :]:
        state.active, state.fired, state.since, state.due = False, None, None, None
    for state, stage in zip(track.tiers, watch.stages, strict=False):
        if state.fired is not None and stage.at <= state.fired:
            continue
        state.active, state.fired = False, None
        state.since, state.due, state.strict = stage.onset or stage.at, stage.at, stage.strict
    return _transitions(_Case(rule, patient, limits), track, watch.otherwise, at)


def next_turn(patient: PatientState, rules: tuple[Rule, ...]) -> list[Turn]:
    """Everything that runs for the patient, in the order of the rules."""
    return [
        Turn(state.due, state.strict, rule)
        for rule in rules
        if (track := patient.tracks.get(rule.name)) is not None
        for state in track.tiers
        if state.due is not None
    ]


def turn(due: Turn, patient: PatientState, limits: Limits) -> list[Alert]:
    """Let what is due happen: every tier of the rule that turns at that instant turns together."""
    track = patient.tracks[due.rule.name]
    for state in track.tiers:
        if state.due != due.at or state.strict != due.strict:
            continue
        state.active = not state.active
        state.fired = due.at if isinstance(due.rule, DeadlineRule) else None
        state.due = None
    over = due.rule.otherwise if isinstance(due.rule, CountedRule) else "back-in-range"
    told = _transitions(_Case(due.rule, patient, limits), track, over, due.at)
    for state in track.tiers:
        if state.due is None:
            state.since = None
    return told


def end(
    rule: Rule, patient: PatientState, limits: Limits, reason: Reason, at: datetime
) -> list[Alert]:
    """Stop everything that runs for the rule and clear what is open."""
    track = patient.tracks.get(rule.name)
    if track is None:
        return []
    for state in track.tiers:
        state.active = False
        state.since = state.due = state.fired = None
    cleared = _transitions(_Case(rule, patient, limits), track, reason, at)
    if track.cleared is None:
        del patient.tracks[rule.name]
    return cleared


def _priority(case: _Case, track: Track) -> Priority | None:
    """The priority of the highest tier that holds; ``None`` when none does."""
    rule, patient, limits = case
    if not any(state.active for state in track.tiers):
        return None
    if isinstance(rule, SampledRule | CountedRule):
        priorities = [tier.priority for tier in rule.tiers(limits)]
    else:
        watch = rule.watch(patient, limits)
        priorities = [stage.priority for stage in watch.stages] if isinstance(watch, Armed) else []
    held = [p for p, state in zip(priorities, track.tiers, strict=False) if state.active]
    return max(held, key=rank, default=None)


def _transitions(case: _Case, track: Track, clear_reason: Reason, at: datetime) -> list[Alert]:
    """Compare the tiers that hold with the occurrence that is open, and tell the difference."""
    now = _priority(case, track)
    occurrence = track.open
    if occurrence is None:
        return [] if now is None else [_raised(case, track, now, at)]
    if now == occurrence.priority:
        return []
    # What arrives late cannot be told as earlier than what was told before it.
    occurrence.at = max(at, occurrence.at)
    if now is None:
        track.open, track.cleared = None, occurrence.at
        words = f"{case.rule.title}: over, {WORDS[clear_reason]}"
        return [_alert(case, occurrence, "cleared", clear_reason, words)]
    phase: Phase = "escalated" if rank(now) > rank(occurrence.priority) else "deescalated"
    occurrence.priority = now
    return [_found(case, occurrence, phase)]


def _raised(case: _Case, track: Track, now: Priority, at: datetime) -> Alert:
    patient = case.patient
    onset = min(state.since for state in track.tiers if state.active and state.since)
    if track.cleared is not None and onset <= track.cleared:
        # Never the onset of the one before, which is no later than its own end.
        onset = track.cleared + timedelta(microseconds=1)
        at = max(at, onset)
    of_course = not isinstance(case.rule, CountedRule)
    course = patient.course.start if patient.course and of_course else None
    track.open = Occurrence(
        id=alert_id(case.rule.name, patient.patient, course, onset),
        onset=onset,
        at=at,
        priority=now,
        course=course,
        device=patient.device,
        summary="",
    )
    return _found(case, track.open, "raised")


def _found(case: _Case, occurrence: Occurrence, phase: Phase) -> Alert:
    """A transition with what the rule finds now."""
    finding = case.rule.finding(case.patient, case.limits, occurrence.at)
    occurrence.limit, occurrence.source = finding.limit, finding.source
    occurrence.unit_of_measure = finding.unit_of_measure
    occurrence.device = finding.device or occurrence.device
    told = _alert(case, occurrence, phase, finding.reason, finding.summary, finding.value)
    occurrence.summary = told.summary
    return told


def _alert(  # noqa: PLR0913, PLR0917 - the parts of a transition that differ, each once
    case: _Case,
    occurrence: Occurrence,
    phase: Phase,
    reason: Reason,
    words: str,
    value: float | None = None,
) -> Alert:
    patient, limits = case.patient, case.limits
    return Alert(
        id=occurrence.id,
        rule=case.rule.name,
        phase=phase,
        priority=occurrence.priority,
        onset=occurrence.onset,
        at=occurrence.at,
        patient=patient.patient,
        unit=patient.unit,
        bed=patient.bed,
        device=occurrence.device,
        course=occurrence.course,
        summary=f"{place(patient.bed, patient.unit)}: {words}",
        value=value,
        limit=occurrence.limit,
        unit_of_measure=occurrence.unit_of_measure,
        reason=reason,
        profile=limits.name,
        rules_version=limits.rules_version,
        source=occurrence.source,
    )
