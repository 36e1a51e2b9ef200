"""The questions of the ward's board; all but the timeline's answer for *now*."""

from deploy.grafana.queries.parts import (
    ABOUT_UNITS,
    GIVING,
    IMPORTS,
    IN_UNITS,
    NOW,
    counted,
    fields,
    last_words,
    latest,
    results,
    rows,
)
from deploy.grafana.thresholds import Thresholds


def on_ino(thresholds: Thresholds) -> str:
    """How many patients are given nitric oxide, of those that are heard of."""
    heard = f"r.age_s < {thresholds.silent_s!r}"
    found = f"latest |> filter(fn: (r) => {IN_UNITS} and {GIVING} and {heard})"
    return IMPORTS + latest() + counted(found)


def open_alerts(priority: str) -> str:
    """How many occurrences of a priority are open."""
    wanted = f'r.phase != "cleared" and r.priority == "{priority}" and {ABOUT_UNITS}'
    return IMPORTS + last_words() + counted(f"words |> filter(fn: (r) => {wanted})")


def open_of(*rules: str) -> str:
    """How many occurrences of these rules are open."""
    named = " or ".join(f'r.rule == "{rule}"' for rule in rules)
    wanted = f'r.phase != "cleared" and {ABOUT_UNITS}'
    return IMPORTS + last_words(f"({named})") + counted(f"words |> filter(fn: (r) => {wanted})")


def above_limit(thresholds: Thresholds) -> str:
    """How many patients have a dose set that is above the limit; an order may allow it."""
    dose = f"exists r.set_ppm and r.set_ppm > {thresholds.dose_ppm!r}"
    dose += f" and r.age_s < {thresholds.silent_s!r}"
    found = f"latest |> filter(fn: (r) => {IN_UNITS} and {GIVING} and {dose})"
    return IMPORTS + latest() + counted(found)


def silent(thresholds: Thresholds) -> str:
    """How many patients were given nitric oxide when they were last heard of, too long ago."""
    old = f"r.age_s >= {thresholds.silent_s!r}"
    found = f"latest |> filter(fn: (r) => {IN_UNITS} and {GIVING} and {old})"
    return IMPORTS + latest() + counted(found, known=rows("telemetry", fields("mode")))


def data_age() -> str:
    """How old the newest sample of all is, in seconds; no row when there is none."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"))}
  |> last()
  |> group()
  |> max(column: "_time")
  |> map(fn: (r) => ({{_value: float(v: int(v: {NOW}) - int(v: r._time)) / 1000000000.0}}))
"""


def beds(thresholds: Thresholds) -> str:
    """One row a patient of the last 12 h: place, readings, how old they are, and in words.

    A device that gave nothing when it was last heard may have been put away: it is not *silent*.
    """
    lately, silent = f"date.sub(from: {NOW}, d: 12h)", repr(thresholds.silent_s)
    return f"""{IMPORTS}{latest(start=lately)}latest
  |> filter(fn: (r) => {IN_UNITS})
  |> map(fn: (r) => ({{r with
    heard: if r.age_s < {silent} then "heard" else if {GIVING} then "SILENT" else "not sending",
    dose: if not exists r.set_ppm or r.age_s >= {silent} then "NO DATA"
      else if r.set_ppm > {thresholds.dose_high_ppm!r} then "ABOVE {thresholds.dose_high_ppm:g}"
      else if r.set_ppm > {thresholds.dose_ppm!r} then "ABOVE {thresholds.dose_ppm:g}"
      else "in range"}}))
  |> keep(columns: ["patient", "unit", "bed", "mode", "set_ppm", "dose", "no_ppm", "no2_ppm",
    "fio2_pct", "spo2_pct", "age_s", "heard"])
  |> sort(columns: ["unit", "bed"])
"""


def worst_alerts() -> str:
    """One row a patient with open alerts: the worst of them in words, and how many there are.

    ``rank`` is a text, ``1`` the worst, because of how Grafana sorts what is absent for some:
    numbers not at all, and texts to the end when the order is rising.
    """
    return f"""{IMPORTS}{last_words()}open = words
  |> filter(fn: (r) => r.phase != "cleared" and {ABOUT_UNITS})
  |> group(columns: ["patient"])
worst = open
  |> sort(columns: ["rank", "_time"], desc: true)
  |> limit(n: 1)
  |> map(fn: (r) => ({{patient: r.patient, rank: r.rank, state: r.state, rule: r.rule,
    summary: r.summary, count: 0}}))
number = open
  |> map(fn: (r) => ({{patient: r.patient, rank: 0, state: "", rule: "", summary: "", count: 1}}))
union(tables: [worst, number])
  |> group(columns: ["patient"])
  |> reduce(identity: {{rank: 0, state: "", rule: "", summary: "", count: 0}},
    fn: (r, accumulator) => ({{rank: accumulator.rank + r.rank, state: accumulator.state + r.state,
    rule: accumulator.rule + r.rule, summary: accumulator.summary + r.summary,
    count: accumulator.count + r.count}}))
  |> group()
  |> map(fn: (r) => ({{r with rank: string(v: 4 - r.rank)}}))
  |> sort(columns: ["rank"])
"""


def methb() -> str:
    """One row a patient: the methemoglobin collected last, and how many hours ago.

    Of the patients of ``beds`` only: who has left is no row of the board for the sake of a result.
    """
    lately = rows("telemetry", fields("mode"), start=f"date.sub(from: {NOW}, d: 12h)")
    return f"""{IMPORTS}here = ({lately}
  |> last()
  |> filter(fn: (r) => {IN_UNITS})
  |> group()
  |> findColumn(fn: (key) => true, column: "patient"))
{results()}methb
  |> last()
  |> group()
  |> filter(fn: (r) => contains(value: r.patient, set: here))
  |> map(fn: (r) => ({{patient: r.patient, methb_pct: r._value,
    methb_h: float(v: int(v: {NOW}) - int(v: r._time)) / 3600000000000.0}}))
"""


def modes() -> str:
    """What each bed's device did, window by window; a window without a sample says NO DATA."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"))}
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: true)
  |> filter(fn: (r) => {IN_UNITS})
  |> fill(value: "NO DATA")
  |> keep(columns: ["_time", "_value", "_field", "_measurement", "unit", "bed", "device"])
  |> drop(columns: ["device"])
"""
