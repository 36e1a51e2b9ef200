"""A question as it stands in its file: a head of comment lines, then one SELECT.

    -- title: Dose over 20 ppm
    -- asks: How long, and how far, was the set dose above the limit?
    -- tables: telemetry, therapy
    -- parameter: limit_ppm = 20.0 | the set dose above which minutes count (S0)
    -- parameter: bucket = week of day, week, month | a word out of these
    -- plot: bars x=patient y=over_min
    -- column: over_min = Above {limit_ppm} ppm
    -- says: {yes} of {rows course|courses} above it[; {no} not]; {indeterminate} indeterminate.
    -- n: courses

``says`` is the report's first sentence, and answers what it ``asks``;
``streams.audit.forms.sentence`` has what may stand in its braces. ``column`` is what people read
above a column whose name does not say it; units come from the name. A line that goes on with three
spaces belongs to the one before; any other comment is for readers. Promises that a fault in a file
is named with its line; it does not know whether the SQL can be run.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from msgspec import Struct

PlotKind = Literal["bars", "spc"]
Value = float | str
"""What a parameter of a question may be: numbers and words."""
ALWAYS = frozenset({"start", "stop", "unit"})
"""The parameters that every question may use without saying so."""

_KEY = re.compile(r"-- ([a-z]+): (\S.*)")
_GOES_ON = re.compile(r"--   +(\S.*)")
_PARAMETER = re.compile(r"([a-z][a-z0-9_]*) = ([^|]*[^|\s]) *\| *(\S.*)")
_COLUMN = re.compile(r"([a-z][a-z0-9_]*) = (\S.*)")
_NAMED = re.compile(r"\$([a-z_][a-z0-9_]*)")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_COMMENT = re.compile(r"--[^\n]*")
_KEYS = ("title", "asks", "tables", "parameter", "plot", "column", "says", "n")
_NEEDED = ("title", "asks", "tables", "says", "n")


class InvalidQuestion(ValueError):
    """A question's file that cannot be used. The message names file, line and fault."""


class Parameter(Struct, frozen=True):
    """A number or word of the question that the asker may set; ``says`` what it is, and whence.

    ``choices``: the words that it may be; any, where there are none.
    """

    name: str
    default: Value
    says: str
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Value:
        """Read a value of this parameter's kind; ``ValueError`` says what is wrong with it."""
        if isinstance(self.default, str):
            if self.choices and text not in self.choices:
                raise ValueError(f"{self.name} is {' or '.join(self.choices)}, not {text!r}")
            return text
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        # By none of these (nan, inf) is anything above a limit, or everything.
        if not math.isfinite(number):
            raise ValueError(f"{self.name} is a number, not {text!r}")
        return number


class Plot(Struct, frozen=True):
    """``bars``: the column ``y`` over ``x``. ``spc``: a control chart of ``y`` out of ``n``."""

    kind: PlotKind
    x: str
    y: str
    n: str | None = None


class Question(Struct, frozen=True, kw_only=True):
    """``n`` says what is counted: a column of the answer to be summed, or words for its rows.

    ``headings`` are columns to what people read above them.
    """

    name: str
    title: str
    asks: str
    tables: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    plots: tuple[Plot, ...]
    headings: Mapping[str, str]
    says: str
    n: str
    sql: str

    @property
    def used(self) -> frozenset[str]:
        """The names of the parameters that its SQL uses."""
        return frozenset(_NAMED.findall(_COMMENT.sub("", self.sql)))


class View(Struct, frozen=True):
    """A derivation that questions share: ``sql`` makes the view, or table, called ``name``."""

    name: str
    tables: tuple[str, ...]
    sql: str


def read_question(name: str, text: str) -> Question:
    """Read the file of the question ``name``. Raises ``InvalidQuestion``."""
    found: dict[str, list[tuple[int, str]]] = {key: [] for key in _KEYS}
    for line, key, value in _head(text):
        if key not in found:
            raise InvalidQuestion(f"{name}.sql:{line}: no key {key!r}: there are {_listed(_KEYS)}")
        found[key].append((line, value))
    for key in _NEEDED:
        if len(found[key]) != 1:
            raise InvalidQuestion(
                f"{name}.sql: its head says {key!r} {len(found[key])} times, not once"
            )
    question = Question(
        name=name,
        title=found["title"][0][1],
        asks=found["asks"][0][1],
        tables=_names(found["tables"][0][1]),
        parameters=tuple(_parameter(name, *one) for one in found["parameter"]),
        plots=tuple(_plot(name, *one) for one in found["plot"]),
        headings=dict(_heading(name, *one) for one in found["column"]),
        says=found["says"][0][1],
        n=found["n"][0][1],
        sql=text,
    )
    said = {parameter.name for parameter in question.parameters}
    if said != question.used - ALWAYS:
        amiss = _listed(sorted(said ^ (question.used - ALWAYS)))
        raise InvalidQuestion(f"{name}.sql: said in the head or used in the SQL, not both: {amiss}")
    return question


def read_view(name: str, text: str) -> View:
    """Read the file of the view ``name``; of its head only ``tables`` counts, none without it."""
    said = [value for _, key, value in _head(text) if key == "tables"]
    if len(said) > 1:
        raise InvalidQuestion(f"{name}.sql: its head says 'tables' {len(said)} times")
    return View(name, _names(said[0]) if said else (), text)


def words_of(sql: str) -> frozenset[str]:
    """Every word of the SQL that could be the name of a column; comments left aside."""
    return frozenset(_WORD.findall(_COMMENT.sub("", sql).lower()))


def filled(question: Question, asked: Mapping[str, str]) -> dict[str, Value]:
    """The question's parameters: what was asked for, else the default.

    ``ValueError`` names a parameter that there is not, or a value that is none.
    """
    known = {parameter.name: parameter for parameter in question.parameters}
    for name in asked:
        if name not in known:
            there = f"it has {_listed(sorted(known))}" if known else "it has none"
            raise ValueError(f"{question.name} has no parameter {name!r}: {there}")
    return {
        name: one.read(asked[name]) if name in asked else one.default for name, one in known.items()
    }


def _head(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, key and value of the comment lines before the SQL; others are words."""
    key, value, began = "", "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("--"):
            break
        said, more = _KEY.fullmatch(line), _GOES_ON.fullmatch(line)
        if said:
            if key:
                yield began, key, value
            key, value, began = said[1], said[2].rstrip(), number
        elif more and key:
            value += " " + more[1].rstrip()
    if key:
        yield began, key, value


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parameter(name: str, line: int, text: str) -> Parameter:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise InvalidQuestion(f"{name}.sql:{line}: write 'parameter: name = default | what it is'")
    word, _, listed = found[2].partition(" of ")
    choices = _names(listed)
    if choices and word not in choices:
        raise InvalidQuestion(f"{name}.sql:{line}: {word!r} is none of {_listed(choices)}")
    try:
        default: Value = float(word)
    except ValueError:
        default = word
    return Parameter(found[1], default, found[3], choices)


def _plot(name: str, line: int, text: str) -> Plot:
    kind, *rest = text.split()
    said = dict(part.partition("=")[::2] for part in rest)
    needed = {"x", "y", "n"} if kind == "spc" else {"x", "y"}
    if kind not in get_args(PlotKind) or said.keys() != needed:
        raise InvalidQuestion(f"{name}.sql:{line}: write 'plot: bars x=… y=…' or 'spc x=… y=… n=…'")
    return Plot("spc" if kind == "spc" else "bars", said["x"], said["y"], said.get("n"))


def _heading(name: str, line: int, text: str) -> tuple[str, str]:
    found = _COLUMN.fullmatch(text)
    if found is None:
        raise InvalidQuestion(f"{name}.sql:{line}: write 'column: name = What people read'")
    return found[1], found[2]


def _listed(names: "tuple[str, ...] | list[str]") -> str:
    return ", ".join(names)
