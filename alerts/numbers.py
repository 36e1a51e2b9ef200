"""The numbers of a rule: those of a profile that the rule's own words mention.

A rule says in words when it is raised and when it clears, and ``{section.key}`` in them stands for
a number. So the words of a rule, the numbers it judges by and what is written of both are one.
Judges nothing.
"""

from collections.abc import Iterator
from datetime import timedelta
from string import Formatter

from msgspec import Struct

from alerts.limits import Limits
from alerts.rule import AnyRule

BOUNDS = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}
"""What a bound is called: exactly that number is in order above and below, else it is not."""
_UNITS = {"ppm": "ppm", "pct": "%", "bar": "bar", "points": "points"}
_SHARES = ("share", "grace")
"""Last words of the keys that hold a share of something; people read them in percent."""


class Number(Struct, frozen=True):
    """One number of a profile: ``value`` in ``unit``, lengths of time in seconds."""

    name: str
    bound: str
    value: float
    unit: str
    source: str

    @property
    def written(self) -> str:
        """The value as people write it: ``20 ppm``, ``4 h``, ``50 %``."""
        if self.unit == "s":
            return _written_length(self.value)
        return f"{self.value:g} {self.unit}".rstrip()


def numbers_of(rule: AnyRule, limits: Limits) -> list[Number]:
    """List the numbers that the rule's words mention, each once, in the order of mention."""
    texts = [*rule.raised.values(), rule.clears]
    return [number_at(name, limits) for name in dict.fromkeys(_mentioned(texts))]


def filled(words: str, limits: Limits) -> str:
    """Write the numbers of a profile into a rule's words."""
    parts = Formatter().parse(words)
    return "".join(
        text + (number_at(name, limits).written if name else "") for text, name, _, _ in parts
    )


def number_at(name: str, limits: Limits) -> Number:
    """Look up ``section.key``. Raises ``AttributeError`` when a profile has no such number."""
    section, _, key = name.partition(".")
    value = getattr(getattr(limits, section), key)
    bound, source = limits.bounds[name], limits.sources[name]
    if isinstance(value, timedelta):
        return Number(name, bound, value.total_seconds(), "s", source)
    last = key.rpartition("_")[2]
    if last in _SHARES:
        return Number(name, bound, round(value * 100, 6), "%", source)
    return Number(name, bound, value, _UNITS.get(last, ""), source)


def _mentioned(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield from (name for _, name, _, _ in Formatter().parse(text) if name)


def _written_length(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
