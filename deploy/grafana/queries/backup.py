"""The questions of the two backup rules; each answers with one number, 0 when all is well."""

from deploy.grafana.queries.parts import GIVING, IMPORTS, SUMMED, latest, number_of
from deploy.grafana.queries.telling import owed_rows
from deploy.grafana.thresholds import Thresholds

QUIET_S = 300
"""A store in which nothing arrives for this long, while somebody is treated, has lost its feed."""

_ALWAYS = 'import "array"\n'


def no_heartbeat() -> str:
    """How many patients were given nitric oxide when all that is recorded fell silent.

    0 while any sample of any device is recent, and where nobody was treated: an empty ward sends
    nothing, and that is no fault.
    """
    return f"""{_ALWAYS}{IMPORTS}{latest()}known = latest
  |> map(fn: (r) => ({{recent: if r.age_s < {float(QUIET_S)!r} then 1 else 0,
    giving: if {GIVING} then 1 else 0}}))
  |> reduce(identity: {{recent: 0, giving: 0}}, fn: (r, accumulator) => ({{
    recent: accumulator.recent + r.recent, giving: accumulator.giving + r.giving}}))
  |> filter(fn: (r) => r.recent == 0)
  |> map(fn: (r) => ({{_value: r.giving}}))
union(tables: [array.from(rows: [{{_value: 0}}]), known])
{SUMMED}"""


def undelivered(thresholds: Thresholds) -> str:
    """How many open occurrences have reached nobody, or not as what they have become."""
    late = number_of("undelivered")
    return f"""{_ALWAYS}{IMPORTS}{owed_rows(thresholds)}late = {late}union(tables: [
  array.from(rows: [{{_value: 0}}]), late])
{SUMMED}"""
