"""What is remembered of one patient between two records.

This is the whole memory of the judgement: it goes to the changelog as it is and comes back after a
crash. It holds facts and running timers, no decision. The structs are changed in place by
``streams.therapy`` and ``alerts.occurrence`` and by nothing else. They form no cycles, so Python's
search for such may pass them by. Tuples, since an empty list costs every patient 56 bytes.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct, field

from schemas.alert import Alert, Priority
from schemas.course import DoseOrder, Flags, Indication
from schemas.stand_in import NOT_KNOWN
from schemas.telemetry import AlarmPriority, Mode
from schemas.unit import UnitShare

CoursePhase = Literal["running", "paused"]
"""``running``: delivery goes on, as far as is known. ``paused``: it ended less than 2 h ago."""

Readings = tuple[float | None, float | None, float | None, float | None, float | None]
"""What one sample measured: NO and NO2 in ppm, FiO2 and SpO2 in %, supply pressure in bar."""


class Supply(Struct, frozen=True, omit_defaults=True, gc=False):
    """The pressure of a cylinder at a time, in bar."""

    time: datetime
    bar: float


class ActiveAlarm(Struct, frozen=True, omit_defaults=True, gc=False):
    """An alarm of the device itself: active since ``since``, a high one since ``high_since``."""

    code: str
    priority: AlarmPriority
    since: datetime
    high_since: datetime | None = None


class DeviceState(Struct, omit_defaults=True, gc=False):
    """The newest sample judged of one device at this patient.

    ``active``: it delivers as far as is known (calibrating in between does not change that).
    ``heard``: when it was last heard of; the sample's time, or the clock at its arrival when it
    came so late that its own time would already count as silence.
    ``gave``: when it last delivered.
    ``seqs``: the counters seen at exactly ``time``, so that a repeated record is known.
    ``readings``: the last known of each; ``same_since``: they have not changed since then.
    ``supplies``: the pressure every few minutes, ``fall_bar_h`` how fast it fell over them.
    ``uncalibrated``: delivered time since its last calibration, ``None`` when it never reported
    one; ``calibration_due``: the moment at which that became too long.
    ``alarms``: its own, as far as they are active.
    """

    name: str
    time: datetime
    heard: datetime
    seqs: list[int | None]
    mode: Mode
    set_ppm: float | None = None
    active: bool = False
    gave: datetime | None = None
    readings: Readings = (None, None, None, None, None)
    same_since: datetime | None = None
    supplies: tuple[Supply, ...] = ()
    fall_bar_h: float = 0.0
    uncalibrated: timedelta | None = None
    calibration_due: datetime | None = None
    alarms: tuple[ActiveAlarm, ...] = ()


class FastStep(Struct, frozen=True, omit_defaults=True, gc=False):
    """A step down that went too far or came too soon; it counted from ``at`` on."""

    onset: datetime
    at: datetime
    from_ppm: float
    to_ppm: float


class HighSince(Struct, frozen=True, omit_defaults=True, gc=False):
    """Since when the newest methemoglobin value has reached a limit: known, and collected."""

    at: datetime
    onset: datetime


class Asked(Struct, frozen=True, omit_defaults=True, gc=False):
    """What policies ask, each with the policy's name, that is not met; since when any of it."""

    items: tuple[tuple[str, str], ...]
    since: datetime


class CourseState(Struct, omit_defaults=True, gc=False):
    """One course of therapy.

    ``delivered`` is accounted up to ``counted_to``; ``counting`` says whether delivery ran there.
    ``dose_ppm`` has been set since ``dose_since``; ``held_ppm`` is the last dose before it that was
    held long enough to count as *the dose before a stop*.
    ``stop_since`` is where the hold time of a stop runs from, ``ended`` where delivery ended.
    ``heard`` is when a device that may be delivering was last heard of; it never goes back.
    ``short_since`` is when the next methemoglobin check came to be due at the short interval.
    ``methb_high``: for each limit that the newest value has reached, the lowest first.
    ``settled_ppm`` is the last dose that stood long enough to count as a step, ``last_step`` when
    it was last lowered, ``fast_step`` the last such step if it was too fast.
    ``reopened``: it had seemed to have ended, until samples that were under way said otherwise.
    ``lowered``: when delivery was last lowered or stopped, ``spo2_before_pct`` the saturation then.
    ``spo2_first_pct`` and ``fio2_first_pct`` were the first ones known in the course; one of them
    has been better since ``better_since``, and for long enough at ``improved``. ``tapered`` is when
    the dose was lowered from ``taper_from_ppm``, ``taper_ended`` when it was last put back.
    ``contradicted`` and ``lacking`` are what the label and the payer ask of the start and the
    context contradicts or does not say.
    ``grouped``: the silence that began there is told of with the whole unit; ``ungrouped`` is when
    it was last left to be told of alone.
    """

    start: datetime
    running_since: datetime
    counted_to: datetime
    counting: bool
    phase: CoursePhase = "running"
    delivered: timedelta = timedelta()
    blind: timedelta = timedelta()
    dose_ppm: float | None = None
    dose_since: datetime | None = None
    held_ppm: float | None = None
    ended: datetime | None = None
    stop_since: datetime | None = None
    stop_device: str | None = None
    stop_from_ppm: float | None = None
    stop_gap: timedelta | None = None
    planned: tuple[datetime, ...] = ()
    unplanned: datetime | None = None
    over_since: datetime | None = None
    methb_withdrawn: datetime | None = None
    reopened: datetime | None = None
    short_since: datetime | None = None
    methb_high: tuple[HighSince, ...] = ()
    settled_ppm: float | None = None
    last_step: datetime | None = None
    fast_step: FastStep | None = None
    heard: datetime | None = None
    lowered: datetime | None = None
    spo2_before_pct: float | None = None
    spo2_first_pct: tuple[float, ...] = ()
    fio2_first_pct: tuple[float, ...] = ()
    better_since: datetime | None = None
    improved: datetime | None = None
    tapered: datetime | None = None
    taper_from_ppm: float | None = None
    taper_ended: datetime | None = None
    contradicted: Asked | None = None
    lacking: Asked | None = None
    grouped: datetime | None = None
    ungrouped: datetime | None = None


class LabState(Struct, omit_defaults=True, gc=False):
    """One methemoglobin result, collected at ``time``; ``None`` for a withdrawn value."""

    time: datetime
    resulted: datetime | None
    value_pct: float | None
    withdrawn: bool


class Context(Struct, omit_defaults=True, gc=False):
    """The newest word on each field of the patient's context, when it was said and arrived."""

    born: datetime | None = None
    gestational_age: str | float | None = None
    indication: Indication | None = None
    payer: str | None = None
    profile: str | None = None
    oxygenation_index: float | None = None
    dose_order: DoseOrder | None = None
    flags: Flags = Flags()
    said: dict[str, datetime] = field(default_factory=dict)
    arrived: dict[str, datetime] = field(default_factory=dict)


class TierState(Struct, omit_defaults=True, gc=False):
    """One tier of one rule: whether it holds, and the running hold that would turn it.

    ``since`` is where the running hold began, ``due`` when it is over; ``None``: nothing runs.
    ``strict``: it turns only when the clock is past ``due``. ``fired`` is the deadline that made a
    tier of a deadline rule active, so that a deadline that moves away is noticed.
    """

    active: bool = False
    since: datetime | None = None
    due: datetime | None = None
    strict: bool = False
    fired: datetime | None = None


class Occurrence(Struct, omit_defaults=True, gc=False):
    """An open alert: what its last transition said."""

    id: str
    onset: datetime
    at: datetime
    priority: Priority
    course: datetime | None
    device: str
    summary: str
    limit: float | None = None
    unit_of_measure: str | None = None
    source: str = ""


class Track(Struct, omit_defaults=True, gc=False):
    """Where one rule stands with one patient.

    ``cleared`` is when its last occurrence ended: a new one begins then or later, so that it is not
    taken for the old one.
    """

    tiers: tuple[TierState, ...]
    open: Occurrence | None = None
    cleared: datetime | None = None


class Refusal(Struct, frozen=True, omit_defaults=True, gc=False):
    """A record that claimed to be of ``device`` and was refused at ``at`` for ``reason``.

    ``mark`` is the same for the same record.
    """

    at: datetime
    device: str | None
    reason: str
    mark: str


class UnitSilence(Struct, omit_defaults=True, gc=False):
    """How silent a unit is: the newest share that each partition has told of it.

    ``silent`` of its ``devices`` count as silent together; ``since`` is when that began, if it is
    told of as one, and ``few_since`` when they came to be too few for it.
    """

    shares: dict[int, UnitShare] = field(default_factory=dict)
    silent: int = 0
    devices: int = 0
    since: datetime | None = None
    few_since: datetime | None = None


class Band(Struct, omit_defaults=True, gc=False):
    """Readings about which no rule has anything to say that it had not said before.

    NO from ``no_from_ppm`` to ``no_to_ppm``, NO2 below ``no2_ppm``, supply above ``bar``, SpO2 from
    ``spo2_from_pct`` and below ``spo2_to_pct``, FiO2 above ``fio2_pct``.
    """

    no_from_ppm: float
    no_to_ppm: float
    no2_ppm: float
    bar: float
    spo2_from_pct: float
    spo2_to_pct: float
    fio2_pct: float


class PatientState(Struct, omit_defaults=True, gc=False):
    """Everything remembered of one patient, or of a stand-in for one (``schemas.stand_in``).

    ``offsets`` is the last applied offset per input topic: a redelivered record is a no-op.
    ``outbox`` holds transitions that were decided and may not have reached the alerts topic yet.
    ``earlier`` is the delivered time of courses that ended; ``lapsed`` the course that ended by
    itself last, in case a sample shows that delivery went on within the interruption allowed.
    ``seen`` names the newest results, context records and acts, so that a repeated one is known.
    ``judged_by`` is the version of the rules and the profile that judged last; empty: none yet.
    ``lag`` is how late the newest sample arrived: holds run in the patient's own time.
    ``refused`` has the newest refused records by the device that they named, the newest last.
    ``silence`` is there when this stands for a whole unit.
    ``next_due`` is a lower bound of when anything may happen without a record, ``quiet_until`` the
    same without silence, which each sample puts off; ``steady`` says that
    a sample like the one before, earlier than ``steady_until`` and its readings within ``band``,
    needs no rule.
    """

    patient: str
    unit: str = NOT_KNOWN
    bed: str = NOT_KNOWN
    device: str = NOT_KNOWN
    partition: int = 0
    offsets: dict[str, int] = field(default_factory=dict)
    outbox: list[Alert] = field(default_factory=list)
    clock: datetime | None = None
    devices: dict[str, DeviceState] = field(default_factory=dict)
    course: CourseState | None = None
    earlier: timedelta = timedelta()
    lapsed: CourseState | None = None
    closed: datetime | None = None
    reviewed: datetime | None = None
    context: Context = field(default_factory=Context)
    labs: dict[str, LabState] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    lag: timedelta = timedelta()
    tracks: dict[str, Track] = field(default_factory=dict)
    judged_by: str = ""
    late_samples: int = 0
    refused: dict[str, list[Refusal]] = field(default_factory=dict)
    silence: UnitSilence | None = None
    sample_time: datetime | None = None
    no_ppm: float | None = None
    no2_ppm: float | None = None
    fio2_pct: float | None = None
    spo2_pct: float | None = None
    next_due: datetime | None = None
    quiet_until: datetime | None = None
    steady: bool = False
    steady_until: datetime | None = None
    band: Band | None = None
