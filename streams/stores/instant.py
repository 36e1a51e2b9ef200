"""Moments as whole microseconds since 1970, exactly: no float stands between."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def us_of(time: datetime) -> int:
    """Count the microseconds since 1970; negative before. ``time`` must carry an offset."""
    return (time - EPOCH) // _MICROSECOND


def time_of(us: int) -> datetime:
    """Give the moment ``us`` microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=us)
