"""The head of an answer in words, line by line: what each form shows above the rows."""

from datetime import UTC, datetime, timedelta

from streams.audit.answer import Coverage, Head, written

_SECOND = timedelta(seconds=1)


def heading(head: Head, *, to_the_second: bool = False) -> list[tuple[str, str]]:
    """Pairs of a name and what to say of it, in order.

    ``to_the_second``: for people; the period is widened to whole seconds, so that all is in it.
    """
    parameters = [f"{name} = {plain(value)}" for name, value in head.parameters.items()]
    return [
        ("question", head.question),
        ("asks", head.asks),
        ("period", _period(head, to_the_second=to_the_second)),
        ("unit", head.unit or "all units"),
        ("parameters", ", ".join(parameters) or "none"),
        ("inowatch", head.inowatch),
        ("judged by", ", ".join(head.rules) or "no alert in the period"),
        ("rows", str(head.row_count)),
        ("n", f"{head.n:g} {head.n_of}"),
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
    return f"{coverage.mean_pct:.1f} % mean, {coverage.least_pct:.1f} % least"


def plain(value: float | str) -> str:
    """Write what was set, a whole number without its point."""
    return f"{value:.10g}" if isinstance(value, float) else value


def moment(time: datetime) -> str:
    """Write a time for people: in UTC, cut to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def readable(column: str, value: float) -> float:
    """Round a number for people: seconds to two places, whatever clocks say beyond."""
    return (round(value, 2) if column.endswith("_s") else value) + 0.0
