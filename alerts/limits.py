"""The numbers that the rules judge by, rule by rule. Where they come from: ``profile_book``.

Nothing here judges, and no number stands here.
"""

from datetime import timedelta

from msgspec import Struct

RULES_VERSION = "3"
"""Goes up when any rule may decide differently on the same numbers."""


class CourseLimits(Struct, frozen=True):
    """When an interruption starts a new course, and how long a changed dose takes to settle.

    ``either_order`` is how far records of different sources may overtake one another.
    """

    interruption: timedelta
    settling: timedelta
    either_order: timedelta


class SetDoseHighLimits(Struct, frozen=True):
    """Of ``set-dose-high``."""

    limit_ppm: float
    high_ppm: float
    hold: timedelta
    clear_hold: timedelta


class AbruptStopLimits(Struct, frozen=True):
    """Of ``abrupt-stop``; ``plan`` is how long a plan to stop is good for."""

    floor_ppm: float
    high_ppm: float
    after: timedelta
    hold: timedelta
    plan: timedelta
    dose_held: timedelta


class MethbFirstLimits(Struct, frozen=True):
    """Of both rules on the first methemoglobin check, counted from the start."""

    due: timedelta
    overdue: timedelta
    high: timedelta


class MethbRepeatLimits(Struct, frozen=True):
    """``grace`` and ``medium_share`` are shares of the interval; see ``methb-repeat-overdue``."""

    interval: timedelta
    short_interval: timedelta
    grace: float
    medium_share: float
    value_pct: float


class MethbHighLimits(Struct, frozen=True):
    """Of ``methb-high``."""

    low_pct: float
    medium_pct: float
    high_pct: float


class MeasuredDoseLimits(Struct, frozen=True):
    """Of both rules on the measured dose: how far a reading may be from the dose that is set."""

    tolerance_share: float
    tolerance_ppm: float
    high_ppm: float
    high_share: float
    least_set_ppm: float
    hold: timedelta
    clear_hold: timedelta


class No2HighLimits(Struct, frozen=True):
    """Of ``no2-high``; each tier has a hold of its own."""

    low_ppm: float
    low_hold: timedelta
    medium_ppm: float
    medium_hold: timedelta
    high_ppm: float
    high_hold: timedelta
    clear_hold: timedelta


class BackupDeliveryLimits(Struct, frozen=True):
    """Of ``backup-delivery``."""

    hold: timedelta


class FastWeanLimits(Struct, frozen=True):
    """Of ``fast-wean``."""

    step_ppm: float
    step_share: float
    pause: timedelta
    correction: timedelta


class NoResponse72hLimits(Struct, frozen=True):
    """Of ``no-response-72h``: by how much SpO2 rises or the need of oxygen falls when it helps."""

    after: timedelta
    spo2_points: float
    fio2_points: float
    hold: timedelta


class SupplyLowLimits(Struct, frozen=True):
    """Of ``supply-low``; ``low`` and ``high`` are how long the gas lasts at the present fall.

    The fall is taken over the last ``window``, once ``least`` of it is known, from a pressure
    every ``step``. A rise by more than ``rise_bar`` or a drop by more than ``drop_bar`` between
    two samples is another cylinder.
    """

    low_bar: float
    low: timedelta
    high_bar: float
    high: timedelta
    clear_hold: timedelta
    window: timedelta
    least: timedelta
    step: timedelta
    rise_bar: float
    drop_bar: float


class ReadingFrozenLimits(Struct, frozen=True):
    """Of ``reading-frozen``."""

    hold: timedelta


class CalibrationOverdueLimits(Struct, frozen=True):
    """Of ``calibration-overdue``: delivered time without one."""

    after: timedelta


class DeviceAlarmLimits(Struct, frozen=True):
    """Of ``device-alarm``."""

    hold: timedelta


class ReboundSuspectedLimits(Struct, frozen=True):
    """Of ``rebound-suspected``; ``window`` is how long after a stop or step down it is looked for.

    ``fall_points`` is a fall of the saturation, ``least_pct`` the value that it falls below.
    """

    window: timedelta
    fall_points: float
    least_pct: float
    hold: timedelta
    clear_hold: timedelta


class Course14DaysLimits(Struct, frozen=True):
    """Of both rules on 14 days; ``again`` is how long a review holds."""

    near: timedelta
    near_low: timedelta
    over: timedelta
    again: timedelta


class TelemetryLostLimits(Struct, frozen=True):
    """Of ``telemetry-lost``; ``low`` is also what counts as a gap.

    More than ``group_share`` of a unit's devices, and ``group_least`` of them, that fall silent
    within ``group_within`` are told of as one, until they have been fewer for ``group_clear``.
    """

    low: timedelta
    medium: timedelta
    high: timedelta
    group_share: float
    group_least: float
    group_within: timedelta
    group_clear: timedelta


class DataRejectedLimits(Struct, frozen=True):
    """Of ``data-rejected``: that many within so long; over when none came for ``clear``."""

    count: float
    within: timedelta
    clear: timedelta


class EligibilityReviewLimits(Struct, frozen=True):
    """Of ``eligibility-review``; ``grace`` is how long what is lacking may go on lacking."""

    grace: timedelta


class MonitorBlindLimits(Struct, frozen=True):
    """Of ``monitor-blind``, in the time of the wall.

    ``age`` is how old the newest tick, the oldest unread record, or Kafka's own last answer may be;
    ``sink`` how long a sink may fail, ``page`` how long an alert may wait to be told. ``start`` is
    what everything has to come up, ``heartbeat`` how far apart the pings to the outside are.
    """

    age: timedelta
    sink: timedelta
    page: timedelta
    clear: timedelta
    start: timedelta
    heartbeat: timedelta


class Limits(Struct, frozen=True):
    """One profile, ready to judge by.

    ``sources`` maps ``section.key`` to where the number comes from, ``bounds`` to the bound it is.
    ``rules_version`` says what judged: the version of the rules and of the profile.
    """

    name: str
    version: str
    course: CourseLimits
    set_dose_high: SetDoseHighLimits
    abrupt_stop: AbruptStopLimits
    methb_first: MethbFirstLimits
    methb_repeat: MethbRepeatLimits
    methb_high: MethbHighLimits
    measured_dose: MeasuredDoseLimits
    no2_high: No2HighLimits
    backup_delivery: BackupDeliveryLimits
    fast_wean: FastWeanLimits
    course_14_days: Course14DaysLimits
    no_response_72h: NoResponse72hLimits
    supply_low: SupplyLowLimits
    reading_frozen: ReadingFrozenLimits
    calibration_overdue: CalibrationOverdueLimits
    device_alarm: DeviceAlarmLimits
    rebound_suspected: ReboundSuspectedLimits
    telemetry_lost: TelemetryLostLimits
    eligibility_review: EligibilityReviewLimits
    data_rejected: DataRejectedLimits
    monitor_blind: MonitorBlindLimits
    sources: dict[str, str]
    bounds: dict[str, str]
    rules_version: str
