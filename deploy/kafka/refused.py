"""What a Kafka may have against us, as errors with its words; it knows no client."""


class ClusterError(RuntimeError):
    """Kafka does not answer, or refuses; the message has its words."""


class NotLetIn(ClusterError):
    """Kafka is there and does not let us in; waiting, with the same settings, would not help."""
