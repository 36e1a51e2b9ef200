"""What payers and the label ask of a course, answered inside SQL: the policies are data, read once.

Gives the database one function, ``policy_answers``. It takes what is known of a course as JSON and
returns an answer for each policy that applies, by the same criteria as ``inowatch policy``. Pure:
the same facts give the same answers. No verdict on care: at worst *review needed*.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec
from msgspec import Struct

from alerts.criteria import PathwayAnswer, StageAnswer, hold
from alerts.policy_facts import SoFar, facts_of
from alerts.policy_reading import load_policies
from schemas.course import Flags, Indication
from schemas.state import Context

NAME = "policy_answers"
_TAKES = "VARCHAR"
_GIVES = (
    "STRUCT(policy VARCHAR, kind VARCHAR, version VARCHAR, effective VARCHAR,"
    " result VARCHAR, initiation VARCHAR, continuation VARCHAR, reason VARCHAR)[]"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Known(Struct, frozen=True, kw_only=True):
    """What the store holds of one course; times in microseconds since 1970, spans too."""

    start_us: int
    elapsed_us: int
    delivered_us: int
    response_us: int | None
    measured: bool
    fio2_pct: float | None
    spo2_pct: float | None
    born_us: int | None
    gestational_age: str | None
    indication: Indication | None
    payer: str | None
    oxygenation_index: float | None
    flags: Flags


_KNOWN = msgspec.json.Decoder(Known)


def register(con: duckdb.DuckDBPyConnection) -> None:
    """Give the database ``policy_answers(json)``: a list of one answer a policy."""
    con.create_function(NAME, policy_answers, [_TAKES], _GIVES)


def policy_answers(known: str) -> list[dict[str, Any]]:
    """Hold every policy that applies against what is known of a course."""
    course = _KNOWN.decode(known)
    start = _EPOCH + timedelta(microseconds=course.start_us)
    context = Context(
        born=None if course.born_us is None else _EPOCH + timedelta(microseconds=course.born_us),
        gestational_age=course.gestational_age,
        indication=course.indication,
        payer=course.payer,
        oxygenation_index=course.oxygenation_index,
        flags=course.flags,
    )
    response = course.response_us
    so_far = SoFar(
        elapsed=timedelta(microseconds=course.elapsed_us),
        delivered=timedelta(microseconds=course.delivered_us),
        fio2_pct=course.fio2_pct,
        spo2_pct=course.spo2_pct,
        response=None if response is None else timedelta(microseconds=response),
        measured=course.measured,
    )
    facts = facts_of(context, start, so_far)
    answers = [hold(one, facts) for one in load_policies() if one.applies_to(course.payer)]
    return [
        {
            "policy": answer.name,
            "kind": answer.kind,
            "version": answer.version,
            "effective": answer.effective.isoformat(),
            "result": answer.overall,
            "initiation": _state(answer.stages, "initiation"),
            "continuation": _state(answer.stages, "continuation"),
            "reason": "; ".join(words for stage in answer.stages for words in _open(stage)),
        }
        for answer in answers
    ]


def _state(stages: tuple[StageAnswer, ...], name: str) -> str | None:
    return next((stage.state for stage in stages if stage.stage == name), None)


def _open(stage: StageAnswer) -> list[str]:
    """What stands between the stage and *met*, of the pathways that may be this patient's."""
    if stage.state == "met":
        return []
    fitting = [pathway for pathway in stage.pathways if _may_fit(pathway)] or list(stage.pathways)
    found = [
        f"{stage.stage}, {one.state}: {one.asks} ({one.recorded})"
        for pathway in fitting
        for one in pathway.criteria
        if one.state != "met"
    ]
    return list(dict.fromkeys(found))


def _may_fit(pathway: PathwayAnswer) -> bool:
    return all(one.id != pathway.fits or one.state != "not met" for one in pathway.criteria)
