"""How a process of this project ends when it cannot go on: its exit codes and its last word.

It knows neither Faust nor Kafka, so that whoever starts workers, or watches them, need not load
them.
"""

import logging
import os
from typing import NoReturn

log = logging.getLogger("inowatch")

EXIT_UNRECOVERABLE = 70
EXIT_CANNOT_START = 78
"""As in sysexits.h: a configuration error. Starting again would not help."""


class CannotStart(RuntimeError):
    """A worker that would start into a wrong world: the message says what is wrong."""


def give_up(reason: str) -> NoReturn:
    """End the process at once, nothing acknowledged.

    An exception would make Faust acknowledge what was not done; a process that is gone has its
    records delivered again to the next one.
    """
    log.critical("giving up: %s", reason)
    logging.shutdown()
    os._exit(EXIT_UNRECOVERABLE)
