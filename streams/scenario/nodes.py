"""YAML as nodes that know their place, and faults that name it.

Plain words mean what the core of YAML 1.2 says: ``off`` is a word and no falsehood, ``8:30`` no
number in base sixty. Tags, repeated parts (``*name``) and a key that stands twice are faults: a
reader would not see what they do. Knows nothing of scenarios.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
import yaml.reader
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Where = tuple[str | int, ...]
"""The way to a node: keys, and places in lists counted from 0."""

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")}
"""What a node has when nothing is written before it."""


class Fault(NamedTuple):
    """What is wrong at a place of a file; ``line`` and ``column`` count from 1."""

    line: int
    column: int
    where: Where
    why: str

    def __str__(self) -> str:
        """``7:12: timeline, entry 2, gives: must be a number, not a text``."""
        parts = [
            f"entry {part + 1}" if isinstance(part, int) else " ".join(part.split())
            for part in self.where
        ]
        place = f"{self.line}:{self.column}"
        return ": ".join([place, ", ".join(parts), self.why] if parts else [place, self.why])


class NotYaml(ValueError):
    """A text that cannot be read at all; ``fault`` says where and why."""

    def __init__(self, line: int, column: int, why: str) -> None:
        self.fault = Fault(line, column, (), why)
        super().__init__(str(self.fault))


def fault(node: Node, where: Where, why: str) -> Fault:
    """Make a fault at the beginning of a node."""
    return Fault(node.start_mark.line + 1, node.start_mark.column + 1, where, why)


def compose(raw: bytes) -> Node:
    """Read one document. Raises ``NotYaml``."""
    try:
        text = raw.decode()
        for event in yaml.parse(text, yaml.BaseLoader):
            if isinstance(event, yaml.AliasEvent):
                raise _at_mark(event.start_mark, f"*{event.anchor} is not taken: write it out")
        root: Node | None = yaml.compose(text, yaml.BaseLoader)
    except UnicodeDecodeError as wrong:
        before = raw[: wrong.start].decode()
        raise _after(before, f"the file is not UTF-8: {wrong.reason}") from None
    except yaml.MarkedYAMLError as wrong:
        why = ", ".join(part for part in (wrong.context, wrong.problem) if part)
        raise _at_mark(wrong.problem_mark, why) from None
    except yaml.reader.ReaderError as wrong:
        character = f"the character {wrong.character:#06x} is not taken"
        raise _after(text[: wrong.position], character) from None
    except RecursionError:
        raise NotYaml(1, 1, "lists and mappings are nested too deeply") from None
    if root is None:
        raise NotYaml(1, 1, "the file is empty")
    return root


def _at_mark(mark: Any, why: str) -> NotYaml:
    return NotYaml(mark.line + 1, mark.column + 1, why)


def _after(before: str, why: str) -> NotYaml:
    return NotYaml(before.count("\n") + 1, len(before) - before.rfind("\n"), why)


def plain(node: Node) -> Any:
    """Give what the node says as plain values; of a key that stands twice the last."""
    match node:
        case MappingNode():
            return {key.value: plain(value) for key, value in node.value if is_word(key)}
        case SequenceNode():
            return [plain(item) for item in node.value]
        case ScalarNode():
            return node.value if node.style else _meant(node.value)
    raise TypeError(f"{node!r} is no node of YAML")


def is_word(key: Node) -> bool:
    """Whether a key is one that a mapping of ours may have."""
    return isinstance(key, ScalarNode)


def _meant(word: str) -> str | float | bool | None:
    """Read a word that stands without quotes."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    return float(word) if _NUMBER.fullmatch(word) else word


def structural_faults(node: Node, where: Where = ()) -> Iterator[Fault]:
    """Find tags, keys that are no words and keys that stand twice, anywhere below the node."""
    if node.tag not in _TAGS:
        yield fault(node, where, f"the tag {node.tag} is not taken")
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from structural_faults(item, (*where, number))
    elif isinstance(node, MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not is_word(key):
                yield fault(key, where, "a key must be a word")
                continue
            inside = (*where, key.value)
            if key.value in lines:
                yield fault(key, inside, f"stands twice, first on line {lines[key.value]}")
            lines.setdefault(key.value, key.start_mark.line + 1)
            yield from structural_faults(value, inside)


def node_at(root: Node, where: Where) -> Node:
    """Find the node at a place that is there."""
    node = root
    for part in where:
        if isinstance(part, int):
            node = node.value[part]
        else:
            node = next(value for key, value in node.value if key.value == part)
    return node
