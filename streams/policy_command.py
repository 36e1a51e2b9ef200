"""``inowatch policy``: a recording in, one patient's worksheet out."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import zstandard

from alerts.policy import Policy
from alerts.policy_reading import load_policies
from schemas.rejected import Rejected
from streams.followed import Followed
from streams.recording import read_lines
from streams.replay import replay, replay_until
from streams.ward import Ward
from streams.worksheet import Worksheet, worksheet


class InvalidAsk(ValueError):
    """What was asked for cannot be shown as it was asked."""


class UnknownPatient(ValueError):
    """The recording holds nothing of the patient; ``refused`` counts its refusals by reason."""

    def __init__(self, words: str, refused: Counter[str]) -> None:
        super().__init__(words)
        self.refused = refused


_MOST_NAMES = 10


def run_policy(
    path: Path, name: str, at: datetime | None, payer: str | None, ward: Ward
) -> tuple[Worksheet, Counter[str]]:
    """Judge the recording up to its end or ``at``; return the worksheet and refusals by reason.

    ``payer`` stands in for the one that is recorded. Raises ``InvalidAsk`` and ``UnknownPatient``,
    and ``OSError`` for a file that cannot be read to its end.
    """
    policies = load_policies()
    _check(payer, policies)
    refused, followed = Counter[str](), Followed(name)

    def refuse(_number: int, _line: bytes, why: Rejected) -> None:
        refused[why.reason] += 1

    lines = _watched(read_lines(path, lambda _: None), ward, followed)
    try:
        for _ in replay(lines, ward, refuse, at):
            pass
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as wrong:
        raise OSError(f"{path} cannot be read to its end: {wrong}") from None
    for _ in replay_until(ward, at):
        pass
    patient = ward.patients.get(name)
    if patient is None or ward.clock is None:
        when = f" up to {at.isoformat()}" if at else ""
        words = f"no patient {name!r}: {path} holds {_names(sorted(ward.patients), when)}"
        raise UnknownPatient(words, refused)
    followed.look(patient)
    shown = payer or patient.context.payer
    return worksheet(followed, patient, ward.clock, shown, policies), refused


def _check(payer: str | None, policies: Iterable[Policy]) -> None:
    of_payers = [policy for policy in policies if policy.kind == "payer"]
    if payer is not None and not any(policy.applies_to(payer) for policy in of_payers):
        known = ", ".join(policy.name for policy in of_payers)
        raise InvalidAsk(f"no policy of a payer {payer!r}; there are {known}")


def _names(patients: list[str], when: str) -> str:
    """Count the patients and name the first of them, so that one can ask again."""
    count = f"{len(patients)} patient{'s' if len(patients) != 1 else ''}{when}"
    named = ", ".join(patients[:_MOST_NAMES])
    rest = len(patients) - _MOST_NAMES
    return count + (f": {named}" if named else "") + (f" and {rest} more" if rest > 0 else "")


def _watched(lines: Iterable[bytes], ward: Ward, followed: Followed) -> Iterator[bytes]:
    """Hand on the lines; when the next one is asked for, the one before has been judged."""
    for line in lines:
        yield line
        patient = ward.patients.get(followed.name)
        if patient is not None:
            followed.look(patient)
