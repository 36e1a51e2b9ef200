"""One profile that judges everybody, whatever a unit or a patient's context names."""

from alerts.limits import Limits
from alerts.profile_book import InvalidProfile, ProfileBook


class OneProfile(ProfileBook):
    """A book with ``limits`` in it and nothing else; no unit has a profile of its own."""

    def __init__(self, limits: Limits) -> None:
        self._one = limits

    @property
    def names(self) -> frozenset[str]:
        """The name of the one profile."""
        return frozenset({self._one.name})

    def named(self, name: str) -> Limits:
        """Return the profile; ``InvalidProfile`` when it has another name."""
        if name != self._one.name:
            raise InvalidProfile(f"no profile {name!r}; there is {self._one.name}")
        return self._one

    def find(self, name: str) -> Limits | None:
        """Return the profile if that is its name."""
        return self._one if name == self._one.name else None

    def of_unit(self, unit: str) -> Limits | None:  # noqa: ARG002 - the port's signature
        """Return nothing: no unit has a profile of its own."""
        return None
