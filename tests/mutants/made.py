"""Which mutants there are: mutmut's, of the files named in pyproject, less those that say nothing.

A mutant is the text of one file with one small change. It is made from the sources as they stand;
it knows no test and writes nothing.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import libcst as cst
from mutmut.configuration import Config
from mutmut.mutation.file_mutation import Mutation, create_mutations

_TYPES = (cst.Subscript, cst.BinaryOperation)
"""What a module's names for types are made of: ``Literal[...]``, ``Levels | Silent``."""


@dataclass(frozen=True)
class Mutant:
    """One ``change`` of the file at ``path``, written out only when it is asked for."""

    path: Path
    source: cst.Module
    change: Mutation

    @cached_property
    def text(self) -> str:
        """What stands in the file's place."""
        changed = self.source.deep_replace(self.change.original_node, self.change.mutated_node)
        assert isinstance(changed, cst.Module)
        return changed.code

    @cached_property
    def diff(self) -> list[str]:
        """The lines that differ, as a unified diff without its heading."""
        before, after = self.source.code.splitlines(), self.text.splitlines()
        return list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]

    @property
    def place(self) -> str:
        """Where it is, as an editor takes it: ``file:line``."""
        begin = self.diff[0].split()[1]  # the heading of a hunk: @@ -12,2 +12 @@
        return f"{self.path}:{begin.lstrip('-').partition(',')[0]}"

    def lies_in(self, place: str) -> bool:
        """Whether it is in this folder or file, or begins in this line."""
        if not str(self.path).startswith(place.partition(":")[0]):
            return False  # which is quickly known
        return f"{self.place}:".startswith((f"{place.rstrip('/')}/", f"{place}:"))

    @property
    def module(self) -> str:
        """The name by which the file is imported."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")


def mutants() -> Iterator[Mutant]:
    """Yield every mutant, file by file from the top, paths relative to the working directory."""
    settings = Config.get()
    for source in settings.source_paths:
        for path in sorted(source.rglob("*.py")):
            if settings.should_mutate(path):
                yield from mutants_of(path)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of one file."""
    module, mutations, *_ = create_mutations(str(path), path.read_text())
    for mutation in mutations:
        if not _says_nothing(mutation):
            yield Mutant(path, module, mutation)


def _says_nothing(mutation: Mutation) -> bool:
    """Whether it is the name of a type, which no test can tell, or repeats another mutant.

    Of a word's three mutants (``XXwordXX`` and its two cases) one is enough. Sentences for people
    are f-strings, whose words mutmut leaves alone, and so are docstrings. ``zip`` without its
    ``strict`` differs only where an assertion of ours would fail, or not at all.
    """
    old, new = mutation.original_node, mutation.mutated_node
    if isinstance(old, cst.Call) and isinstance(new, cst.Call) and _is_zip(old):
        return _zipped(old) == _zipped(new)
    if isinstance(old, cst.SimpleString) and isinstance(new, cst.SimpleString):
        return not new.raw_value.startswith("XX")
    in_module = mutation.contained_by_top_level_function is None
    return in_module and isinstance(old, cst.Assign) and isinstance(old.value, _TYPES)


def _is_zip(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value == "zip"


def _zipped(call: cst.Call) -> list[int]:
    """Which arguments are zipped, as far as it matters here: without ``strict``."""
    return [id(arg) for arg in call.args if arg.keyword is None]
