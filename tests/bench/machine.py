"""The machine that is measured on: its description, and one core for each side.

Whoever is measured has a core of its own; the servers, the sender and the one who measures share
another. Where there is one core only, or no way to choose, all share what there is, and the
description says so.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from msgspec import Struct

_GIB = 1 << 30


class Cores(Struct, frozen=True):
    """The core of whoever is measured, and the one of everything else."""

    worker: int
    servers: int


def cores() -> Cores | None:
    """Choose two cores of those that this process may use; ``None`` where that cannot be."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    usable = sorted(os.sched_getaffinity(0))
    return Cores(worker=usable[0], servers=usable[1]) if len(usable) > 1 else None


CORES = cores()
"""Chosen once, before anything is kept to one of them."""


@contextmanager
def beside_the_worker() -> Iterator[None]:
    """Keep this process, and every one that it starts meanwhile, to the servers' core."""
    if CORES is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORES.servers})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def give_core(pid: int) -> None:
    """Move a process that has just been started, with its threads, to the worker's core."""
    if CORES is not None:
        # A process or a thread that has ended already is found out by whoever waits for it.
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {CORES.worker})


def described() -> str:
    """Say in one line what this machine is, as far as it bears on speed."""
    shared = "one each" if CORES else "shared by all"
    memory_gib = psutil.virtual_memory().total / _GIB
    return (
        f"{_processor()}, {os.cpu_count()} cores ({shared}), {memory_gib:.0f} GiB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    """Name the processor; Linux says it elsewhere than the others."""
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
