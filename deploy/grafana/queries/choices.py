"""What a board's variables offer: the units and the patients that the store has heard of."""

from deploy.grafana.queries.parts import IMPORTS, NOW, fields, rows

_LONG_AGO = f"date.sub(from: {NOW}, d: 30d)"
"""Further back than any board: a unit or patient that is silent has to stay in the list, or Grafana
would show another one in its place."""


def units() -> str:
    """One row a unit that sent within a month."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"), start=_LONG_AGO)}
  |> last()
  |> group()
  |> distinct(column: "unit")
  |> sort()
"""


def patients() -> str:
    """One row a patient that was heard of within a month, as ``unit, bed|pseudonym``."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"), start=_LONG_AGO)}
  |> last()
  |> group(columns: ["patient"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({{_value: r.unit + ", bed " + r.bed + "|" + r.patient}}))
  |> sort()
"""
