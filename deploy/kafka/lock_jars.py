"""Writes the lock of Kafka's jars: ``python -m deploy.kafka.lock_jars``, when the version changes.

Only here are dependencies resolved. Each jar is fetched and hashed once; from then on the lock
alone decides. The answer is the same for the same coordinates, so running it again changes nothing.
"""

import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import jgo
from jgo.maven import MavenContext
from msgspec.structs import asdict, replace

from deploy.kafka.fetch import AT_A_TIME, repository
from deploy.kafka.jar_lock import LOCK_FILE, Group, Jar

KAFKA = "4.3.0"
WANTED: dict[Group, tuple[str, ...]] = {
    # Without a binding Kafka's own words are lost, and a broker that fails says nothing. The plain
    # one to stderr is for slf4j 1.7, which this Kafka uses.
    "broker": (f"org.apache.kafka:kafka_2.13:{KAFKA}", "org.slf4j:slf4j-simple:1.7.36"),
    "tools": (f"org.apache.kafka:kafka-tools:{KAFKA}",),
}
_HEAD = """\
# Every jar of Kafka and of its console tools, with the sha256 of its bytes.
# Written by `python -m deploy.kafka.lock_jars`; not by hand.
"""


def main() -> None:
    """Resolve, fetch, hash, write."""
    with TemporaryDirectory() as private, ThreadPoolExecutor(AT_A_TIME) as pool:
        maven = repository(Path(private))
        jars = sorted(pool.map(lambda jar: _hashed(jar, maven), _resolve()), key=_order)
    LOCK_FILE.write_text("\n".join([f'{_HEAD}kafka = "{KAFKA}"\n', *map(_entry, jars)]))
    size_mb = sum(jar.size_bytes for jar in jars) / 1e6
    sys.stderr.write(f"locked {len(jars)} jars, {size_mb:.0f} MB\n")


def _resolve() -> Iterator[Jar]:
    """Every jar once, not hashed yet: ``tools`` has what ``broker`` lacks.

    Raises:
        ValueError: the groups want different versions of one jar, or something that is no jar.

    """
    versions: dict[tuple[str, str, str], str] = {}
    for group, endpoints in WANTED.items():
        for found in (artifact for endpoint in endpoints for artifact in jgo.resolve(endpoint)):
            key = (found.groupId, found.artifactId, found.classifier)
            if found.packaging != "jar" or versions.get(key, found.version) != found.version:
                raise ValueError(f"{found}: no jar, or locked as {versions.get(key)} already")
            if key not in versions:
                versions[key] = found.version
                yield Jar(*key[:2], found.version, group, "", 0, found.classifier)


def _hashed(jar: Jar, maven: MavenContext) -> Jar:
    component = maven.project(jar.group_id, jar.artifact_id).at_version(jar.version)
    content = component.artifact(jar.classifier, "jar").resolve().read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(jar, sha256=sha256, size_bytes=len(content))


def _order(jar: Jar) -> tuple[str, str]:
    return jar.group, str(jar)


def _entry(jar: Jar) -> str:
    """One table of the lock; an empty classifier is left out."""
    words = {name: value for name, value in asdict(jar).items() if value and name != "size_bytes"}
    lines = [f'{name} = "{value}"' for name, value in words.items()]
    return "\n".join(["[[jar]]", *lines, f"size_bytes = {jar.size_bytes}", ""])


if __name__ == "__main__":
    main()
