"""The journal that was left behind, against the topics that it seals."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from schemas.entry import Entry
from streams.journal.entries import chain_of, kinds
from streams.journal.shelf import chains_in, file_of
from streams.journal.verify_command import verify
from tests.faults.difference import Difference, compared
from tests.faults.stage import Stage

_ENTRY = msgspec.json.Decoder(Entry)


def journal(stage: Stage) -> Difference:
    """Compare each record of those topics with the entries, byte for byte, each once.

    And ask what ``inowatch audit verify`` asks: whether every chain is as it was written, and its
    anchors with it.
    """
    settings = stage.settings
    if settings.journal is None or settings.journal_key_file is None:
        raise ValueError("the stage has no journal")
    rows = stage.rows(*kinds(stage.topics))
    wanted = [_said(chain_of(r.topic, r.partition), r.offset, r.value or b"") for r in rows]
    look = compared("journal", wanted, list(_kept(settings.journal)))
    verdict = verify(settings.journal, settings.anchors, settings.journal_key_file, None)
    faults = [(report.chain, report.fault) for report in verdict.reports if report.fault]
    look.surplus += [f"{chain}: entry {bad.seq} {bad.what}: {bad.detail}" for chain, bad in faults]
    return look


def _kept(folder: Path) -> Iterator[str]:
    """Yield what the chains hold, in the words of ``_said``; a torn end is the verification's."""
    for chain in chains_in(folder):
        whole, _, _torn = file_of(folder, chain).read_bytes().rpartition(b"\n")
        for entry in map(_ENTRY.decode, whole.splitlines()):
            raw = bytes(entry.body) if entry.raw is None else b64decode(entry.raw)
            yield _said(entry.chain, entry.offset, b"" if raw == b"null" else raw)


def _said(chain: str, offset: int, raw: bytes) -> str:
    """Write a record so that the whole of it counts and its beginning can be read."""
    return f"{chain}@{offset} {raw[:100].decode(errors='replace')} #{crc32(raw):x}"
