"""What stands in the cells of a report: texts as people read them, and the class that shows them.

A class says to the page how a cell is set: a number with its decimal point below the others', a
text that may take several lines, a result in its colour with a sign beside it. Knows no page.
"""

import re
from datetime import UTC, datetime, time
from typing import Any

import pyarrow as pa
from msgspec import Struct

from streams.audit.answer import RESULT, written
from streams.audit.forms.heading import grouped, moment, readable

INDETERMINATE = "indeterminate"
TONES = {
    "in time": ("good", "✓"),
    "met": ("good", "✓"),
    "early": ("care", "!"),
    "late": ("care", "!"),
    "review needed": ("care", "!"),
    "never": ("bad", "✗"),
    INDETERMINATE: ("unknown", "?"),
}
"""Word of a result to its colour and the sign beside it. *Yes* and *no* are set
plainly, as all other words: whether they are good depends on what was asked."""
PLAIN = ("plain", "•")
_LONG, _LONGER, _LONG_WORD, _WORDY = 40, 120, 14, 12
"""Characters of a text that may take several lines, of one that takes more room for them, of a word
that may be broken in print, and of a heading that asks for some width."""
_TOGETHER = re.compile(r"(?:\S+ )?\S{1,3}$|\S+$")
"""The end of a heading that stays on one line: its last word, with the one before a short one."""
_POINT_CH = 0.5
"""How wide a decimal point is, of a digit's width: whole numbers stand so far to the left too."""


class Cell(Struct, frozen=True):
    """What stands in a cell; ``after_ch`` keeps the decimal points of a column in one line."""

    text: str
    kind: str
    after_ch: float = 0.0


def cells(field: pa.Field, values: list[Any]) -> list[Cell]:
    """Write a column from top to bottom."""
    if is_number(field.type):
        return _numbers(field.name, values)
    days = all(value.astimezone(UTC).time() == time() for value in values if _is_time(value))
    return [_cell(field.name, value, days=days) for value in values]


def _numbers(column: str, values: list[float | None]) -> list[Cell]:
    texts = ["-" if value is None else grouped(readable(column, value)) for value in values]
    places = [len(text.partition(".")[2]) for text in texts]
    most = max(places, default=0)
    return [
        Cell(
            text,
            "none number" if value is None else "number",
            most - place + _POINT_CH * (most > 0 and place == 0),
        )
        for text, place, value in zip(texts, places, values, strict=True)
    ]


def _cell(column: str, value: Any, *, days: bool) -> Cell:
    if value is None:
        return Cell("-", "none")
    if _is_time(value):
        return Cell(moment(value)[:10] if days else moment(value), "time")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", "")
    text = written(value)
    if column == RESULT or text == INDETERMINATE:
        tone, sign = TONES.get(text, PLAIN)
        return Cell(f"{sign} {text}", tone)
    kinds = ["phrase"] * (" " in text)
    kinds += ["long"] * (len(text) > _LONG) + ["longer"] * (len(text) > _LONGER)
    kinds += ["breaks"] if max(map(len, text.split()), default=0) > _LONG_WORD else []
    return Cell(text, " ".join(kinds))


def head_cell(text: str, *, number: bool) -> tuple[str, str, str]:
    """A heading in two parts, of which the second is not broken, and its class."""
    found = _TOGETHER.search(text)
    at = found.start() if found else 0
    kinds = ["number"] * number + ["wordy"] * (len(text) > _WORDY)
    return text[:at], text[at:], " ".join(kinds)


def _is_time(value: Any) -> bool:
    return isinstance(value, datetime)


def is_number(kind: pa.DataType) -> bool:
    """Whether a column holds numbers, which stand to the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
