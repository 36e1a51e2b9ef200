"""Bytes to an event, or to the reason why not. The only door into the product.

``decode`` never raises and never guesses: what it returns is a record that keeps every promise of
its type, or a ``Rejected`` that says which promise was broken. It does not know Kafka or files.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from schemas.action import Action, CloseReason
from schemas.course import Course
from schemas.gestational_age import gestational_age_days
from schemas.lab import Lab
from schemas.rejected import Reason, Rejected
from schemas.telemetry import Telemetry
from schemas.tick import Tick
from schemas.unit import UnitRecord

Own = Tick | UnitRecord
"""What the product itself sends through the inputs; it may stand on every one of them."""
Event = Telemetry | Lab | Course | Action | Own
Kind = Literal["telemetry", "lab", "course", "action"]

MAX_RECORD_BYTES = 64 * 1024
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond it deadlines could not be counted any more."""
FOREVER = datetime.max.replace(tzinfo=UTC)
LEAD = timedelta(minutes=2)
"""How far a device's clock may run ahead before its samples are refused."""

_ANY = msgspec.json.Decoder(Event)
_OWN = msgspec.json.Decoder(Own)
_ONE: dict[Kind, msgspec.json.Decoder[Any]] = {
    "telemetry": msgspec.json.Decoder(Telemetry),
    "lab": msgspec.json.Decoder(Lab),
    "course": msgspec.json.Decoder(Course),
    "action": msgspec.json.Decoder(Action),
}
_CLOSE_REASONS = CloseReason.__args__  # type: ignore[attr-defined] # a Literal keeps its words there
_NEEDS = {
    "acknowledge": ("alert",),
    "silence": ("rule", "until", "reason"),
    "unsilence": (),
    "plan-stop": ("reason",),
    "resume": (),
    "review": ("rule", "reason"),
    "close-course": ("reason",),
}
_NOT_FINITE = re.compile(rb"[:,\[]\s*-?(?:NaN|Infinity)")

# How msgspec words what it refuses, most telling first. A test holds each wording.
_WORDINGS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"missing required field"), "missing-field"),
    (re.compile(r"Invalid value .* at `\$\.type`"), "unknown-type"),
    (re.compile(r"Invalid enum value"), "unknown-value"),
    (re.compile(r"Expected `datetime` with a timezone"), "time-without-offset"),
    (re.compile(r"Invalid RFC3339"), "bad-time"),
    (re.compile(r"matching regex"), "not-a-pseudonym"),
    (re.compile(r"out of range|[<>]=? |of length"), "out-of-range"),
    (re.compile(r"Expected `object`, got .*[^`$]$|Expected `object`, got `\w+`$"), "not-an-object"),
)


def decode(raw: bytes, kind: Kind | None = None, now: datetime | None = None) -> Event | Rejected:
    """Read one record.

    ``kind`` is the type that its topic carries; without it the record must name its own.
    ``now`` is the wall clock where there is one: nothing may be more than 2 min ahead of it.
    """
    if len(raw) > MAX_RECORD_BYTES:
        return Rejected("too-large", f"{len(raw)} bytes; at most {MAX_RECORD_BYTES} are taken")
    try:
        if not raw.isascii():
            raw.decode()  # what is in unknown fields is not looked at otherwise
        event: Event = _ANY.decode(raw) if kind is None else _ONE[kind].decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as refusal:
        return _second_look(raw, kind, now, refusal)
    # The common case, without a further call.
    if type(event) is Telemetry and event.time.tzinfo is UTC:
        latest = LATEST if now is None else now + LEAD
        if EARLIEST <= event.time <= latest:
            return event
    return _examined(event, now)


def _second_look(
    raw: bytes, kind: Kind | None, now: datetime | None, refusal: Exception
) -> Event | Rejected:
    """What is the product's own may stand on every topic; anything else gets its reason."""
    rejected = _reason_of(raw, refusal)
    if kind is None or rejected.reason != "unknown-type":
        return rejected
    try:
        return _examined(_OWN.decode(raw), now)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as second:
        if "`$.type`" not in str(second):
            return _reason_of(raw, second)
    return Rejected("wrong-topic", f"this topic carries {kind} and tick records: {refusal}")


def _reason_of(raw: bytes, refusal: Exception) -> Rejected:
    detail = str(refusal)
    if isinstance(refusal, msgspec.ValidationError):
        for wording, reason in _WORDINGS:
            if wording.search(detail):
                return Rejected(reason, detail)
        return Rejected("wrong-type", detail)
    if _NOT_FINITE.search(raw):
        return Rejected("not-a-number", "NaN and Infinity are no measurements; leave the field out")
    try:
        raw.decode()
    except UnicodeDecodeError as wrong:
        return Rejected("not-utf8", str(wrong))
    return Rejected("not-json", detail)


def _examined(event: Event, now: datetime | None) -> Event | Rejected:
    """What a type cannot say: plausible times, and fields that depend on one another."""
    time = event.time
    implausible = _implausible("time", time, now)
    if implausible is not None:
        return implausible
    if time.tzinfo is not UTC:
        event = msgspec.structs.replace(event, time=time.astimezone(UTC))
    match event:
        case Lab():
            return _examined_lab(event, now)
        case Course():
            return _examined_course(event)
        case Action():
            return _examined_action(event)
    return event


def _implausible(name: str, time: datetime, now: datetime | None) -> Rejected | None:
    if time < EARLIEST:
        return Rejected("before-2015", f"{name} {time.isoformat()} is before 2015")
    if time > LATEST:
        return Rejected("bad-time", f"{name} {time.isoformat()} is after {LATEST.year}")
    if now is not None and time > now + LEAD:
        ahead_s = (time - now).total_seconds()
        return Rejected("from-the-future", f"{name} is {ahead_s:.0f} s ahead of the clock")
    return None


def _examined_lab(lab: Lab, now: datetime | None) -> Lab | Rejected:
    if lab.resulted is not None:
        implausible = _implausible("resulted", lab.resulted, now)
        if implausible is not None:
            return implausible
        lab = msgspec.structs.replace(lab, resulted=lab.resulted.astimezone(UTC))
    if lab.withdrawn:
        return lab
    if lab.value is None or lab.unit is None:
        missing = "value" if lab.value is None else "unit"
        return Rejected("missing-field", f"a {lab.status} result needs its {missing}")
    most = 1 if lab.unit == "1" else 100
    if lab.value > most:
        return Rejected("out-of-range", f"{lab.value} with unit {lab.unit}: at most {most}")
    return lab


def _examined_course(course: Course) -> Course | Rejected:
    if course.gestational_age is not None:
        days = gestational_age_days(course.gestational_age)
        if not isinstance(days, int):
            written = f"gestational age {course.gestational_age!r}"
            return Rejected(days, f"{written}: write weeks and days, for example 36w2d")
    order = course.dose_order
    if order is not None:
        if order.until < EARLIEST:
            return Rejected("before-2015", "the dose order's end is before 2015")
        utc = msgspec.structs.replace(order, until=_in_utc(order.until))
        course = msgspec.structs.replace(course, dose_order=utc)
    return course


def _examined_action(action: Action) -> Action | Rejected:
    for field in _NEEDS[action.action]:
        if getattr(action, field) in (None, ""):
            return Rejected("missing-field", f"{action.action} needs {field}")
    if action.action == "close-course" and action.reason not in _CLOSE_REASONS:
        words = ", ".join(_CLOSE_REASONS)
        return Rejected("unknown-value", f"close-course: reason is one of {words}")
    if action.until is not None:
        if action.until < EARLIEST:
            return Rejected("before-2015", "until is before 2015")
        return msgspec.structs.replace(action, until=_in_utc(action.until))
    return action


def _in_utc(until: datetime) -> datetime:
    """Write an end in UTC; one at the end of all time, which people write for *for ever*, too."""
    try:
        return until.astimezone(UTC)
    except OverflowError:
        return FOREVER
