"""A folder of secrets: one file each, for its owner's eyes only.

Promise: a file is there whole or not at all, with mode 600 from its first byte on, in a folder of
mode 700 where it is made here. What it holds is given to whoever asks for it and to nobody else: no
message and no ``repr`` has it.
"""

import errno
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_OTHERS = 0o077
_BYTES = 32
"""Of chance: 256 bits, 43 characters."""


class SecretFolder:
    """The files in ``path``, which is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, name: str) -> Path:
        """Where the secret of this name stands, or would."""
        return self.path / name

    def read(self, name: str) -> str | None:
        """Return the secret; ``None`` where there is none. Raises ``OSError``."""
        try:
            return read_secret(self.file(name))
        except FileNotFoundError:
            return None

    def write(self, name: str, secret: str) -> None:
        """Keep the secret in place of what was there. Raises ``OSError``."""
        self.path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        # mkstemp makes it with mode 600, whatever the umask.
        number, beside = tempfile.mkstemp(dir=self.path, prefix=f".{name}-")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(f"{secret}\n")
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(self.file(name))
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """Return the secret that is there, or else make one and keep it. Raises ``OSError``."""
        secret = self.read(name)
        if secret is None:
            secret = make()
            self.write(name, secret)
        return secret

    def close_to_others(self, name: str) -> bool:
        """Take the file from whoever is not its owner; whether anything had to be taken."""
        file = self.file(name)
        if file.stat().st_mode & _OTHERS == 0:
            return False
        file.chmod(FILE_MODE)
        return True


def read_secret(path: Path) -> str | None:
    """Return the one word that the file holds, ``None`` for an empty file.

    Raises ``OSError``, also where there is no such word; what there is stands in no message.
    """
    try:
        words = path.read_text(encoding="utf-8").split()
    except UnicodeDecodeError:
        # Its own words would show what stands in the file.
        words = ["no", "text"]
    if len(words) > 1 or not all(word.isascii() and word.isprintable() for word in words):
        raise OSError(errno.EINVAL, "must hold one word and nothing else", str(path))
    return words[0] if words else None


def fresh() -> str:
    """Make a secret out of chance: letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(_BYTES)
