"""What no schema can say of a scenario: that its parts make sense together.

Looks at each part that the schema has found sound, and yields all faults at once. Judges no rule.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from schemas.decode import EARLIEST, LATEST
from schemas.rejected import Rejected
from schemas.span import parse_span
from streams.door import admit
from streams.scenario.nodes import Where
from streams.scenario.timeline import Expected, Json, Moment, Scenario, patients_of, records_of

Found = Iterator[tuple[Where, str]]
Sound = Callable[[Where], bool]

_SAYINGS = (
    ("gives", "mode", "silent"),
    ("sample",),
    ("refused",),
    ("lab",),
    ("course",),
    ("action",),
    ("tick",),
)
"""An entry says one of these; of the first, ``gives`` and ``mode`` may stand together."""
_ALL_SAYINGS = tuple(key for keys in _SAYINGS for key in keys)
_QUALIFIES: Mapping[str, tuple[str, ...]] = {
    "device": ("gives", "mode", "silent", "sample", "refused"),
    "with": ("gives", "mode"),
    "cycle": ("gives", "mode"),
    "time": ("sample", "refused"),
}
"""Key of an entry, and the keys of which one must stand beside it."""


def senseless(document: Json, sound: Sound) -> Found:
    """Yield the place and the reason of all that cannot be meant.

    ``document`` is a scenario as plain values; ``sound`` says whether a part has no fault yet.
    """
    if not all(sound((key,)) for key in _FRAME):
        return
    frame = {key: document[key] for key in _FRAME if key in document}
    scenario = msgspec.convert(_EMPTY | frame, Scenario)
    if not EARLIEST <= scenario.start <= LATEST:
        yield ("start",), f"must be from {EARLIEST.year} to {LATEST.year}"
    elif not parse_span(scenario.every):
        yield ("every",), "must be longer than 0"
    else:
        yield from _timeline(document.get("timeline"), scenario, sound)
        yield from _expect(document.get("expect"), document.get("only"), scenario, sound)


_FRAME = ("start", "until", "every", "profile")
_EMPTY: Json = {"scenario": "", "source": "", "timeline": [], "expect": []}


def _timeline(entries: Any, scenario: Scenario, sound: Sound) -> Found:
    if entries == []:
        yield ("timeline",), "is empty: there would be nothing to judge"
    reached: dict[tuple[str, str], timedelta] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        where: Where = ("timeline", number)
        if not sound(where):
            continue
        moment = msgspec.convert(entry, Moment)
        faults = [*_sayings(entry, where), *_within(moment.at, scenario, (*where, "at"))]
        at = parse_span(moment.at)
        if not faults and any(_says(entry, key) for key in _SAYINGS[0]):
            for patient in patients_of(moment):
                if at < reached.get((patient, moment.device), at):
                    why = f"is before the entry above it of {moment.device} at {patient}"
                    faults.append(((*where, "at"), why))
                reached[patient, moment.device] = at
        yield from faults or _refused(scenario, moment, where)


def _says(entry: Mapping[str, Any], key: str) -> bool:
    return entry.get(key) is not None and entry[key] is not False


def _sayings(entry: Json, where: Where) -> Found:
    """An entry says one thing, and nothing that goes with another."""
    said = [keys for keys in _SAYINGS if any(_says(entry, key) for key in keys)]
    if not said:
        yield where, f"says nothing: one of {', '.join(_ALL_SAYINGS)} is needed"
    if len(said) > 1:
        words = [key for keys in said for key in keys if _says(entry, key)]
        yield where, f"says {' and '.join(words)}: make entries of their own"
    if _says(entry, "silent") and (_says(entry, "gives") or _says(entry, "mode")):
        yield (*where, "silent"), "a silent device gives nothing and has no mode"
    if "patient" in entry and "patients" in entry:
        yield (*where, "patients"), "stands beside patient, and only one of them can be meant"
    for key in entry.get("with", {}).keys() & entry.get("cycle", {}).keys():
        yield (*where, "cycle", key), "stands in with too, and only one of them can be meant"
    for key, others in _QUALIFIES.items():
        if key in entry and said and not any(_says(entry, other) for other in others):
            yield (*where, key), f"goes with {', '.join(others)} only"


def _refused(scenario: Scenario, moment: Moment, where: Where) -> Found:
    """What the product would not take at its front door, it takes here only where it says so."""
    alone = msgspec.structs.replace(scenario, timeline=[moment])
    record = next(records_of(alone), None)
    if record is None:
        return
    answer = admit(msgspec.json.encode(record))
    if isinstance(answer, Rejected) and moment.refused is None:
        yield where, f"would be refused as {answer.reason}: {answer.detail}"
    if not isinstance(answer, Rejected) and moment.refused is not None:
        yield (*where, "refused"), "would be taken: write it as a sample"


def _expect(entries: Any, only: Any, scenario: Scenario, sound: Sound) -> Found:
    looked_at = only if only and sound(("only",)) else None
    reached = timedelta()
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        where: Where = ("expect", number)
        if not sound(where):
            continue
        expected = msgspec.convert(entry, Expected)
        at = parse_span(expected.at)
        yield from _within(expected.at, scenario, (*where, "at"))
        if at < reached:
            yield (*where, "at"), "is before the entry above it: write them in the order of time"
        reached = max(reached, at)
        if expected.onset is not None and parse_span(expected.onset) > at:
            yield (*where, "onset"), "is later than at"
        if looked_at is not None and expected.rule not in looked_at:
            yield (*where, "rule"), "is not among only, so it would not be looked at"


def _within(at: str | int, scenario: Scenario, where: Where) -> Found:
    if parse_span(at) > parse_span(scenario.until):
        yield where, f"is beyond until ({scenario.until})"
