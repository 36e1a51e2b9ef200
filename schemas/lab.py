"""A laboratory result. Clocks run on ``time``, which is when the blood was collected."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.units import PatientId, Time, Word

METHEMOGLOBIN = "2614-6"
"""LOINC: methemoglobin per hemoglobin in blood."""

LabStatus = Literal["final", "amended", "cancelled", "entered-in-error"]


class Lab(Struct, frozen=True, kw_only=True, tag="lab", tag_field="type"):
    """One result; an amendment repeats the ``id``.

    ``value`` is in ``unit``: ``%`` (0 to 100) or ``1``, a fraction (0 to 1). Both may be missing
    only where the result was withdrawn.
    """

    time: Time
    id: Word
    patient: PatientId
    code: Word
    status: LabStatus
    value: Annotated[float, Meta(ge=0)] | None = None
    unit: Literal["%", "1"] | None = None
    resulted: Time | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether the result counts as never having been there."""
        return self.status in ("cancelled", "entered-in-error")

    @property
    def value_pct(self) -> float | None:
        """The value in percent; ``None`` when there is none."""
        if self.value is None:
            return None
        # Rounded, because 0.07 * 100 is 7.000000000000001 and limits are exact.
        return round(self.value * 100, 6) if self.unit == "1" else self.value
