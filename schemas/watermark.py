"""How far the judgement of a partition had come when its states were written down together."""

from datetime import datetime

from msgspec import Struct, field


class Watermark(Struct):
    """Where a partition stood.

    ``clock`` is how far its time had come, ``ticks`` the newest tick seen on each input topic. A
    state may be newer: it was written again with an alert, before the next watermark.
    """

    partition: int
    clock: datetime | None = None
    ticks: dict[str, datetime] = field(default_factory=dict)
