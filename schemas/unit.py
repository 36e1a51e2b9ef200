"""What the partitions tell one another about a unit whose devices fall silent together.

Records of the product's own, like ticks: they travel on an input topic, nobody else writes them,
nothing keeps them, and they move no clock. Patients are spread over the partitions, so each of
these knows a share of a unit; the unit's home partition puts the shares together and says what
follows (docs/adr/0007).
"""

from msgspec import Struct

from schemas.board_row import OpenAlert
from schemas.units import Time, Word


class UnitShare(Struct, frozen=True, kw_only=True, tag="unit-share", tag_field="type"):
    """What ``partition`` knows of ``unit`` at ``time``, its clock: sent to the unit's home.

    ``devices`` counts its patients with a device that delivers as far as is known. ``heard`` is
    when each of them was last heard of that has been silent for a while and is not told of alone.
    """

    time: Time
    unit: Word
    partition: int
    devices: int
    heard: list[Time]


class UnitWord(Struct, frozen=True, kw_only=True, tag="unit-word", tag_field="type"):
    """What the home of ``unit`` says at ``time``, its clock: sent to every partition.

    The silence that began at ``since`` is told of as one; ``None``: no longer. ``alert`` is what is
    open about it, for the rows of the board.
    """

    time: Time
    unit: Word
    since: Time | None
    alert: OpenAlert | None = None


UnitRecord = UnitShare | UnitWord
