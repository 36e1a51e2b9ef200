"""Lines that cannot be changed unseen: each ends with an HMAC over all the bytes before it.

Promise: a line that ``is_genuine`` is, to the byte, one that was sealed with that key. The HMAC is
over the written bytes and not over what they mean, so there is no second spelling to agree on:
anybody can check it with ten lines in any language. Pure: it knows neither files nor chains.
"""

import hmac

from schemas.anchor import Anchor
from schemas.encode import encode
from schemas.entry import Entry

START = "0" * 64
"""What stands for the hash before the first one."""
_BEFORE, _AFTER = b',"hash":"', b'"}'
_SEAL_BYTES = len(_BEFORE) + 64 + len(_AFTER)


def sealed(record: Entry | Anchor, key: bytes) -> bytes:
    """Write ``record`` as a line without its newline, sealed with ``key``.

    Whatever the record's own ``hash`` holds gives way.
    """
    text = encode(record)
    said = text[: -len(_BEFORE) - len(record.hash) - len(_AFTER)]
    return _with_seal(said, key)


def is_genuine(line: bytes, key: bytes) -> bool:
    """Whether ``line`` was sealed with ``key`` and nothing of it was changed since."""
    return hmac.compare_digest(line, _with_seal(line[:-_SEAL_BYTES], key))


def _with_seal(said: bytes, key: bytes) -> bytes:
    return said + _BEFORE + hmac.digest(key, said, "sha256").hex().encode() + _AFTER
