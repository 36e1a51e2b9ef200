"""The head of an answer in words, line by line: what each form shows above the rows."""

from streams.audit.answer import Coverage, Head, written


def heading(head: Head) -> list[tuple[str, str]]:
    """Pairs of a name and what to say of it, in order."""
    parameters = [f"{name} = {_number(value)}" for name, value in head.parameters.items()]
    return [
        ("question", head.question),
        ("asks", head.asks),
        ("period", _period(head)),
        ("unit", head.unit or "all units"),
        ("parameters", ", ".join(parameters) or "none"),
        ("inowatch", head.inowatch),
        ("judged by", ", ".join(head.rules) or "no alert in the period"),
        ("rows", str(head.row_count)),
        ("n", f"{head.n:g} {head.n_of}"),
        ("coverage", _coverage(head.coverage)),
        ("sha256", head.sha256),
    ]


def _period(head: Head) -> str:
    if head.start is None or head.stop is None:
        return "nothing is on record"
    return f"{written(head.start)} to {written(head.stop)} (the end not included)"


def _coverage(coverage: Coverage | None) -> str:
    if coverage is None:
        return "not a question of samples"
    if coverage.mean_pct is None or coverage.least_pct is None:
        return "not known"
    return f"{coverage.mean_pct:.1f} % mean, {coverage.least_pct:.1f} % least"


def _number(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else value
