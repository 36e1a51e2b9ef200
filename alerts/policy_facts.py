"""The facts that a criterion may rest on: what is recorded of a patient and a course, in words.

A fact that is not recorded has no value and says so; nothing is assumed in its place. Knows no
policy.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from alerts.policy import Value
from schemas.course import Flags
from schemas.gestational_age import gestational_age_days
from schemas.span import write_span
from schemas.state import Context

FLAGS = {
    "cdh": "congenital diaphragmatic hernia",
    "right_to_left_shunt_dependent": "dependence on a right-to-left shunt",
    "lv_dysfunction": "left ventricular dysfunction",
    "echo_confirmed_ph": "pulmonary hypertension on echo",
    "conventional_therapy_failed": "failure of conventional therapy",
    "no_donor_drug": "another nitric oxide donor",
    "ecmo": "ECMO",
}
"""What each flag of the context says, when it is true."""

Measure = Literal["gestation", "span", "number", "indication", "flag"]
"""What kind of value a fact has, and so what it can be compared with."""

MEASURES: dict[str, Measure] = {
    "gestational_age": "gestation",
    "age_at_start": "span",
    "time_on_therapy": "span",
    "responded": "flag",
    "time_without_response": "span",
    "indication": "indication",
    "oxygenation_index": "number",
    "fio2_pct": "number",
    "spo2_pct": "number",
    "initiation": "flag",
    **dict.fromkeys(FLAGS, "flag"),
}
"""Every fact by its name. ``initiation`` is whether the stage before was met."""

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
NOT_RECORDED = "not recorded"


class Fact(NamedTuple):
    """``value`` is ``None`` when it is unknown; ``says`` is the value, or why there is none."""

    label: str
    value: Value | None
    says: str

    @property
    def words(self) -> str:
        """Name and value: ``gestational age at birth: 33w6d``."""
        return f"{self.label}: {self.says}"


Facts = dict[str, Fact]


class SoFar(NamedTuple):
    """How a course went until it is looked at: times on therapy, the last known readings.

    ``response`` is how long after the start the first improvement or lowering of the dose came;
    ``measured``: whether anything was read by which an improvement could be known.
    """

    elapsed: timedelta
    delivered: timedelta
    fio2_pct: float | None = None
    spo2_pct: float | None = None
    response: timedelta | None = None
    measured: bool = False


def facts_of(context: Context, start: datetime | None, so_far: SoFar | None = None) -> Facts:
    """Every fact of a patient whose course began at ``start``."""
    facts = {
        "gestational_age": _gestational_age(context.gestational_age),
        "age_at_start": _age(context.born, start),
        "time_on_therapy": _time_on_therapy(so_far),
        "responded": _responded(so_far),
        "time_without_response": _time_without_response(so_far),
        "indication": Fact("indication", context.indication, context.indication or NOT_RECORDED),
        "oxygenation_index": _number("oxygenation index", context.oxygenation_index, ""),
        "fio2_pct": _number("FiO2", so_far.fio2_pct if so_far else None, " %"),
        "spo2_pct": _number("SpO2", so_far.spo2_pct if so_far else None, " %"),
        "initiation": Fact("criteria of initiation", None, "not judged yet"),
    }
    return facts | dict(_flags(context.flags))


def _gestational_age(written: str | float | None) -> Fact:
    label = "gestational age at birth"
    days = NOT_RECORDED if written is None else gestational_age_days(written)
    if not isinstance(days, int):
        return Fact(label, None, days)
    weeks, rest = divmod(days, 7)
    return Fact(label, timedelta(days=days), f"{weeks}w{rest}d")


def _age(born: datetime | None, start: datetime | None) -> Fact:
    label = "age at the start"
    if born is None:
        return Fact(label, None, NOT_RECORDED)
    if start is None:
        return Fact(label, None, "no course has begun")
    if born > start:
        return Fact(label, None, "recorded as born after it")
    age = start - born
    return Fact(label, age, write_span(age // _MINUTE * _MINUTE))


def _time_on_therapy(so_far: SoFar | None) -> Fact:
    label = "time on therapy"
    if so_far is None:
        return Fact(label, None, "no course has begun")
    says = f"{_begun(so_far.elapsed)} elapsed, {_begun(so_far.delivered)} delivered"
    # As in course-over-14-days: whichever of the two is first past the limit.
    return Fact(label, max(so_far.elapsed, so_far.delivered), says)


def _responded(so_far: SoFar | None) -> Fact:
    """Not yet is unknown: it may still come, and until when is not for a fact to say."""
    label = "improvement or taper"
    if so_far is None or so_far.response is None:
        return Fact(label, None, "none recorded")
    return Fact(label, True, f"after {_begun(so_far.response)}")


def _time_without_response(so_far: SoFar | None) -> Fact:
    """Once there was one it is told in the same words as ``responded``, so that it is told once."""
    if so_far is not None and so_far.response is not None:
        return _responded(so_far)._replace(value=so_far.response)
    label = "time without improvement or taper"
    if so_far is None or not so_far.measured:
        return Fact(label, None, "not measured")
    return Fact(label, so_far.elapsed, _begun(so_far.elapsed))


def _begun(span: timedelta) -> str:
    """Begun minutes count, so that what is past a limit never reads as if it were at it.

    Below a minute begun seconds do.
    """
    step = _MINUTE if span >= _MINUTE else _SECOND
    return write_span(-(-span // step) * step)


def _number(label: str, value: float | None, unit: str) -> Fact:
    return Fact(label, value, NOT_RECORDED if value is None else f"{value:g}{unit}")


def _flags(flags: Flags) -> Iterator[tuple[str, Fact]]:
    for name, label in FLAGS.items():
        value = getattr(flags, name)
        says = NOT_RECORDED if value is None else "present" if value else "absent"
        yield name, Fact(label, value, says)
