"""Asks one question of a Kafka: does it serve? Without a client, its threads and its log lines.

Kafka answers on its port a little before it lets itself be used. Its metadata name the brokers that
are in service, so one Metadata request tells: no broker named, not yet. They also name the cluster,
so another Kafka that was quicker to the port is not taken for ours.
"""

import socket
import struct

TIMEOUT_S = 2.0
_METADATA, _VERSION, _CORRELATION = 3, 2, 1
_NO_CLIENT_ID, _NO_TOPICS = -1, 0
_BODY = struct.pack(">hhihi", _METADATA, _VERSION, _CORRELATION, _NO_CLIENT_ID, _NO_TOPICS)
_REQUEST = struct.pack(">i", len(_BODY)) + _BODY
_HEAD = struct.Struct(">ii")
"""Correlation id, number of brokers; the brokers follow, and then the cluster's id."""
_SIZE = struct.Struct(">i")
_MOST_BYTES = 65_536
"""Far more than a small cluster says of itself; what is no Kafka may claim anything."""


def serves(host: str, port: int, cluster_id: str = "") -> bool:
    """Whether the Kafka of that cluster, or any, answers there and counts a broker in service."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as connection:
            connection.sendall(_REQUEST)
            with connection.makefile("rb") as stream:
                (size,) = _SIZE.unpack(stream.read(_SIZE.size))
                answer = stream.read(max(0, min(size, _MOST_BYTES)))
        correlation, brokers = _HEAD.unpack_from(answer)
    except (OSError, struct.error):
        return False
    return correlation == _CORRELATION and brokers > 0 and cluster_id.encode() in answer
