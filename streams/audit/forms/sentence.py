"""The first sentence of a report: it answers what the question asks.

It is what the question ``says``. In braces stands a number, in square brackets what is left out
when the first number in it is 0 or not known:

    {rows}                  how many rows there are
    {limit_ppm}             what a parameter is set to
    {yes} {in_time}         how many rows have this result; "none" for 0
    {over_min}              the sum of a column; "none" for 0 of a count (``n_…``)
    {over_min per courses}  its sum divided by another's
    {over_pct by courses}   the mean of a share, each row weighed by another column, with its sign
    {rows course|courses}   any of these, and the word that goes with it: 1 course, 2 courses

Promises that a name that is none of these is refused. Knows nothing of the page.
"""

import re
from math import fsum

from streams.audit.answer import RESULT, Answer, Coverage
from streams.audit.forms.heading import averaged, grouped, no_rows
from streams.audit.question import InvalidQuestion

RESULTS = (
    "in time",
    "met",
    "yes",
    "no",
    "early",
    "late",
    "review needed",
    "never",
    "indeterminate",
)
"""The words of a result; in braces with ``_`` for their spaces."""
_NUMBER = re.compile(r"\{([a-z0-9_]+)(?: (by|per) ([a-z0-9_]+))?(?: ([^{}|]+)\|([^{}|]+))?\}")
_IF_ANY = re.compile(r"\[([^\]]*)\]")
_UNKNOWN = "not known"


def sentence(answer: Answer) -> str:
    """Write it; ``InvalidQuestion`` names what stands in braces and is no number."""
    if not answer.head.row_count:
        return no_rows(answer.head)
    said = _IF_ANY.sub(lambda part: part[1] if _any(answer, part[1]) else "", answer.question.says)
    said = _NUMBER.sub(lambda found: _written(answer, found), said)
    return f"{said[:1].upper()}{said[1:]}{_seen(answer.head.coverage)}"


def _any(answer: Answer, part: str) -> bool:
    found = _NUMBER.search(part)
    return found is None or bool(_value(answer, found))


def _written(answer: Answer, found: re.Match[str]) -> str:
    name, way, _, one, many = found.groups()
    value = _value(answer, found)
    if value is None:
        return _UNKNOWN
    if one is not None:
        return f"{grouped(value)} {one if value == 1 else many}"
    if way is not None:
        return averaged(float(value)) + " %" * (way == "by")
    counts = name.replace("_", " ") in RESULTS or name.startswith("n_")
    return "none" if counts and value == 0 else grouped(value)


def _value(answer: Answer, found: re.Match[str]) -> float | str | None:
    name, way, other = found[1], found[2], found[3]
    word = name.replace("_", " ")
    if way == "by":
        return _mean(answer, name, other)
    if way == "per":
        size = _sum(answer, other)
        return _sum(answer, name) / size if size else None
    if name == "rows":
        return answer.head.row_count
    if name in answer.head.parameters:
        return answer.head.parameters[name]
    if RESULT in answer.columns and word in RESULTS:
        return answer.column(RESULT).count(word)
    return round(_sum(answer, name), 6)


def _sum(answer: Answer, name: str) -> float:
    return fsum(value for value in _column(answer, name) if value is not None)


def _mean(answer: Answer, name: str, by: str) -> float | None:
    pairs = zip(_column(answer, name), _column(answer, by), strict=True)
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    if not known:
        return None
    return fsum(value * weight for value, weight in known) / fsum(weight for _, weight in known)


def _column(answer: Answer, name: str) -> list[float | None]:
    if name not in answer.columns:
        asked = answer.question.name
        raise InvalidQuestion(f"{asked}: it says {{{name}}}, which is no column and no parameter")
    return answer.column(name)


def _seen(coverage: Coverage | None) -> str:
    if coverage is None or coverage.mean_pct is None or coverage.least_pct is None:
        return ""
    mean, least = grouped(coverage.mean_pct), grouped(coverage.least_pct)
    if mean == least:
        return f" The samples cover {mean} % of the time."
    return f" The samples cover {mean} % of the time on the average, {least} % at the least."
