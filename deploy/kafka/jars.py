"""Where Kafka's jars are: a cache on disk, filled when need be, and a classpath for Java.

This module does not know what runs on the classpath.
"""

import os

from deploy.cache import cache_root
from deploy.kafka.fetch import fetch
from deploy.kafka.jar_lock import Group, read_lock


def classpath(group: Group = "broker") -> str:
    """Java class path of a group, every jar of it on disk and just now checked; fetched if need be.

    Raises:
        JarsMissingError: something is neither in the cache nor to be had from the network.

    """
    lock = read_lock()
    directory = cache_root() / f"kafka-{lock.kafka}-{lock.digest[:12]}"
    jars = lock.group(group)
    fetch(jars, directory, f"Kafka {lock.kafka}")
    return os.pathsep.join(str(directory.resolve() / jar.file_name) for jar in jars)
