"""The tasks that make a row a minute out of the samples, for questions about months and years.

Every number that a device sends becomes ``<name>_mean``, ``_min`` and ``_max`` of its minute in the
measurement ``telemetry_1m``, at the minute's beginning and with the sample's own tags; ``samples``
counts what came. They are the numbers as they were sent, whatever the device was doing (a zero
calibration is in them): for charts. Judgement and audit read the samples themselves.

A minute is computed again until nothing more can come for it, and again is the same: rows are
written over. Text only; it asks no server.
"""

from msgspec import Struct

from schemas.telemetry import Telemetry

MEASUREMENT = "telemetry_1m"
NUMBERS = tuple(
    name for name in Telemetry.__struct_fields__ if name.endswith(("_ppm", "_pct", "_bar"))
)
"""A number carries its unit in its name (contract, section 1)."""

_SCRIPT = """\
// Made by `inowatch deploy influxdb`; a change made here is undone by its next run.
import "date"

option task = {{name: "{name}", every: {every}, offset: {offset}}}

{span}
// Whole minutes only: half of one would be written over a whole one.
from_time = date.truncate(t: span_from, unit: 1m)
to_time = date.truncate(t: span_to, unit: 1m)

// A reading of its own for each: only what one alone reads is summed up in the storage.
read = (fn) => from(bucket: "{samples}")
    |> range(start: from_time, stop: to_time)
    |> filter(fn: (r) => r._measurement == "telemetry")
    |> filter(fn: fn)

numbers = () => read(fn: (r) => {is_number})

kept = (tables=<-, name) => tables
    |> map(fn: (r) => ({{r with _measurement: "{measurement}", _field: name(of: r._field)}}))
    |> to(bucket: "{minutes}")

numbers()
    |> aggregateWindow(every: 1m, fn: mean, createEmpty: false, timeSrc: "_start")
    |> kept(name: (of) => of + "_mean")
numbers()
    |> aggregateWindow(every: 1m, fn: min, createEmpty: false, timeSrc: "_start")
    |> kept(name: (of) => of + "_min")
numbers()
    |> aggregateWindow(every: 1m, fn: max, createEmpty: false, timeSrc: "_start")
    |> kept(name: (of) => of + "_max")
read(fn: (r) => r._field == "mode")
    |> aggregateWindow(every: 1m, fn: count, createEmpty: false, timeSrc: "_start")
    |> kept(name: (of) => "samples")
"""


class MinuteTask(Struct, frozen=True):
    """When minutes are computed, and which (``span``); durations as Flux writes them."""

    name: str
    every: str
    offset: str
    span: str

    def script(self, samples: str, minutes: str) -> str:
        """Write the task from the bucket ``samples`` into the bucket ``minutes``."""
        return _SCRIPT.format(
            name=self.name,
            every=self.every,
            offset=self.offset,
            span=self.span,
            samples=samples,
            minutes=minutes,
            measurement=MEASUREMENT,
            is_number=" or ".join(f'r._field == "{name}"' for name in NUMBERS),
        )


_LATELY = """\
// A device that was out of reach for an hour sends what it has stored.
span_from = date.sub(d: 2h, from: now())
span_to = now()
"""
_LATE = """\
// A recorder that was down catches up with what Kafka has kept: seven days. One day of them in each
// run, another every three hours, so that no run is long.
days = date.hour(t: now()) / 3
span_from = date.sub(d: duration(v: string(v: days + 1) + "d"), from: now())
span_to = date.sub(d: duration(v: string(v: days) + "d"), from: now())
"""

TASKS = (
    MinuteTask(name="inowatch-minutes", every="10m", offset="1m", span=_LATELY),
    MinuteTask(name="inowatch-minutes-late", every="3h", offset="5m", span=_LATE),
)
