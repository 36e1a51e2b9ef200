"""The head of an answer in words, line by line, and how people read numbers and times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import floor, log10

from streams.audit.answer import Coverage, Head, written

_SECOND = timedelta(seconds=1)


def plain(value: float | str) -> str:
    """Write what was set or counted, a whole number without its point."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def grouped(value: float | str) -> str:
    """Write the same as a page does everywhere: 1,234.5."""
    return value if isinstance(value, str) else f"{value + 0.0:,.12g}"


def heading(
    head: Head, *, to_the_second: bool = False, number: Callable[[float | str], str] = plain
) -> list[tuple[str, str]]:
    """Pairs of a name and what to say of it, in order.

    ``to_the_second``: for people; the period is widened to whole seconds, so that all is in it.
    """
    parameters = [f"{name} = {number(value)}" for name, value in head.parameters.items()]
    return [
        ("question", head.question),
        ("asks", head.asks),
        ("period", _period(head, to_the_second=to_the_second)),
        ("unit", head.unit or "all units"),
        ("parameters", ", ".join(parameters) or "none"),
        ("inowatch", head.inowatch),
        ("judged by", ", ".join(head.rules) or "no alert in the period"),
        ("rows", number(head.row_count)),
        ("n", f"{number(head.n)} ({head.n_of})"),
        ("coverage", _coverage(head.coverage)),
        ("sha256", head.sha256),
    ]


def _period(head: Head, *, to_the_second: bool) -> str:
    if head.start is None or head.stop is None:
        return "nothing is on record"
    if to_the_second:
        end = moment(head.stop + (_SECOND if head.stop.microsecond else timedelta()))
        return f"{moment(head.start)} to {end} UTC (the end not included)"
    return f"{written(head.start)} to {written(head.stop)} (the end not included)"


def _coverage(coverage: Coverage | None) -> str:
    if coverage is None:
        return "not a question of samples"
    if coverage.mean_pct is None or coverage.least_pct is None:
        return "not known"
    return f"{plain(coverage.mean_pct)} % mean, {plain(coverage.least_pct)} % least"


def no_rows(head: Head) -> str:
    """Say that there is nothing, of what was asked for."""
    where = f"unit {head.unit}" if head.unit else "any unit"
    return f"No {head.n_of}: nothing of this kind is on record for this period in {where}."


def moment(time: datetime) -> str:
    """Write a time for people: in UTC, cut to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def averaged(value: float) -> str:
    """Write a mean or a rate: two places, and more where it is so small that they say little."""
    places = 2 if value == 0 else max(2, 2 - floor(log10(abs(value))))
    return grouped(round(value, places))


def readable(column: str, value: float) -> float:
    """Round a number for people: seconds to two places, whatever clocks say beyond."""
    return (round(value, 2) if column.endswith("_s") else value) + 0.0
