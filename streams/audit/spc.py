"""Control charts: is what happened chance, or has something changed? Pure arithmetic.

A p-chart for a share of a count, a u-chart for events on an exposure. Limits lie three standard
errors around the mean of all points, each by its own size. Two signs are marked: a point beyond its
limits, and eight points in a row on one side of the centre line, which says that the level has
shifted. A point on the line neither counts nor breaks a row. Knows nothing of pictures.
"""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import Literal

from msgspec import Struct

Kind = Literal["p", "u"]
Sign = Literal["beyond", "shift"]

SIGMAS = 3.0
IN_A_ROW = 8
"""As the published quality work on inhaled nitric oxide marks a shift."""


class Measured(Struct, frozen=True):
    """``value`` in percent of ``size`` (p), or ``value`` events on ``size`` (u)."""

    label: str
    value: float
    size: float


class Point(Struct, frozen=True):
    """A point of the chart with its own limits; the same unit for all: percent, or events each."""

    label: str
    value: float
    lower: float
    upper: float
    sign: Sign | None


class Chart(Struct, frozen=True):
    """``left_out`` names what had no size and so no place on it."""

    kind: Kind
    centre: float
    points: tuple[Point, ...]
    left_out: tuple[str, ...]

    def signs(self, sign: Sign) -> list[str]:
        """The labels of the points that bear the sign."""
        return [point.label for point in self.points if point.sign == sign]


def control_chart(kind: Kind, measured: Sequence[Measured]) -> Chart | None:
    """Work out centre, limits and signs; ``None`` when nothing has a size."""
    sized = [one for one in measured if one.size > 0]
    left_out = tuple(one.label for one in measured if one.size <= 0)
    if not sized:
        return None
    whole = fsum(one.size for one in sized)
    if kind == "p":
        centre = fsum(one.value * one.size for one in sized) / whole
        values = [one.value for one in sized]
        spreads = [sqrt(max(centre * (100 - centre), 0) / one.size) for one in sized]
        highest = 100.0
    else:
        centre = fsum(one.value for one in sized) / whole
        values = [one.value / one.size for one in sized]
        spreads = [sqrt(centre / one.size) for one in sized]
        highest = float("inf")
    shifted = _in_a_row([value - centre for value in values])
    points = []
    for one, value, spread, shift in zip(sized, values, spreads, shifted, strict=True):
        lower, upper = max(centre - SIGMAS * spread, 0.0), min(centre + SIGMAS * spread, highest)
        beyond = not lower <= value <= upper
        sign: Sign | None = "beyond" if beyond else "shift" if shift else None
        points.append(Point(one.label, value, lower, upper, sign))
    return Chart(kind, centre, tuple(points), left_out)


def _in_a_row(distances: Sequence[float]) -> list[bool]:
    """Mark those that stand in a row of eight or more on one side."""
    marked = [False] * len(distances)
    row: list[int] = []
    for at, distance in enumerate(distances):
        if distance == 0:
            continue
        if row and (distance > 0) != (distances[row[-1]] > 0):
            row = []
        row.append(at)
        if len(row) >= IN_A_ROW:
            for member in row:
                marked[member] = True
    return marked
