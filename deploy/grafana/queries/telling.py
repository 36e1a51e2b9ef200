"""The questions about who was told, and how soon."""

from deploy.grafana.queries.parts import IMPORTS, NOW, counted, fields, rows
from deploy.grafana.thresholds import Thresholds


def owed_rows(thresholds: Thresholds) -> str:
    """One row an open occurrence of which something is owed, by the watchdog's own reckoning.

    Each (phase, priority) that is worth a page is owed until a receiver took it or a decision not
    to tell it is on record. A page that has just become due is given the watchdog's time.
    """
    key = 'r.{id} + "|" + r.phase + "|" + r.{priority}'
    return f"""owed = {rows("alert", fields("priority"))}
  |> filter(fn: (r) => (r.phase == "raised" or r.phase == "escalated") and r._value != "info"
    and int(v: r._time) < int(v: {NOW}) - {int(thresholds.page_s * 1e9)})
  |> group()
  |> map(fn: (r) => ({{id: r.id, key: {key.format(id="id", priority="_value")},
    owed: 1, settled: 0, over: 0}}))
  |> unique(column: "key")
told = {rows("page", fields("priority", "outcome", "reason"))}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => r.phase == "raised" or r.phase == "escalated")
  |> filter(fn: (r) => r.outcome == "delivered" or (r.outcome == "withheld" and not
    contains(value: r.reason, set: ["already-refused", "no-receiver", "told-by-watchdog"])))
  |> map(fn: (r) => ({{id: r.alert, key: {key.format(id="alert", priority="priority")},
    owed: 0, settled: 1, over: 0}}))
  |> unique(column: "key")
over = {rows("alert", fields("priority"), 'r.phase == "cleared"')}
  |> group()
  |> map(fn: (r) => ({{id: r.id, key: "", owed: 0, settled: 0, over: 1}}))
undelivered = union(tables: [owed, told, over])
  |> group(columns: ["id"])
  |> reduce(identity: {{owed: 0, settled: 0, over: 0}}, fn: (r, accumulator) => ({{
    owed: accumulator.owed + r.owed, settled: accumulator.settled + r.settled,
    over: accumulator.over + r.over}}))
  |> filter(fn: (r) => r.over == 0 and r.owed > r.settled)
"""


def undelivered(thresholds: Thresholds) -> str:
    """How many open occurrences have reached nobody, or not as what they have become."""
    return IMPORTS + owed_rows(thresholds) + counted("undelivered")


def delays() -> str:
    """Seconds from when a page was due to when a receiver took it, by receiver: the worst."""
    return f"""{IMPORTS}{rows("page", fields("at", "outcome"), 'r.phase == "raised"')}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => r.outcome == "delivered")
  |> map(fn: (r) => ({{_time: r._time, _measurement: "page", _field: "delay", sink: r.sink,
    _value: float(v: int(v: r._time) - int(v: time(v: r.at))) / 1000000000.0}}))
  |> group(columns: ["_measurement", "_field", "sink"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)
"""


def attempts() -> str:
    """How many attempts to tell somebody came to what, by receiver and outcome."""
    return f"""{IMPORTS}{rows("page", fields("outcome"))}
  |> map(fn: (r) => ({{_time: r._time, _measurement: "page", _field: "attempts", sink: r.sink,
    outcome: r._value, _value: 1}}))
  |> group(columns: ["_measurement", "_field", "sink", "outcome"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: sum, createEmpty: false)
"""
