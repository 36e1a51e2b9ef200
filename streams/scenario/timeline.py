"""A scenario file and the records that its timeline stands for.

The format, in full (times are lengths since ``start``):

    scenario: what must hold, in one sentence
    source: where it is asked for
    start: 2026-03-01T08:00:00Z        (optional)
    profile: default                   (optional)
    every: 10 s                        (optional) how often a device sends
    until: 9 h                         how far the clock goes
    timeline:
      - at: 0
        gives: 20                      device d1 delivers 20 ppm from here on
      - at: 2 h
        mode: calibrating              ... goes into another mode
      - at: 3 h
        silent: true                   ... sends nothing any more
      - at: 4 h
        device: d2                     (with anything of a device) another device
        patient: p2                    (with anything) another patient
        patients: 40                   (with anything) all of p1 to p40 alike
        with: {no_ppm: 24.6}           (with gives or mode) further fields of its samples
        cycle: {no_ppm: [19.8, 20.1]}  (with gives or mode) fields that change from one to the next
      - at: 5 h
        sample: {mode: off}            one sample and no more, at this very moment
        time: 4 h 59 min               (with sample or refused) its own time, when it arrives late
      - at: 5 h
        refused: {mode: asleep}        one sample that cannot be taken, whatever it says
      - at: 6 h
        lab: {time: 5 h, value: 1.2, unit: "%", id: l1, status: final}
      - at: 7 h
        course: {profile: floor-2}     ``born`` is how long before ``start``
      - at: 8 h
        action: {action: plan-stop, reason: weaned}
      - at: 8 h
        tick: true                     the monitor's clock, for ticks beside the samples
    expect:                            exactly these, in the order of time; silence otherwise
      - {at: 8 h, rule: methb-first-overdue, phase: raised, priority: medium}
    only: [abrupt-stop]                (optional) expectations are about these rules alone
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import merge
from operator import itemgetter
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from alerts.profile_book import packaged
from alerts.reasons import Reason
from alerts.rules import RULES
from schemas.alert import Phase, Priority
from schemas.span import parse_span
from schemas.telemetry import Mode
from schemas.units import DeviceName, SetPpm, Time

Json = dict[str, Any]
_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_PARTS = "".join(rf"(?:{_NUMBER} *{unit} *)?" for unit in ("y", "d", "h", "min", "s"))
Span = Annotated[
    Annotated[str, Meta(pattern=f"^(?=[0-9]){_PARTS}$")] | Literal[0],
    Meta(description="a length of time such as 8 h 30 min, or 0"),
]
PatientName = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="a pseudonym of letters, digits and . _ -"),
]
AlertedName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9._-]{1,64}|[*].{1,256}|[?][0-9]{1,5})$",
        description="a pseudonym, * and a unit, or ? and a partition for nobody known",
    ),
]
PatientCount = Annotated[int, Meta(ge=1, le=1000)]
RuleName = Annotated[str, Meta(extra_json_schema={"enum": [rule.name for rule in RULES]})]
ProfileName = Annotated[str, Meta(extra_json_schema={"enum": sorted(packaged().names)})]
"""These two are known when the product runs, so the schema holds them and the type does not."""
DEFAULT_START = datetime(2026, 3, 1, 8, tzinfo=UTC)


class InvalidScenario(ValueError):
    """A scenario file that cannot be run; the message says where and why."""


class Moment(Struct, frozen=True, forbid_unknown_fields=True, rename={"with_": "with"}):
    """One entry of the timeline."""

    at: Span
    patient: PatientName = "p1"
    patients: PatientCount | None = None
    device: DeviceName = "d1"
    gives: SetPpm | None = None
    mode: Mode | None = None
    silent: bool = False
    with_: Json = {}
    cycle: dict[str, list[Any]] = {}
    sample: Json | None = None
    refused: Json | None = None
    time: Span | None = None
    lab: Json | None = None
    course: Json | None = None
    action: Json | None = None
    tick: bool = False


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """One transition that must come; what is left out is not looked at."""

    at: Span
    rule: RuleName
    phase: Phase
    priority: Priority | None = None
    reason: Reason | None = None
    patient: AlertedName | None = None
    onset: Span | None = None
    says: str | None = None


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file as it is written."""

    scenario: str
    source: str
    until: Span
    timeline: list[Moment]
    expect: list[Expected]
    start: Time = DEFAULT_START
    profile: ProfileName = "default"
    every: Span = "10 s"
    only: list[RuleName] = field(default_factory=list)


def records_of(scenario: Scenario) -> Iterator[Json]:
    """Yield the records of a scenario as JSON objects, in the order of their arrival."""
    timeline = list(_for_each_patient(scenario.timeline))
    scenario = replace(scenario, timeline=timeline)
    by_device: dict[tuple[str, str], list[Moment]] = {}
    for moment in timeline:
        if moment.gives is not None or moment.mode is not None or moment.silent:
            by_device.setdefault((moment.patient, moment.device), []).append(moment)
    streams = [_samples(scenario, moments) for moments in by_device.values()]
    singles = _singles(scenario)
    # What a person or a laboratory sends stands behind the sample of the same moment.
    for _, record in merge(*streams, singles, key=itemgetter(0)):
        yield record


def refused_of(scenario: Scenario) -> list[Json]:
    """List those of the records that are written to be refused."""
    refused = [moment for moment in scenario.timeline if moment.refused is not None]
    return list(records_of(replace(scenario, timeline=refused)))


def patients_of(moment: Moment) -> list[str]:
    """List the patients that an entry is about."""
    if moment.patients is None:
        return [moment.patient]
    return [f"p{number}" for number in range(1, moment.patients + 1)]


def _for_each_patient(timeline: list[Moment]) -> Iterator[Moment]:
    for moment in timeline:
        for patient in patients_of(moment):
            yield replace(moment, patient=patient, patients=None)


def _samples(scenario: Scenario, moments: list[Moment]) -> Iterator[tuple[timedelta, Json]]:
    every, until = parse_span(scenario.every), parse_span(scenario.until)
    starts = [parse_span(moment.at) for moment in moments]
    for moment, begin, end in zip(moments, starts, [*starts[1:], until + every], strict=True):
        at = begin
        while not moment.silent and at < end and at <= until:
            fields: Json = {"mode": moment.mode or "delivering"}
            if moment.gives is not None:
                fields["set_ppm"] = moment.gives
            number = round((at - begin) / every)
            fields |= {key: values[number % len(values)] for key, values in moment.cycle.items()}
            yield at, _sample(scenario, moment, at, fields)
            at += every


def _singles(scenario: Scenario) -> Iterator[tuple[timedelta, Json]]:
    found: list[tuple[timedelta, Json]] = []
    for number, moment in enumerate(scenario.timeline):
        at = parse_span(moment.at)
        found += _lone_sample(scenario, moment, at)
        for kind in ("lab", "course", "action"):
            content = getattr(moment, kind)
            if content is not None:
                made = _DEFAULTS[kind] | {"id": f"r{number}"} | content
                made |= {"type": kind, "patient": moment.patient}
                made["time"] = _time(scenario, parse_span(made.get("time", moment.at)))
                if kind == "lab":
                    made.setdefault("resulted", moment.at)
                made |= _timed(scenario, made)
                found.append((at, made))
        if moment.tick:
            found.append((at, {"type": "tick", "time": _time(scenario, at)}))
    return iter(sorted(found, key=itemgetter(0)))


def _timed(scenario: Scenario, made: Json) -> Json:
    """Write the lengths of time in a record as times."""
    times: Json = {
        name: _time(scenario, parse_span(made[name])) for name in LENGTHS if name in made
    }
    times |= {name: _time(scenario, -parse_span(made[name])) for name in AGES if name in made}
    order = made.get("dose_order")
    return times if order is None else times | {"dose_order": order | _timed(scenario, order)}


LENGTHS = ("resulted", "until")
"""Fields of results and acts that are written as lengths since ``start``, as ``time`` is."""
AGES = ("born",)
"""Fields of contexts that are written as lengths before ``start``."""


def _lone_sample(
    scenario: Scenario, moment: Moment, at: timedelta
) -> Iterator[tuple[timedelta, Json]]:
    fields = moment.sample if moment.sample is not None else moment.refused
    if fields is not None:
        stamped = at if moment.time is None else parse_span(moment.time)
        yield at, _sample(scenario, moment, stamped, fields)


_DEFAULTS: Mapping[str, Json] = {
    "lab": {"code": "2614-6", "unit": "%", "status": "final"},
    "course": {},
    "action": {"by": "nurse-1"},
}


def _sample(scenario: Scenario, moment: Moment, at: timedelta, fields: Json) -> Json:
    base = {
        "type": "telemetry",
        "time": _time(scenario, at),
        "device": moment.device,
        "patient": moment.patient,
        "unit": "nicu",
        "bed": f"bed {moment.patient.removeprefix('p')}",
    }
    return base | fields | moment.with_


def _time(scenario: Scenario, at: timedelta) -> str:
    return (scenario.start + at).isoformat()
