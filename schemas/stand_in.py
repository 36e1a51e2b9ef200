"""Names for what is judged like a patient and is none.

A whole unit whose devices fall silent together, and the records of one partition that belong to no
patient whom it knows. Each has a state, an outbox and alerts of its own, under a name that no
pseudonym can be, so that no record can come in under it.
"""

EVERY = "*"
"""The bed and the device of an alert that is about all of a unit; patient and unit too where it is
about the whole site."""
NOT_KNOWN = "?"
"""A unit, bed or device that nobody has named."""


def whole_unit(unit: str) -> str:
    """Name a unit as a whole; the same in every partition."""
    return f"{EVERY}{unit}"


def unknown_patient(partition: int) -> str:
    """Name whoever sends records to a partition without being known there."""
    return f"{NOT_KNOWN}{partition}"


def is_unknown(patient: str) -> bool:
    """Whether this name stands for no patient in particular."""
    return patient.startswith(NOT_KNOWN)
