"""What a delivery device reports about itself and the gas that it gives."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.units import Bar, Count, DeviceName, No2Ppm, NoPpm, PatientId, Pct, SetPpm, Time, Word

Mode = Literal["delivering", "standby", "calibrating", "purging", "backup", "off"]
Validity = Literal["valid", "questionable", "calibrating", "invalid"]
Generation = Literal["real", "test", "demo"]
AlarmPriority = Literal["high", "medium", "low", "info"]


class DeviceAlarm(Struct, frozen=True, kw_only=True, gc=False):
    """An alarm that the device itself raises; relayed, never replaced."""

    code: Word
    priority: AlarmPriority
    active: bool


class Telemetry(Struct, frozen=True, kw_only=True, gc=False, tag="telemetry", tag_field="type"):
    """One sample. A number that is ``None`` is unknown; it is never read as 0.

    ``validity`` follows the measurement validity of IEEE 11073 SDC, ``generation`` its
    generation mode: ``test`` and ``demo`` samples are kept and never page; ``None`` is the default.
    """

    time: Time
    device: DeviceName
    patient: PatientId
    unit: Word
    bed: Word
    mode: Mode
    seq: Count | None = None
    set_ppm: SetPpm | None = None
    no_ppm: NoPpm | None = None
    no2_ppm: No2Ppm | None = None
    fio2_pct: Pct | None = None
    spo2_pct: Pct | None = None
    cylinder_bar: Bar | None = None
    validity: Validity | None = "valid"
    generation: Generation | None = "real"
    alarms: Annotated[tuple[DeviceAlarm, ...], Meta(max_length=64)] | None = None
