"""Records to points, and back: a pure mapping, with no I/O and no clock.

Promises that nothing of a record is lost: its canonical JSON stands in the string field
``record``, and ``record_of`` restores it exactly. The other fields repeat its numbers and words
for charts and for questions; a number that is unknown is a field that is absent, never 0.
Nothing that names a person is added to what the record says: a patient is a pseudonym.
It does not know where points are kept, nor which record is the newest.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from schemas.encode import encode
from streams.stores.fitness import is_short
from streams.stores.pieces import growing, pieces
from streams.stores.port import Field, Point
from streams.stores.shapes import SHAPES, Record, slot, version
from streams.stores.surplus import surplus

WHOLE = "record"
"""The text that every point has: all of its record."""
_DECODERS: dict[str, msgspec.json.Decoder[Record]] = {
    shape.measurement: msgspec.json.Decoder(kind) for kind, shape in SHAPES.items()
}
_SHOWN: dict[type[Record], tuple[str, ...]] = {
    kind: tuple(
        name
        for name in kind.__struct_fields__
        if name not in shape.tags and name not in shape.hidden
    )
    for kind, shape in SHAPES.items()
}


def _reader(names: tuple[str, ...]) -> Callable[[Record], tuple[Any, ...]]:
    values = attrgetter(*names)
    # Of a single name it gives the value by itself.
    return values if len(names) > 1 else lambda record: (values(record),)


_READ = {kind: _reader(names) for kind, names in _SHOWN.items()}
"""The values of the shown fields at once: one question a record, instead of one a field."""
_AS_TEXT = "gestational_age"
"""The one field whose type allows numbers and texts; a store keeps one kind, so it is a text."""


def points_of(record: Record, raw: bytes | None = None) -> list[Point]:
    """Make the points that keep ``record``: one, as things are.

    ``raw`` is the record as it came. Where it says more than the contract knows (extra fields),
    it is kept too, as ``raw``; otherwise it would only repeat ``record``.
    """
    kind = type(record)
    shape = SHAPES[kind]
    canonical = encode(record)
    tags = {name: text for name in shape.tags if (text := str(getattr(record, name)))}
    if shape.versioned:
        tags["version"] = version(canonical)
    twin = 0
    if shape.twin == "content":
        twin = slot(int(version(canonical), 16))
    elif shape.twin is not None:
        twin = slot(getattr(record, shape.twin))
    fields: dict[str, Field] = {}
    for name, value in zip(_SHOWN[kind], _READ[kind](record), strict=True):
        if type(value) is float and name != _AS_TEXT:
            fields[name] = value
        elif value is not None:
            _add(fields, name, value)
    fields |= pieces(WHOLE, canonical.decode())
    fields |= surplus(raw, canonical)
    return [Point(shape.measurement, tags, fields, getattr(record, shape.time), twin)]


def record_of(point: Point) -> Record:
    """Restore the record that ``point`` keeps, exactly; ``ValueError`` if it keeps none."""
    decoder = _DECODERS.get(point.measurement)
    if decoder is None:
        raise ValueError(f"{point.measurement} holds no records of the contract")
    reason = "there is no field named record"
    for text in growing(WHOLE, point.fields):
        try:
            return decoder.decode(text)
        except msgspec.DecodeError as not_whole:
            reason = str(not_whole)
    raise ValueError(f"a point of {point.measurement} holds no whole record: {reason}")


def _add(fields: dict[str, Field], name: str, value: Any) -> None:
    """Add what is known: ``flags.cdh`` as ``flags_cdh``, a list as its JSON, a number as a float.

    A text that is empty or too long for one field stands in ``record`` only.
    """
    if name == _AS_TEXT:
        fields[name] = str(value)
    elif isinstance(value, (float, bool)):
        fields[name] = value
    elif isinstance(value, str):
        if value and is_short(value):
            fields[name] = value
    elif isinstance(value, int):
        fields[name] = float(value)
    elif isinstance(value, tuple | list):
        _add(fields, name, msgspec.json.encode(value).decode())
    elif isinstance(value, dict):
        for key, inner in value.items():
            if inner is not None:
                _add(fields, f"{name}_{key}", inner)
    else:
        _add(fields, name, msgspec.to_builtins(value))
