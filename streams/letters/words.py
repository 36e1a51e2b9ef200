"""Dead letters in words: a line each, their counts, one in full, and as JSON for machines.

What a sender wrote may say anything, also to a terminal: everything that is not plain text is
written as an escape. In JSON nothing is changed.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from schemas.encode import encode
from schemas.rejected import DeadLetter, Reason
from streams.letters.letter import Found, is_cut

_DETAIL_CHARACTERS = 160
"""In the list; ``show`` has all of it."""
_HEX_BYTES = 32
_ROW = "{:<10} {:<24} {:<28} {:<18} {:>8}  {}"
HEADING = _ROW.format("place", "refused", "sent to", "reason", "bytes", "detail")


class Listed(Struct, frozen=True, kw_only=True):
    """A letter in a list for machines. ``value_bytes`` is ``None`` where there was no value."""

    place: str
    time: datetime
    topic: str
    partition: int
    offset: int
    reason: Reason
    detail: str
    value_bytes: int | None


def as_json(found: Found) -> str:
    """One line of JSON."""
    letter = found.letter
    listed = Listed(
        place=str(found.place),
        time=letter.time,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        detail=letter.detail,
        value_bytes=None if letter.value is None else len(letter.value),
    )
    return encode(listed).decode()


def as_row(found: Found) -> str:
    """One row under ``HEADING``."""
    letter = found.letter
    detail = plain(letter.detail)
    if len(detail) > _DETAIL_CHARACTERS:
        detail = detail[: _DETAIL_CHARACTERS - 1] + "…"
    size = "-" if letter.value is None else str(len(letter.value))
    return _ROW.format(
        str(found.place), _time(letter.time), origin(letter), letter.reason, size, detail
    ).rstrip()


def counts(reasons: Counter[str]) -> Iterator[str]:
    """How many there are, and of which reasons, the most frequent first."""
    total = reasons.total()
    yield f"{total} dead letter{'' if total == 1 else 's'}"
    for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0])):
        yield f"{count:>10}  {reason}"


def in_full(found: Found) -> Iterator[str]:
    """Everything of one letter, its bytes last."""
    letter = found.letter
    yield f"place    {found.place}"
    yield f"refused  {_time(letter.time)}"
    yield f"reason   {letter.reason}"
    yield f"detail   {plain(letter.detail)}"
    yield f"sent to  {origin(letter)}"
    for name, part in (("key", letter.key), ("value", letter.value)):
        form, lines = _written(part)
        size = "none" if part is None else f"{len(part)} bytes, {form}"
        rest = "; the rest was not kept" if is_cut(part) else ""
        yield f"{name:<8} {size}{rest}"
        yield from lines


def origin(letter: DeadLetter) -> str:
    """Where the record lay: ``ino.telemetry/3:1041``."""
    return f"{plain(letter.topic)}/{letter.partition}:{letter.offset}"


def plain(text: str) -> str:
    """Write text so that a terminal only shows it, on one line."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(part: bytes | None) -> tuple[str, list[str]]:
    """Name the form in which bytes are shown, and give their lines."""
    if not part:
        return "", []
    try:
        text = part.decode()
    except UnicodeDecodeError:
        starts = range(0, len(part), _HEX_BYTES)
        return "not UTF-8, in hex", [part[at : at + _HEX_BYTES].hex(" ") for at in starts]
    form = "text"
    if text.lstrip().startswith(("{", "[")):
        with suppress(msgspec.DecodeError, RecursionError):
            text, form = msgspec.json.format(text, indent=2), "JSON"
    return form, [plain(line) for line in text.split("\n")]
