"""The questions of the quality board: month by month, with the limits of statistical control.

A p-chart shows a share (of courses), a u-chart a rate (per patient-day). The centre line is that of
the whole span; the limits lie three standard deviations from it, wider in a month with little in
it: a month beyond them is more than chance explains. Months are those of UTC. The audit
(``inowatch audit``) has the cases behind a point.
"""

from deploy.grafana.queries.parts import IMPORTS, MONTH, fields, rows

_COURSES_FROM = "methb-first-due"
"""Raised 4 h after the start of every course: what bears it is a course that a month counts."""


def share_of_courses(rule: str, unless: str | None = None) -> str:
    """The p-chart: of the courses of 4 h or more that began in a month, those with such an alert.

    A course counts once, in the month of its start. ``unless``: where the alert ended with this
    reason, the course was no case after all.
    """
    raised = rows("alert", fields("course"), 'r.phase == "raised"', 'r.rule == "{rule}"')
    ended = rows("alert", fields("course", "reason"), 'r.phase == "cleared"', f'r.rule == "{rule}"')
    month = MONTH.format(time="time(v: r.{course})")
    one = """  |> group()
  |> filter(fn: (r) => time(v: r.{course}) >= v.timeRangeStart)
  |> map(fn: (r) => ({{_time: {month}, course: r.patient + r.{course}, n: {n}, d: {d}}}))"""
    one = one.replace("{month}", month)
    parts = {
        "courses": raised.format(rule=_COURSES_FROM) + "\n" + one.format(course="_value", n=1, d=0),
        "cases": raised.format(rule=rule) + "\n" + one.format(course="_value", n=0, d=1),
    }
    if unless is not None:
        parts["none"] = f"""{ended}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.reason == "{unless}")
{one.format(course="course", n=0, d=-1)}"""
    named = "\n".join(f"{name} = {flux}" for name, flux in parts.items())
    return f"""{IMPORTS}{named}
months = union(tables: [{", ".join(parts)}])
  |> group(columns: ["_time", "course"])
  |> reduce(identity: {{n: 0, d: 0}}, fn: (r, accumulator) => ({{
    n: if r.n > accumulator.n then r.n else accumulator.n,
    d: if r.d < 0 or accumulator.d < 0 then -1 else if r.d > 0 then 1 else accumulator.d}}))
  |> filter(fn: (r) => r.n == 1)
  |> map(fn: (r) => ({{r with d: if r.d > 0 then 1 else 0}}))
{_SUMMED}{_P_LIMITS}"""


def alerts_per_patient_day() -> str:
    """The u-chart: medium and high alerts of a month per patient-day on nitric oxide.

    A patient-day is a day in which a dose above 0 was set for that patient.
    """
    day = rows("telemetry", fields("set_ppm"))
    loud = rows("alert", fields("priority"), 'r.phase == "raised"')
    month = MONTH.format(time="r._time")
    return f"""{IMPORTS}days = {day}
  |> aggregateWindow(every: 1d, fn: max, createEmpty: false, timeSrc: "_start")
  |> filter(fn: (r) => r._value > 0.0)
  |> map(fn: (r) => ({{_time: {month}, day: r.patient + string(v: date.truncate(t: r._time,
    unit: 1d)), n: 1, d: 0}}))
  |> group()
  |> unique(column: "day")
  |> drop(columns: ["day"])
alerts = {loud}
  |> filter(fn: (r) => r._value == "medium" or r._value == "high")
  |> map(fn: (r) => ({{_time: {month}, n: 0, d: 1}}))
  |> group()
months = union(tables: [days, alerts])
{_SUMMED}{_U_LIMITS}"""


def raised_by_rule() -> str:
    """How often each rule was raised, and at which priority first."""
    return f"""{IMPORTS}{rows("alert", fields("priority"), 'r.phase == "raised"')}
  |> map(fn: (r) => ({{rule: r.rule, priority: r._value, times: 1}}))
  |> group(columns: ["rule", "priority"])
  |> sum(column: "times")
  |> group()
  |> sort(columns: ["times"], desc: true)
"""


def delay_quantile(share: float) -> str:
    """Seconds within which this share of the pages reached a receiver, counted from when due."""
    return f"""{IMPORTS}{rows("page", fields("at", "outcome"), 'r.phase == "raised"')}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => r.outcome == "delivered")
  |> map(fn: (r) => ({{_value: float(v: int(v: r._time) - int(v: time(v: r.at))) / 1000000000.0}}))
  |> quantile(q: {share!r}, method: "exact_selector")
"""


def patient_days() -> str:
    """Patient-days on nitric oxide, month by month."""
    return f"""{IMPORTS}{rows("telemetry", fields("set_ppm"))}
  |> aggregateWindow(every: 1d, fn: max, createEmpty: false, timeSrc: "_start")
  |> filter(fn: (r) => r._value > 0.0)
  |> map(fn: (r) => ({{_time: {MONTH.format(time="r._time")}, day: r.patient + string(v:
    date.truncate(t: r._time, unit: 1d))}}))
  |> group()
  |> unique(column: "day")
  |> group(columns: ["_time"])
  |> count(column: "day")
  |> group()
  |> map(fn: (r) => ({{_time: r._time, days: r.day}}))
  |> sort(columns: ["_time"])
"""


_SUMMED = """  |> group(columns: ["_time"])
  |> reduce(identity: {n: 0, d: 0}, fn: (r, accumulator) => ({n: accumulator.n + r.n,
    d: accumulator.d + r.d}))
  |> group()
  |> filter(fn: (r) => r.n > 0)
total = (months
  |> reduce(identity: {n: 0, d: 0}, fn: (r, accumulator) => ({n: accumulator.n + r.n,
    d: accumulator.d + r.d}))
  |> findRecord(fn: (key) => true, idx: 0))
"""
"""From ``months`` (``n`` chances and ``d`` cases a row) to one row a month, and their total."""
_LIMITS = """months
  |> map(fn: (r) => ({{r with centre: float(v: total.d) / float(v: total.n)}}))
  |> map(fn: (r) => ({{r with sigma: math.sqrt(x: {variance} / float(v: r.n))}}))
  |> map(fn: (r) => ({{_time: r._time, {name}: float(v: r.d) / float(v: r.n), centre: r.centre,
    upper: {upper},
    lower: math.mMax(x: 0.0, y: r.centre - 3.0 * r.sigma), n: r.n}}))
  |> sort(columns: ["_time"])
"""
_P_LIMITS = _LIMITS.format(
    name="share",
    variance="r.centre * (1.0 - r.centre)",
    upper="math.mMin(x: 1.0, y: r.centre + 3.0 * r.sigma)",
)
_U_LIMITS = _LIMITS.format(name="rate", variance="r.centre", upper="r.centre + 3.0 * r.sigma")
