"""The monitor's own clock, sent through the stream so that time is data."""

from msgspec import Struct

from schemas.units import Time


class Tick(Struct, frozen=True, kw_only=True, gc=False, tag="tick", tag_field="type"):
    """It was ``time`` when the monitor sent this. Absence rules fire on it."""

    time: Time
