"""The numbers that colour a board and the backup rules: those of the site's profile.

They are handed in, because this package knows no rules: ``streams.grafana`` reads them from the
profile that the monitor judges by.
"""

from msgspec import Struct


class Thresholds(Struct, frozen=True, kw_only=True):
    """Limits of one profile; a bound is strict where the rule's own is.

    ``page_s`` is how long an alert may wait to be told, ``sink_s`` how long a receiver may fail,
    ``blind_s`` how old clock and unread records may be, ``silent_s`` from when on a device counts
    as silent. ``profile`` names the profile and its version.
    """

    profile: str
    dose_ppm: float
    dose_high_ppm: float
    no2_low_ppm: float
    no2_medium_ppm: float
    no2_high_ppm: float
    methb_low_pct: float
    methb_medium_pct: float
    methb_high_pct: float
    spo2_least_pct: float
    silent_s: float
    page_s: float
    sink_s: float
    blind_s: float
