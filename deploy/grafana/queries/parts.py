"""What the questions are made of: rows, the newest sample, the last word of an alert, a count.

The words that Grafana fills in are ``v.defaultBucket``, ``v.timeRangeStart``,
``v.timeRangeStop`` (here: now) and ``v.windowPeriod``; ``${unit}`` and ``${patient}`` are a board's
variables, quoted by Grafana. Knows no board.
"""

from schemas.stand_in import EVERY

IMPORTS = 'import "date"\nimport "math"\n'
NOW = "v.timeRangeStop"
METHEMOGLOBIN = "2614-6"
_READINGS = ("mode", "set_ppm", "no_ppm", "no2_ppm", "fio2_pct", "spo2_pct", "generation")
_OF_ALERT = ("priority", "summary", "onset")
GIVING = 'contains(value: r.mode, set: ["delivering", "calibrating", "backup"])'
IN_UNITS = "contains(value: r.unit, set: [${unit:doublequote}])"
ABOUT_UNITS = f'({IN_UNITS} or r.unit == "{EVERY}")'
"""Of an alert: what is about the whole site is about each unit."""
OF_PATIENT = "r.patient == ${patient:doublequote}"
SUMMED = """  |> reduce(identity: {_value: 0}, fn: (r, accumulator) => ({
    _value: accumulator._value + r._value}))
"""
MONTH = "date.truncate(t: {time}, unit: 1mo)"


def rows(measurement: str, *conditions: str, start: str = "v.timeRangeStart") -> str:
    """Ask for the rows of a measurement that meet every condition, from ``start`` to now."""
    every = " and ".join([f'r._measurement == "{measurement}"', *conditions])
    return (
        "from(bucket: v.defaultBucket)\n"
        f"  |> range(start: {start}, stop: {NOW})\n"
        f"  |> filter(fn: (r) => {every})"
    )


def fields(*names: str) -> str:
    """Write the condition that a row is of one of these fields."""
    return "(" + " or ".join(f'r._field == "{name}"' for name in names) + ")"


def latest(*conditions: str, start: str = "v.timeRangeStart") -> str:
    """One row a patient: the newest sample as it came; what it did not say stays unknown.

    ``last`` is asked for each field alone, so a field may be older than the sample: only those
    of its very moment stand in its row.
    """
    return f"""latest = {rows("telemetry", fields(*_READINGS), *conditions, start=start)}
  |> last()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["patient"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => exists r.mode and (not exists r.generation or r.generation == "real"))
  |> map(fn: (r) => ({{r with age_s: float(v: int(v: {NOW}) - int(v: r._time)) / 1000000000.0}}))
"""


def last_words(*conditions: str) -> str:
    """One row an occurrence: its newest transition; the one that clears it is the last of all."""
    return f"""words = {rows("alert", fields(*_OF_ALERT), *conditions)}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({{r with
    closing: if r.phase == "cleared" then 1 else 0,
    rank: if r.priority == "high" then 3 else if r.priority == "medium" then 2
      else if r.priority == "low" then 1 else 0,
    state: if r.priority == "high" then "*** HIGH" else if r.priority == "medium" then "** MEDIUM"
      else if r.priority == "low" then "* LOW" else "INFO"}}))
  |> group(columns: ["id"])
  |> sort(columns: ["_time", "closing"])
  |> tail(n: 1)
  |> group()
"""


def results(*conditions: str) -> str:
    """Standing methemoglobin results, in percent, patient by patient, in order of collection.

    The newest word of each counts: an amendment replaces, a withdrawn one never was.
    """
    wanted = fields("id", "value", "unit", "status", "resulted")
    return f"""methb = {rows("lab", wanted, f'r.code == "{METHEMOGLOBIN}"', *conditions)}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({{r with said: if exists r.resulted then r.resulted else string(v: r._time)}}))
  |> group(columns: ["patient", "id"])
  |> sort(columns: ["said"])
  |> tail(n: 1)
  |> group()
  |> filter(fn: (r) => (r.status == "final" or r.status == "amended") and exists r.value)
  |> map(fn: (r) => ({{_time: r._time, _measurement: "lab", _field: "methemoglobin",
    patient: r.patient, _value: if r.unit == "1" then r.value * 100.0 else r.value}}))
  |> group(columns: ["_measurement", "_field", "patient"])
  |> sort(columns: ["_time"])
"""


def number_of(stream: str, each: int = 1) -> str:
    """Add up ``each`` for every row; no row at all where there is none.

    Not ``count``, which needs a column, nor a constant by ``map``: InfluxDB 2.9 loses a row that
    is made of constants only.
    """
    return f"""{stream}
  |> drop(columns: ["_start", "_stop"])
  |> group()
  |> reduce(identity: {{_value: 0}}, fn: (r, accumulator) => ({{
    _value: accumulator._value + {each}}}))
"""


def counted(found: str, known: str = "") -> str:
    """Make a number of ``found``: 0 where the store is fresh and nothing was found, else no row."""
    known = known or rows("telemetry", fields("mode"), start=f"date.sub(from: {NOW}, d: 5m)")
    newest = known + "\n  |> last()"
    numbers = f"known = {number_of(newest, each=0)}found = {number_of(found)}"
    return f"{numbers}union(tables: [known, found])\n{SUMMED}"
