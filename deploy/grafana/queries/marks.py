"""The library of annotations: what happened, to be laid over any chart."""

from deploy.grafana.queries.parts import IMPORTS, NOW, OF_PATIENT, fields, last_words, rows


def alerts(condition: str) -> str:
    """Each occurrence as a region from its onset to its end, or to now while it is open."""
    return f"""{IMPORTS}{last_words(condition)}words
  |> map(fn: (r) => ({{_time: time(v: r.onset),
    timeEnd: if r.phase == "cleared" then r._time else {NOW},
    text: r.state + " " + r.rule + ": " + r.summary, tags: r.rule + "," + r.priority}}))
"""


def dose_changes() -> str:
    """Each change of the dose that is set: from what to what."""
    return f"""{IMPORTS}{rows("telemetry", fields("set_ppm"), OF_PATIENT)}
  |> group()
  |> sort(columns: ["_time"])
  |> duplicate(column: "_value", as: "dose")
  |> difference(columns: ["_value"])
  |> filter(fn: (r) => r._value != 0.0)
  |> map(fn: (r) => ({{_time: r._time, text: "set dose " + string(v: r.dose - r._value) + " to "
    + string(v: r.dose) + " ppm", tags: "dose"}}))
"""


def profile_changes() -> str:
    """Each change of the limits that a patient is judged by: old and new version."""
    return f"""{IMPORTS}{rows("profile_change", fields("old", "new"))}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({{_time: r._time, text: r.unit + ": limits " + r.old + " to " + r.new,
    tags: "limits"}}))
"""
