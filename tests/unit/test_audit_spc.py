"""Control charts, against figures worked out by hand."""

import pytest

from streams.audit.spc import Measured, control_chart


def measured(*pairs: tuple[float, float]) -> list[Measured]:
    """Points named by their place."""
    return [Measured(str(at), value, size) for at, (value, size) in enumerate(pairs)]


def test_a_p_chart_weighs_by_size() -> None:
    """10 % of 100 and 40 % of 50: 30 of 150, 20 %; limits 20 +- 3 x 4 and 20 +- 3 x 5.66."""
    chart = control_chart("p", measured((10, 100), (40, 50)))
    assert chart is not None
    assert chart.centre == pytest.approx(20.0)
    first, second = chart.points
    assert (first.lower, first.upper) == pytest.approx((8.0, 32.0))
    assert second.upper == pytest.approx(36.9706, abs=1e-4)
    assert (first.sign, second.sign) == (None, "beyond")


def test_a_u_chart_is_events_on_exposure() -> None:
    """4 in 10 days and 12 in 10: 0.8 a day; 0.8 + 3 x sqrt(0.8 / 10); never below none."""
    chart = control_chart("u", measured((4, 10), (12, 10)))
    assert chart is not None
    assert chart.centre == pytest.approx(0.8)
    assert [point.value for point in chart.points] == [0.4, 1.2]
    assert chart.points[0].upper == pytest.approx(1.6485, abs=1e-4)
    assert chart.points[0].lower == 0.0


def test_limits_of_a_share_stay_within_it() -> None:
    """A share is neither below 0 nor above 100 %."""
    chart = control_chart("p", measured((50, 2), (50, 2)))
    assert chart is not None
    assert (chart.points[0].lower, chart.points[0].upper) == (0.0, 100.0)


@pytest.mark.parametrize(("low", "marked"), [(7, 0), (8, 8), (9, 9)])
def test_eight_in_a_row_are_a_shift(low: int, marked: int) -> None:
    """Seven on one side are chance; with the eighth all of the row are marked."""
    values = [(9.0, 10.0)] * low + [(10.0 + low / 4, 10.0)] * 4
    chart = control_chart("u", measured(*values))
    assert chart is not None
    assert len(chart.signs("shift")) == marked


def test_a_point_on_the_line_neither_counts_nor_breaks() -> None:
    """Eight below with one on the line between them are a shift of eight."""
    values = [(9.0, 10.0)] * 4 + [(10.0, 10.0)] + [(9.0, 10.0)] * 4 + [(12.0, 10.0)] * 4
    chart = control_chart("u", measured(*values))
    assert chart is not None
    assert chart.centre == 1.0
    assert chart.signs("shift") == ["0", "1", "2", "3", "5", "6", "7", "8"]


def test_what_has_no_size_has_no_place() -> None:
    """A month without courses has no share, and it is said; nothing at all makes no chart."""
    chart = control_chart("p", measured((0, 0), (10, 10)))
    assert chart is not None
    assert (chart.left_out, len(chart.points)) == (("0",), 1)
    assert control_chart("p", measured((0, 0))) is None
