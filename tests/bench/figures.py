"""What the benchmarks report: the figures by name, the ratios with their targets, the table.

Pure: it measures nothing and knows no server. A figure is a rate, a time or a size of the machine
that the run describes; only the ratios mean something elsewhere.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

Found = Mapping[str, float]


_WHOLE_FROM = 100.0


class Figures(Struct, kw_only=True, frozen=True):
    """All that one whole run finds: the keys of the last line of its output.

    ``_per_s``: records, samples or points a second. ``_ms`` and ``_s``: times.
    """

    monitor_per_s: float
    plain_loop_per_s: float
    quix_per_s: float
    bytewax_per_s: float
    replay_per_s: float
    decode_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    plain_loop_latency_p50_ms: float
    plain_loop_latency_p99_ms: float
    plain_loop_latency_max_ms: float
    quix_latency_p50_ms: float
    quix_latency_p99_ms: float
    quix_latency_max_ms: float
    bytewax_latency_p50_ms: float
    bytewax_latency_p99_ms: float
    bytewax_latency_max_ms: float
    recovery_s: float
    bytes_per_course: float
    recorder_points_per_s: float
    raw_post_points_per_s: float


class Target(Struct, frozen=True):
    """A measure, how it is had from the figures that it ``needs``, and what it shall be."""

    measure: str
    needs: tuple[str, ...]
    value: Callable[..., float]
    sense: Literal["at least", "at most"]
    bound: float
    unit: str = ""

    def met(self, value: float) -> bool:
        """Whether the value is as it shall be."""
        return value >= self.bound if self.sense == "at least" else value <= self.bound


def _ratio(measure: str, over: str, under: str, bound: float, sense: str = "at least") -> Target:
    way: Literal["at least", "at most"] = "at least" if sense == "at least" else "at most"
    return Target(measure, (over, under), lambda one, other: one / other, way, bound)


def _slower(peer: str, key: str) -> Target:
    measure = f"p99 of the monitor ÷ p99 of {peer}"
    return _ratio(measure, "latency_p99_ms", f"{key}_latency_p99_ms", 1.0, "at most")


TARGETS = (
    _ratio("monitor ÷ plain loop", "monitor_per_s", "plain_loop_per_s", 1.0),
    _ratio("monitor ÷ Quix Streams", "monitor_per_s", "quix_per_s", 4.0),
    _ratio("replay ÷ bare decode", "replay_per_s", "decode_per_s", 0.4),
    Target("p99, append to alert", ("latency_p99_ms",), lambda ms: ms, "at most", 150.0, "ms"),
    _slower("the plain loop", "plain_loop"),
    _slower("Quix Streams", "quix"),
    _slower("Bytewax", "bytewax"),
    Target("decides again after kill -9", ("recovery_s",), lambda s: s, "at most", 5.0, "s"),
    Target(
        "memory of an open course", ("bytes_per_course",), lambda b: b / 1000, "at most", 4.0, "KB"
    ),
    _ratio("recorder ÷ raw POST", "recorder_points_per_s", "raw_post_points_per_s", 0.7),
)
"""The targets of the benchmarks. All are of one run on one machine."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (above 0, up to 1) of all do not pass.

    Raises ``ValueError`` where there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def table(found: Found) -> str:
    """Write the figures and then the targets that they allow to judge, as two Markdown tables."""
    names = [(name, f"{found[name]:,.{_digits(name)}f}") for name in found]
    judged = [
        (
            target.measure,
            f"{_rounded(value)} {target.unit}".strip(),
            f"{target.sense} {target.bound:g} {target.unit}".strip(),
            "met" if target.met(value) else "**missed**",
        )
        for target in TARGETS
        if all(name in found for name in target.needs)
        for value in [target.value(*(found[name] for name in target.needs))]
    ]
    tables = [_rows(("figure", "value"), names)]
    if judged:
        tables.append(_rows(("measure", "found", "target", ""), judged))
    return "\n".join(tables)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.3g}"


def _digits(name: str) -> int:
    return 2 if name.endswith("recovery_s") else 1 if name.endswith("_ms") else 0


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table in columns that a terminal shows as well as a page."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    padded = (
        [text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in lines
    )
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)
