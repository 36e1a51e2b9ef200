"""Records of topics to entries of the journal: a pure mapping, the same for the same record.

What a record says is not judged here: an action that the monitor refuses is evidence as well.
"""

from base64 import b64encode
from datetime import datetime

import msgspec

from schemas.entry import Entry, EntryKind
from schemas.topics import Topics
from streams.batch import KafkaRecord
from streams.journal.sealed import START

MOST_BRACKETS = 100
"""What nests deeper than any record of ours is kept as bytes: a reader has a limit of its own."""
_NULL = msgspec.Raw(b"null")
_JSON = msgspec.json.Decoder()


def kinds(names: Topics) -> dict[str, EntryKind]:
    """Name the topics that are journaled, each with what it holds."""
    return {
        names.alerts: "alert",
        names.pages: "page",
        names.actions: "action",
        names.changes: "profile-change",
        names.views: "view",
    }


def chain_of(topic: str, partition: int) -> str:
    """Name the chain of one partition of a topic."""
    return f"{topic}/{partition}"


def entry_of(record: KafkaRecord, kind: EntryKind, recorded: datetime) -> Entry:
    """Make the entry of a record; its place in the chain is given to it later."""
    value = record.value or b""
    content = _content(value)
    is_line = content is not _NULL and _is_plain(value)
    return Entry(
        chain=chain_of(record.topic, record.partition),
        seq=1,
        kind=kind,
        at=_time(content, "at" if kind == "alert" else "time"),
        recorded=recorded,
        offset=record.offset,
        body=msgspec.Raw(value) if is_line else _NULL,
        raw=None if is_line or not value else b64encode(value).decode(),
        prev=START,
        key_id="-",
        hash=START,
    )


def _is_plain(value: bytes) -> bool:
    """Whether it stands on one line, and no reader of a line can trip over its depth."""
    brackets = value.count(b"{") + value.count(b"[")
    return b"\n" not in value and b"\r" not in value and brackets <= MOST_BRACKETS


def _content(value: bytes) -> object:
    """Read what a record holds; ``_NULL`` when it is no JSON."""
    try:
        value.decode()
        return _JSON.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NULL


def _time(content: object, name: str) -> datetime | None:
    if not isinstance(content, dict):
        return None
    try:
        return msgspec.convert(content.get(name), datetime)
    except msgspec.ValidationError:
        return None
