"""What is known about a patient and the purpose of the therapy, beside the device's telemetry."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.units import PatientId, Sentence, SetPpm, Time, Word

Indication = Literal["hrf-pphn", "perioperative-chd", "ards", "lung-transplant", "other"]


class Flags(Struct, frozen=True, kw_only=True):
    """Findings that are present, absent or, when missing, unknown."""

    cdh: bool | None = None
    right_to_left_shunt_dependent: bool | None = None
    lv_dysfunction: bool | None = None
    echo_confirmed_ph: bool | None = None
    conventional_therapy_failed: bool | None = None
    no_donor_drug: bool | None = None
    ecmo: bool | None = None


class DoseOrder(Struct, frozen=True, kw_only=True):
    """An ordered, named and expiring exception to the dose limit."""

    max_set_ppm: SetPpm
    until: Time
    by: Word
    reason: Sentence


class Course(Struct, frozen=True, kw_only=True, tag="course", tag_field="type"):
    """Context of a course. The newest record wins, field by field; ``None`` says nothing.

    ``gestational_age`` is weeks and days at birth, written ``36w2d``, ``36+2`` or ``36 2/7``; a
    number is taken up only so that it can be refused with its own reason. ``by`` is who entered it.
    ``oxygenation_index`` is mean airway pressure (cmH2O) x FiO2 (0..1) x 100 / PaO2 (mmHg).
    """

    time: Time
    id: Word
    patient: PatientId
    unit: Word | None = None
    bed: Word | None = None
    born: Time | None = None
    gestational_age: str | float | None = None
    indication: Indication | None = None
    payer: Word | None = None
    profile: Word | None = None
    flags: Flags | None = None
    oxygenation_index: Annotated[float, Meta(ge=0, le=500)] | None = None
    dose_order: DoseOrder | None = None
    by: Word | None = None
