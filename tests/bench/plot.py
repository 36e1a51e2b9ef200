"""Draws the two pictures of ``docs/bench``; runs in the peers' environment, which has matplotlib.

The same figures give the same bytes: no date, no random names inside. The monitor and its bounds
have the strong colour, the others a pale one.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import msgspec
from matplotlib.figure import Figure

OURS, OTHERS, LINE = "#1b6ca8", "#b9c4cc", "#c0392b"
NAMES = {
    "monitor": "inowatch monitor",
    "plain_loop": "plain confluent loop",
    "quix": "Quix Streams",
    "bytewax": "Bytewax",
}
SIZE = (7.0, 2.6)
LIMIT_MS = 150.0


def draw(figures: dict[str, float], folder: Path) -> None:
    """Write ``throughput.svg`` and ``latency.svg`` into the folder."""
    mpl.rcParams["svg.hashsalt"] = "inowatch"
    mpl.rcParams["font.size"] = 9
    rates = {name: figures[f"{name}_per_s"] / 1000 for name in NAMES}
    _bars(rates, "thousand records judged a second, one core", folder / "throughput.svg")
    p99_ms = {name: figures[_latency(name)] for name in NAMES}
    text = "ms from append to alert, p99 (red: the target)"
    _bars(p99_ms, text, folder / "latency.svg", limit=LIMIT_MS)


def _latency(name: str) -> str:
    return "latency_p99_ms" if name == "monitor" else f"{name}_latency_p99_ms"


def _bars(values: dict[str, float], text: str, path: Path, limit: float | None = None) -> None:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    colors = [OURS if name == "monitor" else OTHERS for name in values]
    bars = axes.barh([NAMES[name] for name in values], list(values.values()), color=colors)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel(text)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    if limit is not None:
        axes.axvline(limit, color=LINE, linewidth=1)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    draw(msgspec.json.decode(sys.argv[1], type=dict[str, float]), Path(sys.argv[2]))
