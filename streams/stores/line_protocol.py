r"""Points as InfluxDB's line protocol, and the marks that keep every character on the way.

Line protocol has no way to write a newline or a trailing backslash in a tag, and InfluxDB's answers
(CSV with CRLF) drop a carriage return and change a newline within a text. Such characters are
written as ESC and two hexadecimal digits, and ``unmarked`` gives them back; in practice none is
there, and what other programs see is what was written. Expects points that are ``fitted``.
"""

import re
from functools import lru_cache

from streams.stores.instant import us_of
from streams.stores.port import Field, Point

_UNSAFE_IN_TAG = re.compile(r"[\x00-\x1f\x7f\\]")
_UNSAFE_IN_FIELD = re.compile(r"[\n\r\x1b]")
_MARK = re.compile(r"\x1b([0-9a-f]{2})")
_ESCAPED_IN_TAG = re.compile(r"[,= ]")
_NS_PER_US = 1000
_TAGS_REMEMBERED = 2_000
"""Most lines repeat the tags of a few beds. At under 1 KB each they take 2 MB."""


def line_of(point: Point) -> bytes:
    """One line, without its newline: sorted tags, the time in nanoseconds, ``twin`` in the last."""
    tags = _tags(tuple(point.tags.items()))
    fields = ",".join(
        [
            f"{name}={value!r}" if type(value) is float else f"{name}={_written(value)}"
            for name, value in point.fields.items()
        ]
    )
    time_ns = us_of(point.time) * _NS_PER_US + point.twin
    return f"{point.measurement}{tags} {fields} {time_ns}".encode()


def marked_tag(value: str) -> str:
    """Write a tag's value as InfluxDB holds it; a filter has to ask for this."""
    return _UNSAFE_IN_TAG.sub(_mark, value)


def unmarked(text: str) -> str:
    """Restore a text, of a tag or a field, from what InfluxDB holds."""
    return _MARK.sub(lambda mark: chr(int(mark[1], 16)), text) if "\x1b" in text else text


@lru_cache(_TAGS_REMEMBERED)
def _tags(tags: tuple[tuple[str, str], ...]) -> str:
    return "".join([f",{name}={_escaped_tag(value)}" for name, value in sorted(tags)])


def _escaped_tag(value: str) -> str:
    return _ESCAPED_IN_TAG.sub(_with_backslash, marked_tag(value))


def _written(value: Field) -> str:
    if isinstance(value, str):
        if value.isalnum():
            return f'"{value}"'
        # Plain searches: a pattern takes thirty times as long, and there is hardly ever one.
        if "\n" in value or "\r" in value or "\x1b" in value:
            value = _UNSAFE_IN_FIELD.sub(_mark, value)
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value))


def _mark(found: re.Match[str]) -> str:
    return f"\x1b{ord(found[0]):02x}"


def _with_backslash(found: re.Match[str]) -> str:
    return "\\" + found[0]
