"""From conditions to transitions: hold times, deadlines, escalation, one occurrence a rule.

Keeps the tracks of a patient and nothing else. ``observe`` and ``rearm`` take in what a rule sees,
``next_turn`` finds what falls due first, ``turn`` lets it happen, ``end`` closes what cannot go on.
Each returns the transitions that follow. It knows no rule's meaning, no clock, no Faust.
"""

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from alerts.limits import Limits
from alerts.reasons import WORDS, Reason
from alerts.rule import Armed, DeadlineRule, Ended, Levels, Quiet, Rule, SampledRule, Silent
from schemas.alert import Alert, Phase, Priority, place, rank
from schemas.state import Occurrence, PatientState, TierState, Track
from schemas.telemetry import Telemetry


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
    if reading is Silent.UNKNOWN:
        return []
    if reading is Silent.SUSPENDED:
        for state in track.tiers if track else ():
            state.since = state.due = None
        return []
    assert isinstance(reading, Levels)
    if track is None:
        if not any(reading.true):
            return []
        track = patient.tracks[rule.name] = Track([TierState() for _ in reading.true])
    for tier, state, true in zip(rule.tiers(limits), track.tiers, reading.true, strict=True):
        if true == state.active:
            state.since = state.due = None
        elif state.since is None:
            state.since = sample.time
            state.due = sample.time + (tier.hold if true else tier.clear_hold)
    return []


def reconsider(rule: SampledRule, patient: PatientState, limits: Limits, at: datetime) -> None:
    """The context has changed: a hold that runs on what is no longer a hazard is dropped."""
    track = patient.tracks.get(rule.name)
    if track is None or rule.levels is None:
        return
    levels = rule.levels(patient, limits, at)
    for state, true in zip(track.tiers, levels.true, strict=True):
        if not state.active and not true:
            state.since = state.due = None


def rearm(rule: DeadlineRule, patient: PatientState, limits: Limits, at: datetime) -> list[Alert]:
    """Bring the deadlines of a rule up to the patient's state; ``at`` is when that changed."""
    watch = rule.watch(patient, limits)
    if isinstance(watch, Quiet):
        return end(rule, patient, limits, watch.reason, at)
    track = patient.tracks.setdefault(rule.name, Track([]))
    while len(track.tiers) < len(watch.stages):
        track.tiers.append(TierState())
    for state, stage in zip(track.tiers, watch.stages, strict=False):
        if state.active and state.fired is not None and stage.at <= state.fired:
            continue
        state.active, state.fired = False, None
        state.since, state.due, state.strict = stage.onset or stage.at, stage.at, stage.strict
    return _transitions(rule, patient, track, limits, watch.otherwise, at)


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
    told = _transitions(due.rule, patient, track, limits, "back-in-range", due.at)
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
    cleared = _transitions(rule, patient, track, limits, reason, at)
    del patient.tracks[rule.name]
    return cleared


def _priority(rule: Rule, patient: PatientState, track: Track, limits: Limits) -> Priority | None:
    """The priority of the highest tier that holds; ``None`` when none does."""
    if not any(state.active for state in track.tiers):
        return None
    if isinstance(rule, SampledRule):
        priorities = [tier.priority for tier in rule.tiers(limits)]
    else:
        watch = rule.watch(patient, limits)
        priorities = [stage.priority for stage in watch.stages] if isinstance(watch, Armed) else []
    held = [p for p, state in zip(priorities, track.tiers, strict=False) if state.active]
    return max(held, key=rank, default=None)


def _transitions(
    rule: Rule,
    patient: PatientState,
    track: Track,
    limits: Limits,
    clear_reason: Reason,
    at: datetime,
) -> list[Alert]:
    """Compare the tiers that hold with the occurrence that is open, and tell the difference."""
    now = _priority(rule, patient, track, limits)
    occurrence = track.open
    if occurrence is None:
        return [] if now is None else [_raised(rule, patient, track, limits, now, at)]
    if now == occurrence.priority:
        return []
    # What arrives late cannot be told as earlier than what was told before it.
    at = max(at, occurrence.at)
    if now is None:
        track.open = None
        return [_cleared(rule, patient, occurrence, limits, clear_reason, at)]
    phase: Phase = "escalated" if rank(now) > rank(occurrence.priority) else "deescalated"
    occurrence.priority, occurrence.at = now, at
    return [_told(rule, patient, occurrence, limits, phase)]


def _raised(
    rule: Rule, patient: PatientState, track: Track, limits: Limits, now: Priority, at: datetime
) -> Alert:
    onset = min(state.since for state in track.tiers if state.active and state.since)
    course = patient.course.start if patient.course else None
    track.open = Occurrence(
        id=alert_id(rule.name, patient.patient, course, onset),
        onset=onset,
        at=at,
        priority=now,
        course=course,
        device=patient.device,
        summary="",
    )
    return _told(rule, patient, track.open, limits, "raised")


def _told(
    rule: Rule, patient: PatientState, occurrence: Occurrence, limits: Limits, phase: Phase
) -> Alert:
    finding = rule.finding(patient, limits, occurrence.at)
    occurrence.summary = f"{place(patient.bed)}: {finding.summary}"
    occurrence.limit = finding.limit
    occurrence.unit_of_measure, occurrence.source = finding.unit_of_measure, finding.source
    return Alert(
        id=occurrence.id,
        rule=rule.name,
        phase=phase,
        priority=occurrence.priority,
        onset=occurrence.onset,
        at=occurrence.at,
        patient=patient.patient,
        unit=patient.unit,
        bed=patient.bed,
        device=occurrence.device,
        course=occurrence.course,
        summary=occurrence.summary,
        value=finding.value,
        limit=finding.limit,
        unit_of_measure=finding.unit_of_measure,
        reason=finding.reason,
        profile=limits.name,
        rules_version=limits.rules_version,
        source=finding.source,
    )


def _cleared(
    rule: Rule,
    patient: PatientState,
    occurrence: Occurrence,
    limits: Limits,
    reason: Reason,
    at: datetime,
) -> Alert:
    occurrence.at = at
    return Alert(
        id=occurrence.id,
        rule=rule.name,
        phase="cleared",
        priority=occurrence.priority,
        onset=occurrence.onset,
        at=at,
        patient=patient.patient,
        unit=patient.unit,
        bed=patient.bed,
        device=occurrence.device,
        course=occurrence.course,
        summary=f"{place(patient.bed)}: {rule.title}: over, {WORDS[reason]}",
        value=None,
        limit=occurrence.limit,
        unit_of_measure=occurrence.unit_of_measure,
        reason=reason,
        profile=limits.name,
        rules_version=limits.rules_version,
        source=occurrence.source,
    )
