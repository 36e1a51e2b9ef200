"""Value types that carry a unit and a range, so that a record cannot hold an impossible number.

The bounds are those of the contract: they say what a record may hold, not what is safe.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True)]
"""An RFC 3339 time with an offset. A naive time is refused, never guessed."""

PatientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
"""An opaque pseudonym: no name, record number or birth date travels in it."""

DeviceName = Annotated[str, Meta(min_length=1, max_length=64)]
"""The name of a delivery device."""

Word = Annotated[str, Meta(min_length=1, max_length=256)]
"""A short name: a unit, bed, staff id or record id."""

Sentence = Annotated[str, Meta(max_length=1024)]
"""Free text written by a person, for example the reason of an action."""

SetPpm = Annotated[float, Meta(ge=0, le=100)]
"""A dose that is set, in parts per million of nitric oxide."""

NoPpm = Annotated[float, Meta(ge=0, le=200)]
"""A measured concentration of nitric oxide, in parts per million."""

No2Ppm = Annotated[float, Meta(ge=0, le=50)]
"""A measured concentration of nitrogen dioxide, in parts per million."""

Pct = Annotated[float, Meta(ge=0, le=100)]
"""A share in percent."""

Bar = Annotated[float, Meta(ge=0, le=300)]
"""A gauge pressure in bar."""

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A counter that never goes below zero."""
