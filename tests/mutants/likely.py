"""Which test would notice a mutant first: an order, so that most mutants take a moment.

First those that noticed in the same file before, the last one first; then those whose names share a
word with the file's; then those that noticed in other files; then the quick ones. It changes how
long a check takes and nothing else.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path


class Likely:
    """Knows how long each test took without a mutant, and which ones noticed."""

    def __init__(self, took_s: Mapping[str, float]) -> None:
        self._took_s = took_s
        self._noticed: dict[Path, list[str]] = defaultdict(list)
        self._files: dict[str, set[Path]] = defaultdict(set)

    def order(self, path: Path) -> list[str]:
        """Every test, the likeliest to notice a mutant of this file first."""
        words, noticed = set(path.stem.split("_")), self._noticed[path]
        others = self._took_s.keys() - set(noticed)
        return noticed + sorted(
            others,
            key=lambda test: (
                not words & _words(test),
                -len(self._files.get(test, ())),
                self._took_s[test],
            ),
        )

    def noticed(self, path: Path, test: str) -> None:
        """Keep in mind that a test noticed a mutant of this file."""
        self._noticed[path] = [test, *(other for other in self._noticed[path] if other != test)]
        self._files[test].add(path)


def _words(test: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", test))
