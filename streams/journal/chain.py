"""What is wrong with a chain, and where first: a pure reading of its lines.

Promise: of a chain that was sealed with known keys, any changed byte and any entry that is missing,
repeated, moved or taken from elsewhere is found, and the first bad place is named. What is missing
from the end is found by the anchors that were made after it, and by nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from schemas.anchor import Anchor
from streams.journal.links import Bad, Link, Read, What
from streams.journal.sealed import START


class Fault(Struct, frozen=True, kw_only=True):
    """The first bad record of a chain: its number and line (both from 1), and what is wrong."""

    seq: int
    line: int
    what: What
    detail: str


class Report(Struct, frozen=True, kw_only=True):
    """A chain as it was found; its first ``entries`` are as they were written.

    ``begins`` and ``ends`` are the times of the first and the last of these, ``head`` is the hash
    of the last. ``lost`` counts the offsets between them that Kafka no longer had when the journal
    came to read them: of the journal nothing is missing there.
    """

    chain: str
    entries: int
    begins: datetime | None
    ends: datetime | None
    head: str
    lost: int
    fault: Fault | None


class Pin(Struct, frozen=True):
    """What an anchor says of an entry: its ``hash``; ``anchor`` is that anchor's number."""

    hash: str
    anchor: int


Pins = Mapping[int, Sequence[Pin]]
"""By the number of the entry; those of one entry differ in their hash."""


def pins_of(anchors: Iterable[Anchor]) -> dict[str, dict[int, list[Pin]]]:
    """Sort what anchors say by chain. The first anchor that saw an entry speaks for the others."""
    found: dict[str, dict[int, list[Pin]]] = {}
    for anchor in anchors:
        for head in anchor.heads:
            said = found.setdefault(head.chain, {}).setdefault(head.seq, [])
            if head.hash not in [pin.hash for pin in said]:
                said.append(Pin(head.hash, anchor.number))
    return found


def read_chain(chain: str, lines: Iterable[bytes], read: Read, pins: Pins) -> Report:
    """Read the lines of a file, with their newlines, up to the first fault.

    ``read`` makes a link of a line without its newline.
    """
    rest = iter(lines)
    first: Link | None = None
    last: Link | None = None
    count = lost = 0
    for line in rest:
        link = read(line[:-1]) if line.endswith(b"\n") else _TORN
        bad = _misplaced(link, chain, count, last, pins) if isinstance(link, Link) else link
        if isinstance(link, Bad) or bad is not None:
            break
        if last is not None and link.offset is not None and last.offset is not None:
            lost += max(0, link.offset - last.offset - 1)
        first, last, count = first or link, link, count + 1
    else:
        bad = _truncated(count, pins)
    if bad is _TORN:
        bad = _truncated(count, pins) or bad
    elif bad is not None and bad.what == "missing" and _comes(count + 1, rest, read):
        bad = Bad("reordered", f"another entry stands here, and {count + 1} further down")
    fault = None
    if bad is not None:
        fault = Fault(seq=count + 1, line=count + 1, what=bad.what, detail=bad.detail)
    return Report(
        chain=chain,
        entries=count,
        begins=first.time if first else None,
        ends=last.time if last else None,
        head=last.hash if last else START,
        lost=lost,
        fault=fault,
    )


_TORN = Bad("torn", "its end is missing: it was cut off, or a write was broken off there")


def _misplaced(link: Link, chain: str, count: int, last: Link | None, pins: Pins) -> Bad | None:
    """Say why a genuine line may not stand after ``count`` others, the last of them ``last``."""
    expected = count + 1
    if link.chain != chain:
        return Bad("replaced", f"entry {link.seq} of {link.chain} stands here")
    if link.seq > expected:
        through = f" to {link.seq - 1}" if link.seq - 1 > expected else ""
        return Bad("missing", f"after {count} comes {link.seq}: {expected}{through} is not there")
    if link.seq < expected:
        return Bad("reordered", f"entry {link.seq} stands here again")
    if link.prev != (last.hash if last else START):
        return Bad("replaced", "it was not made to follow on the one before it")
    for pin in pins.get(link.seq, ()):
        if pin.hash != link.hash:
            return Bad("replaced", f"anchor {pin.anchor} has seen another one in its place")
    return None


def _comes(seq: int, rest: Iterator[bytes], read: Read) -> bool:
    """Whether entry ``seq`` stands further down: then it was moved, not taken away."""
    links = (read(line.rstrip(b"\n")) for line in rest)
    return any(isinstance(link, Link) and link.seq == seq for link in links)


def _truncated(count: int, pins: Pins) -> Bad | None:
    beyond = [seq for seq in pins if seq > count]
    if not beyond:
        return None
    least, most = min(beyond), max(beyond)
    seen = f"anchor {pins[least][0].anchor} has seen entry {least}"
    if most > least:
        seen += f", anchor {pins[most][0].anchor} entry {most}"
    return Bad("truncated", f"the chain ends after {count} entries, but {seen}")
