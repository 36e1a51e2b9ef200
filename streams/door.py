"""The front door: what every record passes before it may be judged, live and in replay."""

from datetime import datetime

from alerts.profile_book import ProfileBook, packaged
from schemas.course import Course
from schemas.decode import Event, Kind, decode
from schemas.rejected import Rejected


def admit(
    raw: bytes,
    kind: Kind | None = None,
    now: datetime | None = None,
    book: ProfileBook | None = None,
) -> Event | Rejected:
    """Decode one record and refuse what could not be judged: a profile that does not exist.

    ``book`` has the profiles that exist; those that come with the product where it is ``None``.
    """
    event = decode(raw, kind, now)
    if type(event) is not Course or event.profile is None:
        return event
    names = (book or packaged()).names
    if event.profile not in names:
        known = ", ".join(sorted(names))
        return Rejected("unknown-profile", f"profile {event.profile!r}; there are {known}")
    return event
