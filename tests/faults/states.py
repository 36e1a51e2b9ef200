"""The states of the patients, rebuilt from the changelog, against those of the oracle."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from alerts.rules import reading_frozen, telemetry_lost
from schemas.stand_in import is_unknown
from schemas.state import PatientState
from streams.lasting import MARK_KEY
from streams.packed import unpacked
from tests.faults.difference import Difference
from tests.faults.oracle import Expected
from tests.faults.stage import Row, Stage, key_of

NOT_COMPARED = frozenset(
    {
        # Where the records lie, which the oracle does not know, and what is under way.
        *("offsets", "outbox", "partition"),
        # When the clock of the partition, which moves by ticks, was seen last by this patient.
        *("clock", "lag"),
        # Short cuts: bounds from which on the rules are asked again, made anew at every look.
        *("steady", "steady_until", "band", "next_due", "quiet_until"),
    }
)
"""Fields of a patient's state that may differ without a difference in what is ever told."""


PUT_OFF = frozenset({reading_frozen.NAME, telemetry_lost.NAME})
"""Rules whose timers each steady sample puts off without writing it down: how far they stand
depends on when the rules were asked last. Compared once they have turned."""


def states(stage: Stage, oracle: Expected, *, strangers: bool) -> Difference:
    """Compare the states as the changelog has them.

    Not those of whole units: they hold what partitions told one another tick by tick. Of refused
    records their number and device, not the moment of arrival. An outbox may hold what was
    published since the last checkpoint; what it holds must be on the alerts topic. Without
    ``strangers`` those are left out that stand for whoever is not known.
    """
    newest = {(row.partition, state.patient): state for row, state in _written(stage)}
    look = Difference("states", surplus=list(_misplaced(stage, newest)))

    def facts(states: Iterable[PatientState]) -> dict[str, dict[str, Any]]:
        known = (
            s for s in states if s.silence is None and (strangers or not is_unknown(s.patient))
        )
        return {state.patient: _facts(state) for state in known}

    found, wanted = facts(newest.values()), facts(oracle.states.values())
    for patient in sorted(wanted.keys() | found.keys()):
        if wanted.get(patient) != found.get(patient):
            _differ(look, patient, wanted.get(patient), found.get(patient))
    return look


def order(stage: Stage) -> Difference:
    """No state is written over a newer one: whoever took it up would miss what lies between."""
    look = Difference("order of states")
    newest: dict[tuple[int, str], PatientState] = {}
    for row, state in _written(stage):
        place = row.partition, state.patient
        look.surplus += _backward(row, newest.get(place), state)
        newest[place] = state
    return look


def _written(stage: Stage) -> Iterator[tuple[Row, PatientState]]:
    for row in stage.rows(f"{stage.topics.prefix}-monitor-states-changelog"):
        if row.value is not None and not (row.key or b"").startswith(MARK_KEY):
            yield row, unpacked(row.value)


def _backward(row: Row, before: PatientState | None, state: PatientState) -> Iterator[str]:
    """An older state on top of a newer one: a worker that was replaced has written once more."""
    for topic, offset in before.offsets.items() if before is not None else ():
        if state.offsets.get(topic, -1) < offset:
            now = f"{state.offsets.get(topic)} after {offset}"
            at = f"{row.partition}@{row.offset}"
            yield f"{state.patient}: the changelog goes back at {at}, {topic} {now}"


def _misplaced(stage: Stage, states: dict[tuple[int, str], PatientState]) -> Iterator[str]:
    """States that lie in another partition than their own, and outboxes that were not sent."""
    told = stage.told()
    for (number, _), state in states.items():
        if state.partition != number:
            yield f"{state.patient}: of {state.partition}, lies in {number}"
        for alert in state.outbox:
            if key_of(alert) not in told:
                yield f"{state.patient}: not published: {alert.rule} {alert.phase}"


def _differ(look: Difference, name: str, wanted: Any, found: Any) -> None:
    """Note where two values differ, as deep as they are alike."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted.keys() | found.keys():
            if wanted.get(key) != found.get(key):
                _differ(look, f"{name}.{key}", wanted.get(key), found.get(key))
        return
    look.missing.append(f"{name}={wanted}"[:160])
    look.surplus.append(f"{name}={found}"[:160])


def _facts(state: PatientState) -> dict[str, Any]:
    facts = _plain(state)
    for rule, track in facts["tracks"].items():
        if rule in PUT_OFF:
            track["tiers"] = [tier if tier["active"] else None for tier in track["tiers"]]
        if track["open"] is not None:
            # Hours delivered, say, as they stood when it was decided: later, with a backlog.
            del track["open"]["summary"]
    refused = {device: len(kept) for device, kept in state.refused.items()}
    return {k: v for k, v in facts.items() if k not in NOT_COMPARED} | {"refused": refused}


def _plain(value: Any) -> Any:
    """Return a state as dictionaries, with what is as it is by default, too."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
