"""The front door: what every record passes before it may be judged, live and in replay."""

from datetime import datetime

from alerts.limits import profile_names
from schemas.course import Course
from schemas.decode import Event, Kind, decode
from schemas.rejected import Rejected

_PROFILES = frozenset(profile_names())


def admit(raw: bytes, kind: Kind | None = None, now: datetime | None = None) -> Event | Rejected:
    """Decode one record and refuse what could not be judged: a profile that does not exist."""
    event = decode(raw, kind, now)
    if isinstance(event, Course) and event.profile is not None and event.profile not in _PROFILES:
        known = ", ".join(sorted(_PROFILES))
        return Rejected("unknown-profile", f"profile {event.profile!r}; there are {known}")
    return event
