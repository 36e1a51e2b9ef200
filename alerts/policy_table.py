"""A table of a TOML file, read key by key, with a note of every fault instead of the first one.

A key that is missing or wrong gives an empty value of its type, so that reading goes on; whoever
reads looks at the faults at the end. Knows no policy.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

Word = TypeVar("Word", bound=str)


class Table:
    """One table at ``place`` in its file; ``faults`` is shared by all tables of the file."""

    def __init__(self, content: dict[str, Any], place: str, faults: list[str]) -> None:
        self.content = content
        self._place = place
        self._faults = faults
        self._taken: set[str] = set()

    def fault(self, key: str, words: str) -> None:
        """Note what is wrong with a key, or with the table itself when ``key`` is empty."""
        place = ".".join(part for part in (self._place, key) if part)
        self._faults.append(f"{place}: {words}")

    def take(self, key: str) -> Any:
        """Return what stands there, or ``None``; the key is known from here on."""
        self._taken.add(key)
        return self.content.get(key)

    def text(self, key: str, otherwise: str | None = None) -> str:
        """Return a text that is not empty; ``otherwise`` when it may be missing and is."""
        value = self.take(key)
        if value is None and otherwise is not None:
            return otherwise
        if not isinstance(value, str) or not value.strip():
            self.fault(key, "is missing" if value is None else f"{value!r} is no text")
            return ""
        return value

    def one_of(self, key: str, words: Sequence[Word], otherwise: Word | None = None) -> Word:
        """Return one of these words."""
        value = self.text(key, otherwise)
        for word in words:
            if value == word:
                return word
        if value:
            self.fault(key, f"{value!r} is none of {', '.join(words)}")
        return words[0]

    def day(self, key: str) -> date:
        """Return a date, written without a time."""
        value = self.take(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            self.fault(key, "is missing" if value is None else f"{value!r} is no date")
            return date.min
        return value

    def words(self, key: str) -> list[str]:
        """Return a list of texts; an empty one is a list too."""
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.fault(key, "is missing" if value is None else f"{value!r} is no list of texts")
            return []
        return value

    def tables(self, key: str) -> "list[Table]":
        """Return the tables of a list that has at least one."""
        value = self.take(key)
        if not isinstance(value, list) or not value:
            self.fault(key, "is missing" if value is None else f"{value!r} is no list of tables")
            return []
        places = [f"{self._place}.{key}[{n}]".lstrip(".") for n in range(1, len(value) + 1)]
        found = []
        for place, content in zip(places, value, strict=True):
            if isinstance(content, dict):
                found.append(Table(content, place, self._faults))
            else:
                self._faults.append(f"{place}: {content!r} is no table")
        return found

    def close(self) -> None:
        """Everything has been read: whatever is left is a fault, for it would be ignored."""
        for key in sorted(self.content.keys() - self._taken):
            self.fault(key, "is no key here")
