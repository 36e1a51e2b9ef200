"""Policies read from their files, checked as a whole: ``Policy`` or every fault at once.

The keys are explained in ``alerts/policies/bcbsma-100.toml``. Nothing here judges.
"""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import get_args

from alerts.policy import (
    COMBINES,
    COMPARISONS,
    KINDS,
    STAGES,
    Criterion,
    FactTest,
    InvalidPolicy,
    Pathway,
    Policy,
    Value,
    plain,
)
from alerts.policy_facts import MEASURES, Measure
from alerts.policy_table import Table
from schemas.course import Indication
from schemas.gestational_age import gestational_age_days
from schemas.span import parse_span

_INDICATIONS: tuple[str, ...] = get_args(Indication)
_FORMS: dict[Measure, str] = {
    "gestation": "a gestational age such as '34w0d'",
    "span": "a length of time such as '14 d'",
    "number": "a number",
    "indication": f"one of {', '.join(_INDICATIONS)}",
    "flag": "true or false",
}


@cache
def load_policies() -> tuple[Policy, ...]:
    """Read the policies that come with the product, by name. Raises ``InvalidPolicy``."""
    folder = files("alerts").joinpath("policies")
    found = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return policies_from({f.name: f.read_text() for f in found if f.name.endswith(".toml")})


def policies_from(texts: Mapping[str, str]) -> tuple[Policy, ...]:
    """Check policies, given as file name to TOML. Raises ``InvalidPolicy`` with every fault."""
    faults: list[str] = []
    policies: list[Policy] = []
    for file, text in texts.items():
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            faults.append(f"{file}: no TOML: {wrong}")
            continue
        found: list[str] = []
        policies.append(_policy(Table(document, "", found), file.removesuffix(".toml")))
        faults += [f"{file}: {fault}" for fault in found]
    claimed: dict[str, str] = {}
    for policy in policies:
        for payer in dict.fromkeys((policy.name, *policy.payers)):
            if claimed.setdefault(payer, policy.name) != policy.name:
                faults.append(f"{policy.name}.toml: payers: {payer!r} is {claimed[payer]}'s too")
    if faults:
        raise InvalidPolicy("\n".join(faults))
    return tuple(policies)


def _policy(table: Table, stem: str) -> Policy:
    policy = Policy(
        name=table.text("name"),
        kind=table.one_of("kind", KINDS),
        title=table.text("title"),
        version=table.text("version"),
        effective=table.day("effective"),
        source=table.text("source"),
        payers=tuple(plain(payer) for payer in table.words("payers")),
        pathways=tuple(_pathway(entry) for entry in table.tables("pathway")),
    )
    if policy.name and policy.name != stem:
        table.fault("name", f"{policy.name!r} is not the file's own")
    if bool(policy.payers) != (policy.kind == "payer"):
        table.fault("payers", "a payer's policy has some, any other has none")
    for stage in STAGES:
        ways = [pathway for pathway in policy.pathways if pathway.stage == stage]
        if len(ways) > 1 and not all(pathway.fits for pathway in ways):
            table.fault("pathway", f"of several ways to {stage} each needs its fits")
    table.close()
    return policy


def _pathway(table: Table) -> Pathway:
    pathway = Pathway(
        stage=table.one_of("stage", STAGES),
        name=table.text("name"),
        criteria=tuple(_criterion(entry) for entry in table.tables("criterion")),
        fits=table.text("fits", ""),
    )
    ids = [criterion.id for criterion in pathway.criteria]
    for twice in sorted({one for one in ids if one and ids.count(one) > 1}):
        table.fault("criterion", f"the id {twice!r} is there twice")
    if pathway.fits and pathway.fits not in ids:
        table.fault("fits", f"no criterion has the id {pathway.fits!r}")
    table.close()
    return pathway


def _criterion(table: Table) -> Criterion:
    not_here = table.text("not_here", "")
    untested = not_here and "tests" not in table.content
    criterion = Criterion(
        id=table.text("id"),
        asks=table.text("asks"),
        reference=table.text("reference"),
        combine=table.one_of("combine", COMBINES, "all"),
        tests=() if untested else tuple(_test(entry) for entry in table.tables("tests")),
        not_here=not_here,
        watched_by=table.text("watched_by", ""),
    )
    table.close()
    return criterion


def _test(table: Table) -> FactTest:
    fact = table.text("fact")
    measure = MEASURES.get(fact)
    if fact and measure is None:
        table.fault("fact", f"{fact!r} is none of {', '.join(MEASURES)}")
    bounds = tuple(
        (name, _value(table, name, measure)) for name in COMPARISONS if name in table.content
    )
    open_at = None
    if "indeterminate_at" in table.content:
        open_at = _value(table, "indeterminate_at", measure)
    test = FactTest(
        fact=fact,
        bounds=bounds,
        indeterminate_at=open_at,
        because=table.text("because", ""),
        otherwise=table.one_of("otherwise", ("not met", "indeterminate"), "not met"),
    )
    if not bounds:
        table.fault("", f"compares with nothing: one of {', '.join(COMPARISONS)}")
    if bool(test.because) != (open_at is not None or test.otherwise == "indeterminate"):
        table.fault("because", "goes with indeterminate_at or otherwise = 'indeterminate'")
    table.close()
    return test


def _value(table: Table, key: str, measure: Measure | None) -> Value:
    """Read a bound in the measure of its fact; an unreadable one is a fault and an empty word."""
    written = table.take(key)
    if measure is None:
        return ""  # the fact is unknown, which has been said
    if key != "indeterminate_at" and (key == "is") != (measure in ("indication", "flag")):
        table.fault(key, f"is no comparison for a {measure}")
        return ""
    value = _read(measure, written)
    if value is None:
        table.fault(key, f"{written!r} is not {_FORMS[measure]}")
        return ""
    return value


def _read(measure: Measure, written: object) -> Value | None:
    match measure, written:
        case "gestation", str():
            days = gestational_age_days(written)
            return timedelta(days=days) if isinstance(days, int) else None
        case "span", str():
            with suppress(ValueError):
                return parse_span(written)
        case "number", int() | float() if not isinstance(written, bool) and isfinite(written):
            return float(written)
        case "indication", str() if written in _INDICATIONS:
            return written
        case "flag", bool():
            return written
    return None
