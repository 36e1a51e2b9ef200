"""The questions about the product itself: what is recorded, refused, and found by the watchdog."""

from deploy.grafana.queries.parts import IMPORTS, NOW, counted, fields, last_words, rows

_ONE_FIELD = {
    "telemetry": "mode",
    "lab": "status",
    "action": "id",
    "alert": "priority",
    "page": "outcome",
    "dead_letter": "offset",
    "health": "well",
}
"""A field that every point of the measurement has: one is enough to see how old it is."""


def ages() -> str:
    """One row a measurement that has anything in the span: how old its newest record is."""
    parts = []
    for name, field in _ONE_FIELD.items():
        parts.append(f"""{name} = {rows(name, fields(field))}
  |> last()
  |> group()
  |> max(column: "_time")
  |> map(fn: (r) => ({{kind: "{name}",
    age_s: float(v: int(v: {NOW}) - int(v: r._time)) / 1000000000.0}}))
""")
    return IMPORTS + "".join(parts) + f"union(tables: [{', '.join(_ONE_FIELD)}])\n"


def blind() -> str:
    """How many occurrences of monitor-blind are open."""
    found = 'words |> filter(fn: (r) => r.phase != "cleared")'
    return IMPORTS + last_words('r.rule == "monitor-blind"') + counted(found)


def recorded() -> str:
    """Samples recorded, window by window and unit by unit; 0 is a window without any."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"))}
  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: true)
  |> group(columns: ["_measurement", "_field", "unit", "_time"])
  |> sum()
  |> group(columns: ["_measurement", "_field", "unit"])
  |> sort(columns: ["_time"])
"""


def refused() -> str:
    """Dead letters, window by window and reason by reason."""
    return f"""{IMPORTS}{rows("dead_letter", fields("offset"))}
  |> group(columns: ["_measurement", "_field", "reason"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false)
"""


def refused_count() -> str:
    """How many dead letters the span has."""
    return IMPORTS + counted(rows("dead_letter", fields("offset")))


def watchdog_said() -> str:
    """What the watchdog found wrong, newest first."""
    return f"""{IMPORTS}{last_words('r.rule == "monitor-blind"')}words
  |> map(fn: (r) => ({{_time: r._time, open: if r.phase == "cleared" then "over" else "OPEN",
    state: r.state, rule: r.rule, summary: r.summary}}))
  |> sort(columns: ["_time"], desc: true)
"""
