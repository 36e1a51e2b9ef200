"""A long text as several string fields, none longer than a store takes.

``record`` holds the beginning, ``record_2``, ``record_3``, ... the rest: a dead letter as large as
Kafka's largest message becomes some 30 fields. Knows nothing of what the text says.
"""

from collections.abc import Iterator, Mapping
from itertools import count

from streams.stores.fitness import MAX_STRING_BYTES
from streams.stores.port import Field

_CONTINUES, _CONTINUATION = 0xC0, 0x80
"""In UTF-8, a byte that goes on with a character has these two bits."""


def pieces(name: str, text: str) -> dict[str, str]:
    """Cut ``text`` between characters; nothing at all when it is empty."""
    if text.isascii() and 0 < len(text) <= MAX_STRING_BYTES:
        return {name: text}
    whole = text.encode()
    cut: dict[str, str] = {}
    start = 0
    while start < len(whole):
        end = min(start + MAX_STRING_BYTES, len(whole))
        while end < len(whole) and whole[end] & _CONTINUES == _CONTINUATION:
            end -= 1
        cut[name if not cut else f"{name}_{len(cut) + 1}"] = whole[start:end].decode()
        start = end
    return cut


def growing(name: str, fields: Mapping[str, Field]) -> Iterator[str]:
    """Yield the text up to the end of its first piece, of its second, and so on.

    Which piece is the last one the reader must see in the text itself: a point that was written
    twice may still carry pieces of an older and longer text behind it.
    """
    text = ""
    for number in count(1):
        piece = fields.get(name if number == 1 else f"{name}_{number}")
        if not isinstance(piece, str):
            return
        text += piece
        yield text
