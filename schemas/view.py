"""Somebody looked at what is known of a patient, or of a whole ward."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.units import Time, Word

PatientOrNone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,64}\Z")]
"""A pseudonym; empty when the look was at more than one patient."""


class View(Struct, frozen=True, kw_only=True):
    """At ``time``, ``by`` looked at ``what``: of one ``patient``, or of a ``unit``, or of all.

    ``what`` is a short name of what was shown: ``board``, ``explain``, ``dead-letter``, or
    ``audit:`` and the question. ``by`` is who the proxy, INOWATCH_USER or the machine said it was,
    ``unknown`` where nobody said. A look that is noted twice has the same ``id``.
    """

    time: Time
    id: Word
    by: Word
    what: Word
    patient: PatientOrNone = ""
    unit: Annotated[str, Meta(max_length=256)] = ""
