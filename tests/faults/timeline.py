"""A ward's log from a seed: patients with a history, and what befalls them while faults are on.

Made so that what has to be told does not depend on how the input topics are interleaved, which is
not fixed: whoever's record counts only after something else says so (``settled``, ``told``), and
the ward's time waits for it.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from schemas.decode import Kind
from streams.monitor import home_of

Json = dict[str, Any]
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ZERO = datetime(2026, 3, 1, 8, tzinfo=UTC)
"""Where the live part begins, whatever the day: one seed is one log, to the byte."""
STEP = 10 * SECOND
"""Of the ward's time, and between two samples of a device."""
LIVE = 30 * MINUTE
SPARSE = 110 * SECOND
"""Between two samples of the history: often enough that nobody is silent."""


class Entry(Struct, frozen=True):
    """A record, sent at ``at`` from the zero of the live part on.

    ``settled``: only after the monitor has committed all before it. ``told``: only after the alerts
    that were due before it for this patient are on the alerts topic.
    """

    at: timedelta
    kind: Kind
    key: bytes
    raw: bytes
    settled: bool = False
    told: bool = False


class Timeline(Struct):
    """The records in the order in which they are sent; those before ``zero`` are the history."""

    seed: int
    zero: datetime
    partitions: int
    history: list[Entry]
    live: list[Entry]

    @property
    def end(self) -> datetime:
        """Where the ward's time comes to its end."""
        return self.zero + LIVE


class _Bed:
    """One patient: what is set from when on, and what else is sent."""

    def __init__(self, rng: random.Random, zero: datetime, name: str, unit: str) -> None:
        self.rng, self.zero, self.name, self.unit = rng, zero, name, unit
        self.started = rng.randint(60, 200) * MINUTE
        self.changes: list[tuple[timedelta, Json | None]] = []
        self.others: list[Entry] = []
        self.told: set[timedelta] = set()
        self.settled: set[timedelta] = set()
        self._count = 0

    def moment(self, least_min: int, most_min: int) -> timedelta:
        """Pick a moment of the live part, between two samples' grid points or on one."""
        return self.rng.randrange(least_min * 6, most_min * 6) * STEP

    def set(self, at: timedelta, **fields: Any) -> None:
        self.changes.append((at, fields))

    def entries(self) -> Iterator[Entry]:
        at = -self.started
        while at <= LIVE:
            changed = [what for since, what in self.changes if since <= at]
            fields = changed[-1] if changed else {"mode": "delivering", "set_ppm": 20.0}
            if fields:
                yield from self._sample(at, fields)
            at += SPARSE if at < -SPARSE else STEP - (at % STEP if at < timedelta() else SECOND * 0)
        yield from self.others

    def _sample(self, at: timedelta, fields: Json) -> Iterator[Entry]:
        rng, dose = self.rng, fields.get("set_ppm")
        self._count += 1
        sample = {
            "type": "telemetry",
            "time": (self.zero + at).isoformat(),
            "device": f"device-{self.name}",
            "seq": self._count,
            "patient": self.name,
            "unit": self.unit,
            "bed": self.name,
            "no2_ppm": round(rng.uniform(0.05, 0.3), 3),
            "spo2_pct": round(rng.uniform(93.0, 95.0), 1),
            "fio2_pct": round(rng.uniform(49.0, 51.0), 1),
        }
        if dose is not None:
            sample["no_ppm"] = round(dose * rng.uniform(0.97, 1.03), 2)
        made = self.entry(at, "telemetry", sample | fields)
        live = at >= timedelta()
        late = live and at not in self.told and rng.random() < 0.02
        if late:
            made = msgspec.structs.replace(made, at=at + rng.randint(1, 4) * STEP)
        yield made
        if live and rng.random() < 0.04:
            yield msgspec.structs.replace(made, at=made.at + rng.randint(0, 3) * STEP)

    def entry(self, at: timedelta, kind: Kind, what: Json, **waits: bool) -> Entry:
        waits = waits or {"told": at in self.told, "settled": at in self.settled}
        return Entry(at, kind, self.name.encode(), msgspec.json.encode(what), **waits)

    def other(self, at: timedelta, kind: Kind, what: Json, **waits: bool) -> None:
        """Add a record beside the samples."""
        named = {"type": kind, "time": (self.zero + at).isoformat(), "patient": self.name}
        ident = f"{kind}-{self.name}-{len(self.others)}"
        self.others.append(self.entry(at, kind, {**named, "id": ident, **what}, **waits))

    def poison(self, at: timedelta) -> None:
        """Add a record that is none, in one of the ways that there are."""
        whole = next(self._sample(at, {"mode": "delivering", "set_ppm": 20.0}))
        far = (self.zero + at + 2 * HOUR).isoformat()
        raw = self.rng.choice(
            [
                whole.raw[:-1],
                whole.raw.replace(b'"set_ppm":20.0', b'"set_ppm":NaN'),
                whole.raw.replace(b'"set_ppm":20.0', b'"set_ppm":2000'),
                whole.raw.replace((self.zero + at).isoformat().encode(), far.encode()),
                b'{"type":"telemetry"}',
                b"\xff\xfe" + self.rng.randbytes(8),
                whole.raw[:-1] + b',"x":"' + b"y" * 70_000 + b'"}',
            ]
        )
        self.others.append(Entry(at, "telemetry", self.name.encode(), raw))


def _overdue(bed: _Bed) -> None:
    """The first methemoglobin check is missed, at times made up for."""
    due = bed.moment(4, 22)
    bed.started = 8 * HOUR - due - bed.rng.randrange(1, 9) * SECOND
    if bed.rng.random() < 0.5:
        bed.other(due + 6 * MINUTE, "lab", _result(1.1), told=True)


def _high(bed: _Bed) -> None:
    """A dose too high, for a while or for good."""
    at = bed.moment(2, 24)
    bed.set(at, mode="delivering", set_ppm=bed.rng.choice([25.0, 45.0]))
    if bed.rng.random() < 0.6:
        bed.set(at + bed.rng.randrange(4, 24) * STEP, mode="delivering", set_ppm=20.0)


def _stop(bed: _Bed) -> None:
    """Delivery stops abruptly after more than four hours."""
    bed.started = bed.rng.randint(250, 400) * MINUTE
    bed.set(bed.moment(2, 26), mode="off", set_ppm=None)


def _planned(bed: _Bed) -> None:
    """Delivery stops as a person had planned: nothing to tell, if the plan was read."""
    bed.started = bed.rng.randint(250, 400) * MINUTE
    at = bed.moment(2, 18)
    by = {"by": "n17", "action": "plan-stop", "reason": "weaned"}
    bed.other(at, "action", by)
    stop = at + bed.rng.randrange(6, 30) * STEP
    bed.settled.add(stop)
    bed.set(stop, mode="off", set_ppm=None)


def _silent(bed: _Bed) -> None:
    """A device falls silent; at times it comes back."""
    at = bed.moment(3, 16)
    bed.changes.append((at, None))
    if bed.rng.random() < 0.5:
        back = at + bed.rng.randrange(24, 60) * STEP
        bed.told.add(back)
        bed.set(back, mode="delivering", set_ppm=20.0)


def _fourteen(bed: _Bed) -> None:
    """The fourteen days are over."""
    bed.started = 336 * HOUR - bed.moment(4, 24)


def _no2(bed: _Bed) -> None:
    """Too much nitrogen dioxide."""
    at = bed.moment(2, 18)
    bed.set(at, mode="delivering", set_ppm=20.0, no2_ppm=2.5)
    bed.set(at + bed.rng.randrange(8, 30) * STEP, mode="delivering", set_ppm=20.0)


def _methb(bed: _Bed) -> None:
    """A result that is too high, amended afterwards."""
    at, ident = bed.moment(2, 14), f"lab-{bed.name}"
    bed.other(at, "lab", _result(5.5) | {"id": ident})
    if bed.rng.random() < 0.7:
        when = (bed.zero + at).isoformat()
        amended = {"id": ident, "time": when, "resulted": (bed.zero + at + 8 * MINUTE).isoformat()}
        amended |= {"status": "amended"}
        bed.other(at + 8 * MINUTE, "lab", _result(1.2) | amended, told=True, settled=True)


def _rejected(bed: _Bed) -> None:
    """Records of one device are refused so often that somebody has to be told."""
    at = bed.moment(2, 16)
    for number in range(7):
        bed.poison(at + number * 2 * STEP)


def _acts(bed: _Bed) -> None:
    """People look on: acts that change nothing that is told."""
    for number in range(6):
        at = bed.moment(1, 28)
        bed.other(at, "action", {"by": f"n{number}", "action": "acknowledge", "alert": "none"})


def _context(bed: _Bed) -> None:
    """The context of the course is entered, piece by piece."""
    at = bed.moment(1, 10)
    bed.other(at, "course", {"indication": "hrf-pphn", "gestational_age": "38w2d"}, settled=True)
    flags = {"flags": {"echo_confirmed_ph": True}, "oxygenation_index": 27.5}
    bed.other(at + 3 * MINUTE, "course", flags, told=True, settled=True)


Hazard = Callable[[_Bed], None]
HAZARDS: tuple[Hazard, ...] = (
    *(_overdue, _high, _stop, _silent, _fourteen, _no2, _methb, _planned, _rejected, _context),
    *(_acts, _overdue, _high, _stop),
)
LEAST, MOST = 11, len(HAZARDS)


def timeline(seed: int) -> Timeline:
    """Make the log of ``seed``. Too few fall silent for a unit to be told of as one."""
    rng = random.Random(seed)
    partitions = rng.choice((2, 3, 4))
    hazards = HAZARDS[: rng.randint(LEAST, MOST)]
    entries: list[Entry] = []
    names = _names(rng, len(hazards), partitions)
    for name, hazard in zip(names, hazards, strict=True):
        bed = _Bed(rng, ZERO, name, "nicu")
        hazard(bed)
        for _ in range(rng.randint(0, 3)):
            bed.poison(bed.moment(1, 29))
        entries += bed.entries()
    entries = [entry for entry in entries if entry.at <= LIVE]
    # Of one moment: in the order of the beds; a stable sort keeps a bed's own order.
    entries.sort(key=lambda entry: entry.at)
    history = [entry for entry in entries if entry.at < timedelta()]
    return Timeline(seed, ZERO, partitions, history, entries[len(history) :])


def _names(rng: random.Random, count: int, partitions: int) -> list[str]:
    """Make names of patients, as many in each partition."""
    found: list[str] = []
    while len(found) < count:
        name = f"b{rng.randrange(10**6)}"
        if home_of(name, partitions) == len(found) % partitions and name not in found:
            found.append(name)
    return found


def _result(value: float) -> Json:
    return {"code": "2614-6", "value": value, "unit": "%", "status": "final"}
