"""What a board's variables offer: the units and the patients that the store has heard of."""

from deploy.grafana.queries.parts import IMPORTS, fields, rows


def units() -> str:
    """One row a unit that sent in the span."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"))}
  |> last()
  |> group()
  |> distinct(column: "unit")
  |> sort()
"""


def patients() -> str:
    """One row a patient that was heard of in the span, as ``unit, bed|pseudonym``."""
    return f"""{IMPORTS}{rows("telemetry", fields("mode"))}
  |> last()
  |> group(columns: ["patient"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> map(fn: (r) => ({{_value: r.unit + ", bed " + r.bed + "|" + r.patient}}))
  |> sort()
"""
