r"""The keys of the journal: a file of its own, readable by nobody else, the newest key last.

    2026-01 6f1c...    a name, a space, the key in hexadecimal (at least 32 bytes)
    2027-01 90ab...    new entries are sealed with the last one, old ones are checked with theirs

A line that begins with # is a remark. It shows no key to anybody.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from streams.secret_file import open_to_others

LEAST_BYTES = 32
"""As long as the digest: a shorter key would be the weakest part."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class InvalidKeys(ValueError):
    """The key file cannot be used; the message says why and shows nothing of what is in it."""


class Keys(Struct, frozen=True):
    """Keys by name; ``newest`` is the name of the one that seals."""

    by_id: Mapping[str, bytes]
    newest: str


def read_keys(path: Path) -> Keys:
    """Read the key file. Raises ``InvalidKeys``."""
    try:
        with path.open("rb") as file:
            fault = open_to_others(path, os.fstat(file.fileno()))
            if fault is not None:
                raise InvalidKeys(f"key file {path}: {fault}")
            text = file.read().decode("ascii")
    except OSError as unreadable:
        raise InvalidKeys(f"key file {path} cannot be read: {unreadable.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidKeys(f"key file {path} is no text of names and keys") from None
    keys: dict[str, bytes] = {}
    newest = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        newest, key = _key(line, f"key file {path}, line {number}")
        if newest in keys:
            raise InvalidKeys(f"key file {path}, line {number}: {newest!r} is there already")
        keys[newest] = key
    if not keys:
        raise InvalidKeys(f"key file {path} has no key: a line is a name and a key in hexadecimal")
    return Keys(keys, newest)


def _key(line: str, place: str) -> tuple[str, bytes]:
    words = line.split()
    if len(words) != 2 or not _NAME.fullmatch(words[0]):  # noqa: PLR2004 - a name and a key
        raise InvalidKeys(f"{place}: it is not a name and a key in hexadecimal")
    try:
        key = bytes.fromhex(words[1])
    except ValueError:
        raise InvalidKeys(f"{place}: the key of {words[0]!r} is not hexadecimal") from None
    if len(key) < LEAST_BYTES:
        raise InvalidKeys(
            f"{place}: the key of {words[0]!r} has {len(key)} bytes; at least {LEAST_BYTES}"
        )
    return words[0], key
