"""Whose a refused record claims to be: as much as can be read of bytes that are no record.

Promise: never raises and looks at no more than the longest record that could have been taken. What
it finds is a claim and no more: enough to say where something goes wrong, too little to judge by.
"""

import re
from datetime import UTC, datetime
from hashlib import blake2b

from msgspec import Struct

from schemas.decode import EARLIEST, LATEST, MAX_RECORD_BYTES

# Read by their looks, since what is refused for its NaN or its missing brace is no JSON.
_PATIENT = re.compile(rb'"patient"\s*:\s*"([A-Za-z0-9._-]{1,64})"')
_DEVICE = re.compile(rb'"device"\s*:\s*"([^"\\\x00-\x1f]{1,64})"')
_TIME = re.compile(rb'"time"\s*:\s*"([0-9T:.Z+-]{20,40})"')
_PSEUDONYM = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Claim(Struct, frozen=True):
    """What the bytes say of themselves; ``None`` where they do not.

    ``digest`` is the same for the same bytes.
    """

    patient: str | None
    device: str | None
    time: datetime | None
    digest: str


def claimed(raw: bytes, key: bytes | None = None) -> Claim:
    """Read the claim of a refused record; its Kafka key stands in for a patient not named."""
    looked_at = raw[:MAX_RECORD_BYTES]
    patient, device = _PATIENT.search(looked_at), _DEVICE.search(looked_at)
    named = patient[1] if patient else key
    if named is not None and not _PSEUDONYM.fullmatch(named):
        named = None
    return Claim(
        patient=named.decode() if named is not None else None,
        device=device[1].decode(errors="replace") if device else None,
        time=_time(_TIME.search(looked_at)),
        digest=blake2b(raw, digest_size=8).hexdigest(),
    )


def _time(found: re.Match[bytes] | None) -> datetime | None:
    if found is None:
        return None
    try:
        time = datetime.fromisoformat(found[1].decode())
        plausible = time.tzinfo is not None and EARLIEST <= time <= LATEST
        return time.astimezone(UTC) if plausible else None
    except (ValueError, OverflowError):
        return None
