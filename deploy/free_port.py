"""Picks a free TCP port on the loopback interface for a server that shall come back to it.

Not by binding to port 0: that gives a port from the ephemeral range, and while its server is down
any client's outgoing connection may take it. One that keeps asking for the server at that very
port can even connect to itself and hold it for good. So the port comes from below that range.
It is a pick, not a reservation: whoever uses it must be ready to pick again.
"""

import random
import socket

PORTS = range(20_000, 32_768)
"""Below the ephemeral ports of the usual systems (32768 and up, or 49152 and up)."""
_TRIES = 200


def free_port() -> int:
    """Return a port on 127.0.0.1 that nothing is bound to now, at random so that pickers differ.

    Raises:
        OSError: none of many tried ports was free.

    """
    for port in random.SystemRandom().choices(PORTS, k=_TRIES):
        if is_free(port):
            return port
    raise OSError(f"none of {_TRIES} ports tried between {PORTS[0]} and {PORTS[-1]} is free")


def is_free(port: int) -> bool:
    """Whether nothing is bound to this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
