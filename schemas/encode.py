"""Records to bytes: one JSON object, keys in the order of the type, the same bytes every time."""

import msgspec

_ENCODER = msgspec.json.Encoder()


def encode(record: msgspec.Struct) -> bytes:
    """One line of JSON without its newline. Times are RFC 3339 in UTC."""
    return _ENCODER.encode(record)
