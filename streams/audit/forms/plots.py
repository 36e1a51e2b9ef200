"""Pictures of an answer, as SVG, each with the words that say the same.

Promises the same bytes for the same rows: no date, no random names inside. What a colour says, a
form or a word says too.
"""

import io
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from msgspec import Struct

from streams.audit.answer import Answer, written
from streams.audit.forms.columns import heading_of
from streams.audit.forms.heading import averaged, grouped, moment, readable
from streams.audit.question import Plot
from streams.audit.spc import IN_A_ROW, Chart, Measured, control_chart

MOST_BARS = 25
"""As many as a page can show; the largest are shown, and it says so."""
LEAST_POINTS = 5
"""With fewer a control chart has nothing to control; the rows are enough."""
_PLAIN, _WARNING, _PALE, _INK = "#1b6ca8", "#b3261e", "#8a97a3", "#1f2933"
_SETTINGS: Any = {  # matplotlib types each name by itself
    "svg.hashsalt": "inowatch",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Picture(Struct, frozen=True):
    """An SVG, and what it shows in words."""

    svg: bytes
    words: str


def pictures(answer: Answer) -> Iterator[Picture]:
    """Draw what the question asks to be drawn, as far as there is anything."""
    for plot in answer.question.plots:
        picture = _spc(answer, plot) if plot.kind == "spc" else _bars(answer, plot)
        if picture is not None:
            yield picture


def _bars(answer: Answer, plot: Plot) -> Picture | None:
    every: dict[str, float] = {}
    for label, value in zip(answer.column(plot.x), answer.column(plot.y), strict=True):
        if value is not None:
            every[_label(label)] = every.get(_label(label), 0.0) + value
    sums = {label: value for label, value in every.items() if value > 0}
    if not sums:
        return None
    largest = sorted(sums, key=lambda label: -sums[label])[:MOST_BARS]
    shown = {label: value for label, value in sums.items() if label in largest}
    figure, axes = _paper(0.6 + 0.27 * len(shown))
    bars = axes.barh(list(shown), list(shown.values()), color=_PLAIN, height=0.65)
    axes.bar_label(bars, [_read(plot.y, value) for value in shown.values()], padding=3)
    axes.invert_yaxis()
    counted = heading_of(answer, plot.y)
    axes.set_xlabel(str(counted))
    axes.xaxis.set_major_formatter(_tick)
    axes.margins(x=0.12)
    top = max(shown, key=lambda label: shown[label])
    comma = "," if "," in str(counted) else ""
    words = f"{counted}{comma} by {_in_a_sentence(answer, plot.x)}:"
    words += f" most for {top}, {_read(plot.y, shown[top])}."
    if len(shown) < len(sums):
        words += f" The {len(shown)} largest of {len(sums)} are drawn."
    if len(sums) < len(every):
        words += f" Not drawn: {len(every) - len(sums)} with 0."
    return Picture(_svg(figure), words)


def _spc(answer: Answer, plot: Plot) -> Picture | None:
    sizes = answer.column(plot.n or plot.y)
    triples = zip(answer.column(plot.x), answer.column(plot.y), sizes, strict=True)
    measured = [
        Measured(_label(label), float(value or 0), float(0 if value is None else size or 0))
        for label, value, size in triples
    ]
    chart = control_chart("p" if plot.y.endswith("_pct") else "u", measured)
    if chart is None or len(chart.points) < LEAST_POINTS:
        return None
    figure, axes = _paper(3.0)
    _draw(axes, chart)
    measure = _measure(answer, chart, plot)
    axes.set_ylabel(measure)
    axes.yaxis.set_major_formatter(_tick)
    return Picture(_svg(figure), _told(chart, measure))


def _draw(axes: Axes, chart: Chart) -> None:
    places = range(len(chart.points))
    values = [point.value for point in chart.points]
    axes.plot(places, values, color=_PLAIN, linewidth=1, marker="o", markersize=4, clip_on=False)
    axes.axhline(chart.centre, color=_INK, linewidth=1)
    for limits in ([p.lower for p in chart.points], [p.upper for p in chart.points]):
        axes.step(places, limits, where="mid", color=_PALE, linewidth=1, linestyle="--")
    for sign, marker in (("beyond", "D"), ("shift", "s")):
        at = [place for place in places if chart.points[place].sign == sign]
        heights = [chart.points[place].value for place in at]
        axes.plot(
            at, heights, marker, color=_WARNING, markersize=8, fillstyle="none", clip_on=False
        )
    every = max(1, -(-len(chart.points) // 13))
    labels = [point.label for point in chart.points]
    axes.set_xticks(list(places)[::every], labels[::every], rotation=40, ha="right")
    axes.set_ylim(bottom=0)


def _told(chart: Chart, measure: str) -> str:
    name = "p-chart" if chart.kind == "p" else "u-chart"
    words = [
        f"Control chart ({name}): {measure}.",
        f"The line is the mean, {averaged(chart.centre)};",
        "dashed lines are three standard errors away.",
    ]
    beyond, shift = chart.signs("beyond"), chart.signs("shift")
    if beyond:
        words.append(f"Beyond the limits (diamonds): {', '.join(beyond)}.")
    if shift:
        words.append(
            f"{IN_A_ROW} or more in a row on one side of the mean (squares): {', '.join(shift)}."
        )
    if not beyond and not shift:
        words.append("No sign of a change: what differs may be chance.")
    if len(chart.points) < 2 * IN_A_ROW:
        words.append(f"With {len(chart.points)} points the limits are provisional.")
    if chart.left_out:
        words.append(f"Without a denominator and so left out: {', '.join(chart.left_out)}.")
    return " ".join(words)


def _measure(answer: Answer, chart: Chart, plot: Plot) -> str:
    counted = str(heading_of(answer, plot.y))
    if chart.kind == "p" or plot.n is None:
        return counted
    return f"{counted} per {_in_a_sentence(answer, plot.n).removesuffix('s')}"


def _in_a_sentence(answer: Answer, column: str) -> str:
    words = heading_of(answer, column).words
    return words[:1].lower() + words[1:]


def _tick(value: float, _place: float) -> str:
    return grouped(round(value, 6))


def _read(column: str, value: float) -> str:
    return grouped(readable(column, round(value, 6)))


def _paper(height_in: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, height_in), layout="constrained")
        return figure, figure.subplots()


def _svg(figure: Figure) -> bytes:
    out = io.BytesIO()
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # The reader's own fonts write the text; here they only say how wide it is.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _label(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value).removesuffix(" 00:00:00")
    # A name may hold anything; XML takes no control characters.
    return "".join(one if one.isprintable() else "?" for one in written(value))
