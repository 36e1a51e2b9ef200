"""The questions of the two backup rules; each answers with one number, 0 when all is well."""

from deploy.grafana.queries.health import heard
from deploy.grafana.queries.parts import GIVING, IMPORTS, SUMMED, latest, number_of
from deploy.grafana.queries.telling import owed_rows
from deploy.grafana.thresholds import Thresholds

QUIET_S = 300
"""A store in which nothing arrives for this long, while somebody is treated, has lost its feed."""

TREATED_S = 86_400
"""Who was last heard longer before the others than this was not treated when they fell silent."""

_ALWAYS = 'import "array"\n'


def no_heartbeat() -> str:
    """1 when no watchdog has left word lately, and how many were treated when all fell silent.

    The watchdog's part is 1 also where none ever did. The other is 0 while any sample of any device
    is recent, and where nobody was treated: an empty ward sends nothing, and that is no fault.
    However long ago it fell silent, it is judged as of then.
    """
    # Sorted, so that the first row has the newest sample of all.
    treated = f"{GIVING} and (accumulator.quiet_s < 0.0 or r.age_s - accumulator.quiet_s < "
    return f"""{_ALWAYS}{IMPORTS}{latest()}treated = latest
  |> sort(columns: ["age_s"])
  |> reduce(identity: {{quiet_s: -1.0, giving: 0}}, fn: (r, accumulator) => ({{
    quiet_s: if accumulator.quiet_s < 0.0 then r.age_s else accumulator.quiet_s,
    giving: accumulator.giving + (if {treated}{float(TREATED_S)!r}) then 1 else 0)}}))
  |> filter(fn: (r) => r.quiet_s >= {float(QUIET_S)!r})
  |> map(fn: (r) => ({{_value: r.giving}}))
heard = {number_of(heard(), each=-1)}union(tables: [
  array.from(rows: [{{_value: 1}}]), heard, treated])
{SUMMED}"""


def undelivered(thresholds: Thresholds) -> str:
    """How many open occurrences have reached nobody, or not as what they have become."""
    late = number_of("undelivered")
    return f"""{_ALWAYS}{IMPORTS}{owed_rows(thresholds)}late = {late}union(tables: [
  array.from(rows: [{{_value: 0}}]), late])
{SUMMED}"""
