"""How telling can fail: the two answers of a receiver that are not "taken".

Every sink raises one of these and nothing else for what a receiver or the way to it did. Which of
the two it is decides whether the message is tried again; ``alerts.sinks.retry`` is the only place
that acts on it. Knows no receiver and no protocol.
"""


class SinkError(Exception):
    """A message that did not get through. ``reason`` is one line, free of secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(SinkError):
    """The receiver will never take this message: trying again would not help."""


class Unavailable(SinkError):
    """The message may get through later, or already has (a time-out after it was taken).

    ``retry_after_s`` is what the receiver asked for, in seconds; ``None`` when it did not say.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
