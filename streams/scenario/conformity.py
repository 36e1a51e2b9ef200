"""Where a YAML document departs from a JSON Schema, in words and with line and column.

Judges the keywords that the schemas made from our types use, ``JUDGED``, and finds all faults at
once. Knows nothing of what a scenario means.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import reduce
from operator import getitem
from typing import Any

import msgspec
from yaml.nodes import MappingNode, Node, SequenceNode

from schemas.units import Time
from streams.scenario.nodes import Fault, Where, fault, is_word, plain

Json = dict[str, Any]

JUDGED = frozenset(
    {"$ref", "additionalProperties", "anyOf", "enum", "format", "items", "maxItems", "maxLength"}
    | {"maximum", "minItems", "minLength", "minimum", "pattern", "properties", "required", "type"}
)
"""A schema that says more than this would promise what nobody looks at; a test holds it."""

_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
}


def departures(root: Node, schema: Json) -> Iterator[Fault]:
    """Yield what is wrong with the document, by ``schema`` and what it refers to in itself."""
    yield from _Judge(schema).faults(root, schema, ())


class _Judge:
    def __init__(self, whole: Json) -> None:
        self._whole = whole

    def faults(self, node: Node, schema: Json, where: Where) -> Iterator[Fault]:
        """Judge one node; what stands beside a reference holds together with it."""
        if "$ref" in schema:
            parts = schema["$ref"].removeprefix("#/").split("/")
            schema = reduce(getitem, parts, self._whole) | schema
        if "anyOf" in schema:
            yield from self._any_of(node, schema, where)
            return
        kind, wanted = _kind(node), schema.get("type")
        if wanted not in (None, kind) and (wanted, kind) != ("number", "integer"):
            quotes = "; write it in quotes" if wanted == "string" and _is_scalar(node) else ""
            yield fault(node, where, f"must be {_NAMES[wanted]}, not {_shown(node)}{quotes}")
        elif "enum" in schema and not _is_one_of(plain(node), schema["enum"]):
            known = [str(word) for word in schema["enum"]]
            perhaps = _perhaps(str(plain(node)), known)
            why = f"is not known{perhaps}" if perhaps else f"is none of {', '.join(known)}"
            yield fault(node, where, f"{_shown(node)} {why}")
        elif isinstance(node, MappingNode):
            yield from self._mapping(node, schema, where)
        elif isinstance(node, SequenceNode):
            yield from self._sequence(node, schema, where)
        else:
            yield from (fault(node, where, why) for why in _scalar_faults(plain(node), schema))

    def _any_of(self, node: Node, schema: Json, where: Where) -> Iterator[Fault]:
        """One way to fit is enough; of several that do not, their common name says it best."""
        found = [list(self.faults(node, option, where)) for option in schema["anyOf"]]
        if not all(found):
            return
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        if len(options) == 1:
            yield from self.faults(node, options[0], where)
        else:
            names = [_NAMES[option["type"]] for option in options if "type" in option]
            wanted = schema.get("description") or " or ".join(names)
            yield fault(node, where, f"must be {wanted}, not {_shown(node)}")

    def _mapping(self, node: MappingNode, schema: Json, where: Where) -> Iterator[Fault]:
        known: dict[str, Json] = schema.get("properties", {})
        present = set()
        for key, value in node.value:
            if not is_word(key):
                continue
            present.add(key.value)
            inside = (*where, key.value)
            if key.value in known:
                yield from self.faults(value, known[key.value], inside)
            elif schema.get("additionalProperties") is False:
                yield fault(key, inside, f"no such key{_perhaps(key.value, known)}")
        for name in schema.get("required", ()):
            if name not in present:
                yield fault(node, (*where, name), "is missing")

    def _sequence(self, node: SequenceNode, schema: Json, where: Where) -> Iterator[Fault]:
        for number, item in enumerate(node.value):
            yield from self.faults(item, schema.get("items", {}), (*where, number))
        if len(node.value) < schema.get("minItems", 0):
            yield fault(node, where, "is empty")
        if len(node.value) > schema.get("maxItems", len(node.value)):
            yield fault(node, where, f"has more than {schema['maxItems']} entries")


def _scalar_faults(value: Any, schema: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield from _text_faults(value, schema)
    elif isinstance(value, int | float):
        if value < schema.get("minimum", value):
            yield f"{value} is less than {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"{value} is more than {schema['maximum']}"


def _text_faults(text: str, schema: Json) -> Iterator[str]:
    if "pattern" in schema and not re.search(schema["pattern"], text):
        yield f"must be {schema.get('description', schema['pattern'])}, not {text!r}"
    if len(text) < schema.get("minLength", 0):
        yield "is empty"
    if len(text) > schema.get("maxLength", len(text)):
        yield f"has {len(text)} characters, at most {schema['maxLength']} are taken"
    if schema.get("format") == "date-time" and not _is_time(text):
        yield f"must be a time with an offset such as 2026-03-01T08:00:00Z, not {text!r}"


def _is_one_of(value: Any, words: list[Any]) -> bool:
    # By kind too: to Python False is 0.
    return any(type(value) is type(word) and value == word for word in words)


def _is_time(text: str) -> bool:
    try:
        msgspec.convert(text, Time)
    except msgspec.ValidationError:
        return False
    return True


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "object"
    if isinstance(node, SequenceNode):
        return "array"
    value = plain(node)
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds.get(type(value), "null")


def _is_scalar(node: Node) -> bool:
    return _kind(node) not in ("object", "array", "null")


def _shown(node: Node) -> str:
    """The value, or what it is where it would not be short."""
    if not _is_scalar(node):
        return _NAMES[_kind(node)]
    value = plain(node)
    return repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


def _perhaps(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; perhaps {near[0]}" if near else ""
