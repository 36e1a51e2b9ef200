"""The settings of the broker of one's own: one node, no replicas, quick to start, strict."""

from collections.abc import Mapping

HOST = "127.0.0.1"

DEFAULTS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # Relative, as the broker runs in its directory: then no path needs escaping.
    "log.dirs": "data",
    # A misspelt topic must be an error, not a new topic with the wrong number of partitions.
    "auto.create.topics.enable": "false",
    "num.partitions": "4",
    # After kill -9 the broker is let in again once its old session has timed out (9 s otherwise).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    # So that a test of a killed worker need not wait long until its group notices.
    "group.min.session.timeout.ms": "1000",
    # The default takes a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": "16777216",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
}


Listener = tuple[str, int]
"""Its security protocol, in Kafka's word, and its port."""


def server_properties(
    port: int,
    controller_port: int,
    settings: Mapping[str, str],
    listeners: Mapping[str, Listener],
) -> str:
    """Return the file's text; ``settings`` win over the defaults, the listeners over both.

    ``listeners`` are those beside the plain one on ``port``, by name.
    """
    doors = {"PLAINTEXT": ("PLAINTEXT", port), **listeners}
    brokers = [f"{name}://{HOST}:{at}" for name, (_, at) in doors.items()]
    protocols = ["CONTROLLER:PLAINTEXT", *(f"{name}:{one}" for name, (one, _) in doors.items())]
    ports = {
        "listeners": ",".join([*brokers, f"CONTROLLER://{HOST}:{controller_port}"]),
        "listener.security.protocol.map": ",".join(protocols),
        "advertised.listeners": ",".join(brokers),
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
    }
    return "".join(f"{k}={v}\n" for k, v in {**DEFAULTS, **settings, **ports}.items())
