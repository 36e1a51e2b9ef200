"""What people read above a column: words, then its unit after a comma, the same on every page.

The words are those of the question's head (``-- column:``), else those that columns of many
questions share, else the name itself; the unit is the end of the name. Machines keep the names.
"""

import re

import pyarrow as pa
from msgspec import Struct

from streams.audit.answer import Answer
from streams.audit.forms.heading import grouped
from streams.audit.question import InvalidQuestion

_SHARED = {
    "area_ppm_min": "Area above",
    "coverage_pct": "Coverage",
    "earlier_delivered_h": "Delivered in earlier courses",
    "first_at": "First",
    "last_at": "Last",
    "max_ppm": "Highest dose",
    "value_pct": "Methemoglobin",
}
"""Of columns that several questions have, or whose name is not what a ward says."""
_UNITS = {
    "_ppm_min": "ppm·min",
    "_ppm": "ppm",
    "_min": "min",
    "_s": "s",
    "_h": "h",
    "_pct": "%",
    "_usd": "US dollars",
    "_n": "n judged",
}
"""Ends of names to units; the first that fits, so the longer one stands first."""
_IN_BRACES = re.compile(r"\{([a-z0-9_]+)\}")


class Heading(Struct, frozen=True):
    """``words`` for a reader, and the ``unit`` of what stands below, if it has one."""

    words: str
    unit: str

    def __str__(self) -> str:
        return f"{self.words}, {self.unit}" if self.unit else self.words


def unit_of(name: str) -> str:
    """The unit that a name ends with; nothing where it ends with none."""
    return _UNITS.get(_end_of(name), "")


def heading_of(answer: Answer, column: str) -> Heading:
    """Name a column of the answer; ``InvalidQuestion`` when its heading asks for no parameter."""
    field = answer.table.schema.field(column)
    unit = "UTC" if pa.types.is_timestamp(field.type) else unit_of(column)
    said = answer.question.headings.get(column) or _SHARED.get(column)
    if said is None:
        name = column.removeprefix("n_").removesuffix(_end_of(column)).replace("_", " ")
        return Heading(name[:1].upper() + name[1:], unit)
    parameters = answer.head.parameters

    def value(found: re.Match[str]) -> str:
        if found[1] not in parameters:
            name = answer.question.name
            raise InvalidQuestion(f"{name}: a heading says {found[0]}, which is no parameter")
        return grouped(parameters[found[1]])

    return Heading(_IN_BRACES.sub(value, said), unit)


def no_such_column(answer: Answer) -> None:
    """Raise ``InvalidQuestion`` where the head names a column that the answer does not have."""
    for column in answer.question.headings:
        if column not in answer.columns:
            raise InvalidQuestion(f"{answer.question.name}: it has no column {column!r} to name")


def _end_of(name: str) -> str:
    """The end that names a unit; a cost ``per_h`` is not in hours."""
    found = next((end for end in _UNITS if name.endswith(end)), "")
    return "" if name.endswith(f"_per{found}") else found
