"""The lock of Kafka's jars: every one with its sha256.

So no dependency is resolved when a broker starts, and a jar that is not what was locked is never
run, whoever served or damaged it. ``lock_jars`` writes the lock.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

from msgspec import Struct

Group = Literal["broker", "tools"]
"""``broker`` runs Kafka; ``tools`` comes on top of it with Kafka's console programs, for tests."""

LOCK_FILE = Path(__file__).with_name("jars.lock.toml")


class Jar(Struct, frozen=True):
    """One jar of the lock: Maven coordinates, and the bytes they stand for."""

    group_id: str
    artifact_id: str
    version: str
    group: Group
    sha256: str
    size_bytes: int
    classifier: str = ""

    def __str__(self) -> str:
        parts = (self.group_id, self.artifact_id, self.version, self.classifier)
        return ":".join(filter(None, parts))

    @property
    def file_name(self) -> str:
        """Name as in any Maven repository: ``artifact-version[-classifier].jar``."""
        return "-".join(filter(None, (self.artifact_id, self.version, self.classifier))) + ".jar"


class Lock(Struct, frozen=True):
    """The locked jars of one Kafka version; ``digest`` changes whenever the lock does."""

    kafka: str
    jars: tuple[Jar, ...]
    digest: str

    def group(self, group: Group) -> list[Jar]:
        """Jars that a group needs, in the lock's order."""
        return [jar for jar in self.jars if group == "tools" or jar.group == "broker"]


def read_lock(path: Path = LOCK_FILE) -> Lock:
    """Read the lock. It is part of the product, so a broken one raises as it comes."""
    content = path.read_bytes()
    table = tomllib.loads(content.decode())
    jars = tuple(Jar(**entry) for entry in table["jar"])
    return Lock(kafka=table["kafka"], jars=jars, digest=hashlib.sha256(content).hexdigest())


def is_sound(jar: Jar, path: Path) -> bool:
    """Whether the file is there and is the locked one, byte by byte (0.1 s for all of a broker)."""
    try:
        if path.stat().st_size != jar.size_bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False
