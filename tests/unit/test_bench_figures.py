"""The pure parts of the benchmarks: what they report, by which names, and how it is judged."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.ward import Ward
from tests.bench.backlog import keys, make_backlog
from tests.bench.figures import TARGETS, Figures, percentile, table

ASKED = (
    "monitor_per_s",
    "plain_loop_per_s",
    "quix_per_s",
    "bytewax_per_s",
    "replay_per_s",
    "decode_per_s",
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_max_ms",
    "quix_latency_p99_ms",
    "recovery_s",
    "bytes_per_course",
    "recorder_points_per_s",
    "raw_post_points_per_s",
)
"""The keys that readers of the last line rely on."""
NAMES = Figures.__struct_fields__


def test_every_key_is_there() -> None:
    """The result has all the keys that were promised."""
    assert set(ASKED) <= set(NAMES)


@pytest.mark.parametrize("missing", NAMES)
def test_a_figure_that_is_missing_is_an_error(missing: str) -> None:
    """A run that left a figure out does not pass for a whole one, and the error names it."""
    found = {name: 1.0 for name in NAMES if name != missing}
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert(found, Figures)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_percentiles(share: float, expected: float) -> None:
    """A percentile is a value that occurred, whatever the order."""
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, share) == expected


def test_a_single_value_is_every_percentile() -> None:
    """Few values still have a p99: the largest."""
    assert percentile([3.0], 0.5) == percentile([3.0], 0.99) == 3.0


def test_no_values_have_no_percentile() -> None:
    """Nothing measured is an error, not a zero."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_every_target_is_about_figures_that_exist() -> None:
    """A whole run can be held to every target."""
    assert all(set(target.needs) <= set(NAMES) for target in TARGETS)


def test_the_table_judges_ratios() -> None:
    """Each target is judged by its own sense and bound; what has no figures is left out."""
    shown = table({"monitor_per_s": 90_000, "plain_loop_per_s": 100_000, "quix_per_s": 20_000})
    assert "| monitor_per_s    | 90,000  |" in shown
    assert "| monitor ÷ plain loop   | 0.9   | at least 1 | **missed** |" in shown
    assert "| monitor ÷ Quix Streams | 4.5   | at least 4 | met        |" in shown
    assert "recovery" not in shown


def test_at_most_is_met_from_below() -> None:
    """A time at its bound is as it shall be, one above is not."""
    assert "| met " in table({"recovery_s": 5.0})
    assert "**missed**" in table({"recovery_s": 5.1})


def test_a_part_alone_needs_no_target() -> None:
    """Figures that no target is about are shown without a second table."""
    assert table({"decode_per_s": 1_000.0}) == (
        "| figure       | value |\n| ------------ | ----- |\n| decode_per_s | 1,000 |\n"
    )


def test_the_contest_is_held_to_the_core() -> None:
    """In a backlog every hazard that shall be told of is told of, and framed at both ends."""
    end = datetime(2026, 1, 15, 12, tzinfo=UTC)
    backlog = make_backlog("samples", 2, end, beds=1, hazard_beds=1, hours=0.05)
    assert backlog.count == sum(map(len, backlog.partitions))
    assert len(backlog.edges) == 4
    assert backlog.edges < backlog.patients
    assert len(backlog.expected) >= len(backlog.edges)


def test_what_is_told_twice_is_an_error() -> None:
    """A contestant that tells a transition twice does not pass for one that tells it once."""
    end = datetime(2026, 1, 15, 12, tzinfo=UTC)
    lines = [encode(sample) for sample in (_low(end - timedelta(minutes=1)), _low(end))]
    told = list(replay(lines, Ward(), lambda *why: pytest.fail(str(why))))
    assert len(keys(told, end)) == 1
    assert keys(told, told[0].at) == frozenset()
    with pytest.raises(ValueError, match="told twice"):
        keys(told * 2, end)


def _low(time: datetime) -> Telemetry:
    return Telemetry(
        time=time,
        device="d",
        patient="p",
        unit="nicu",
        bed="4",
        mode="delivering",
        set_ppm=20.0,
        cylinder_bar=30.0,
    )
