"""The questions about one patient, whom the board's variable ``patient`` names by pseudonym."""

from deploy.grafana.queries.parts import (
    IMPORTS,
    NOW,
    OF_PATIENT,
    fields,
    last_words,
    latest,
    results,
    rows,
)
from deploy.grafana.thresholds import Thresholds


def now_of(reading: str, thresholds: Thresholds) -> str:
    """One reading of the newest sample; no row where it does not say it, or is too old for now."""
    return f"""{IMPORTS}{latest(OF_PATIENT)}latest
  |> filter(fn: (r) => exists r.{reading} and r.age_s < {thresholds.silent_s!r})
  |> map(fn: (r) => ({{_value: r.{reading}}}))
"""


def age() -> str:
    """How old the patient's newest sample is, in seconds."""
    return f"""{IMPORTS}{latest(OF_PATIENT)}latest
  |> map(fn: (r) => ({{_value: r.age_s}}))
"""


def trend(*readings: str) -> str:
    """Readings over time: the newest of each window, and a gap where there was none."""
    return IMPORTS + _windows(rows("telemetry", fields(*readings), OF_PATIENT))


def _windows(asked: str) -> str:
    """Take the newest of each window, whichever device it came from.

    Twice: device by device InfluxDB does it where the data lie, which a day of samples needs;
    what is left of several devices is small.
    """
    return f"""{asked}
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false, timeSrc: "_start")
  |> group(columns: ["_measurement", "_field"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: true)
  |> keep(columns: ["_time", "_value", "_field", "_measurement"])
"""


def methb_trend() -> str:
    """Methemoglobin in percent, each at the time of its collection."""
    return f"""{IMPORTS}{results(OF_PATIENT)}methb
  |> keep(columns: ["_time", "_value", "_field", "_measurement"])
"""


def methb_now() -> str:
    """The value in percent that was collected last."""
    return IMPORTS + results(OF_PATIENT) + 'methb\n  |> last()\n  |> keep(columns: ["_value"])\n'


def methb_age() -> str:
    """Hours since the last collection."""
    return f"""{IMPORTS}{results(OF_PATIENT)}methb
  |> last()
  |> map(fn: (r) => ({{_value: float(v: int(v: {NOW}) - int(v: r._time)) / 3600000000000.0}}))
  |> group()
"""


def alerts() -> str:
    """One row an occurrence, open ones and the newest first: its last word."""
    return f"""{IMPORTS}{last_words(OF_PATIENT)}words
  |> map(fn: (r) => ({{_time: r._time, open: if r.phase == "cleared" then "over" else "OPEN",
    state: r.state, rule: r.rule, phase: r.phase, summary: r.summary, closing: r.closing}}))
  |> sort(columns: ["closing", "_time"])
  |> drop(columns: ["closing"])
"""


def modes() -> str:
    """What the patient's device did, window by window; one without a sample says NO DATA."""
    asked = _windows(rows("telemetry", fields("mode"), OF_PATIENT))
    return f"""{IMPORTS}{asked}  |> fill(value: "NO DATA")
"""
