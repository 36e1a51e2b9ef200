"""The questions about what the watchdog sees from outside: lag, clock, receivers, and itself.

A word of the watchdog that is older than ``HEARD_S`` is no word of now.
"""

from deploy.grafana.queries.parts import IMPORTS, NOW, fields, rows
from deploy.grafana.thresholds import Thresholds
from schemas.health import EVERY_S

HEARD_S = 6 * EVERY_S
"""From when on the watchdog counts as silent. Shorter is the restart of a worker or of the store,
after which what has waited comes; longer would be no watch."""

_STRINGS = 'import "strings"\n'
_LATELY = f"date.sub(from: {NOW}, d: {HEARD_S}s)"
_PART = 'strings.split(v: r._field, t: "_")[1]'
"""Whose a field is, by its name: ``roles_monitor_lag_s`` is the monitor's."""


def _by_role(field: str) -> str:
    """The worst of each window, role by role; a window of which nothing is known is empty."""
    return f"""{_STRINGS}{IMPORTS}{rows("health", f"r._field =~ /^roles_[a-z]+_{field}$/")}
  |> map(fn: (r) => ({{_time: r._time, _measurement: "health", _field: "{field}",
    role: {_PART}, _value: r._value}}))
  |> group(columns: ["_measurement", "_field", "role"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: true)
"""


def lag() -> str:
    """How old the oldest record is that a role has not dealt with, in seconds."""
    return _by_role("lag_s")


def waiting() -> str:
    """How many records a role has not dealt with."""
    return _by_role("waiting")


def clock_age() -> str:
    """How old the newest tick of the worst partition was, in seconds."""
    return f"""{IMPORTS}{rows("health", fields("clock_s"), start=_LATELY)}
  |> last()
  |> group()
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> keep(columns: ["_value"])
"""


def age() -> str:
    """How long ago any watchdog left word, in seconds."""
    return f"""{IMPORTS}{rows("health", fields("well"))}
  |> last()
  |> group()
  |> max(column: "_time")
  |> map(fn: (r) => ({{_value: float(v: int(v: {NOW}) - int(v: r._time)) / 1000000000.0}}))
"""


def receivers(thresholds: Thresholds) -> str:
    """One row a receiver: in a word whether it takes pages, for how long not, and why."""
    found = rows("health", "r._field =~ /^sinks_[a-z]+_(failing_s|reason)$/", start=_LATELY)
    return f"""{_STRINGS}{IMPORTS}{found}
  |> map(fn: (r) => ({{_time: r._time, sink: {_PART}, _value: r._value,
    _field: if strings.hasSuffix(v: r._field, suffix: "_reason") then "reason" else "failing_s"}}))
  |> group(columns: ["sink", "_field"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["sink"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => exists r.failing_s)
  |> map(fn: (r) => ({{sink: r.sink, failing_s: r.failing_s,
    reason: if exists r.reason then r.reason else "-",
    state: if r.failing_s > {thresholds.sink_s!r} then "FAILING"
      else if r.failing_s > 0.0 then "trying again" else "no trouble"}}))
  |> sort(columns: ["sink"])
"""


def heard() -> str:
    """One row when any watchdog has left word lately, else none."""
    return f"""{rows("health", fields("well"), start=_LATELY)}
  |> last()
  |> group()
  |> limit(n: 1)"""
