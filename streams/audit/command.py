"""``inowatch audit``: which store, which period, which form; a bar while a long history is read."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import click

from streams.audit.answer import Answer
from streams.audit.catalogue import Catalogue
from streams.audit.day_copies import copies_for
from streams.audit.engine import Asked, ask
from streams.audit.reading import Progress
from streams.stores.open import open_store

HOUR = timedelta(hours=1)
LONG_S = 10.0
"""From here on an asker wants to know how it could be quicker."""
Form = Literal["table", "csv", "json", "parquet", "html"]


def listing(catalogue: Catalogue) -> Iterator[str]:
    """Yield a line for each question: its name and its sentence."""
    width = max(map(len, catalogue.questions), default=0)
    for name, question in catalogue.questions.items():
        yield f"{name:<{width}}  {question.asks}"


def run_audit(
    catalogue: Catalogue, asked: Asked, address: str, form: Form, copy: str | None
) -> bytes:
    """Ask the store at ``address`` and write the answer. Raises what both raise.

    ``copy``: the folder for copies of past samples, ``none`` for none. A unit of which nothing is
    on record may be a slip of the finger, so that is said on stderr; so is what would be quicker.
    """
    began = time.monotonic()
    with closing(open_store(address, make=False)) as store, _bar(asked) as progress:
        copies = copies_for(store, copy, lambda why: click.echo(f"inowatch: {why}", err=True))
        answer = ask(store, catalogue, asked, progress, copies)
    if copies is None and copy is None and time.monotonic() - began > LONG_S:
        click.echo(
            "inowatch: the next question takes seconds if copies of past samples may be kept on"
            " this disk: name a folder for them, --copy or INOWATCH_AUDIT_COPY",
            err=True,
        )
    if answer.other_units:
        click.echo(
            f"inowatch: nothing that {asked.question.name} reads is of unit {asked.unit!r};"
            f" there are {', '.join(answer.other_units)}",
            err=True,
        )
    return _writer(form)(answer)


def deliver(content: bytes, out: Path | None) -> None:
    """Write to the file, or to standard output. ``OSError`` when the file cannot be written."""
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(content)


def _writer(form: Form) -> Callable[[Answer], bytes]:
    # Each in its turn: drawing takes a second to be imported.
    if form == "html":
        from streams.audit.forms.html import html

        return html
    from streams.audit.forms import text

    return {"table": text.table, "csv": text.csv, "json": text.json, "parquet": text.parquet}[form]


@contextmanager
def _bar(asked: Asked) -> Iterator[Progress]:
    """Show on a terminal how much of the samples has been read, and how long the rest may take."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    end = asked.stop or datetime.now(UTC)
    with ExitStack() as shown:
        begun: list[tuple[datetime, Any]] = []

        def reached(at: datetime) -> None:
            if not begun:
                hours = max(1, int((end - at) / HOUR))
                bar = click.progressbar(length=hours, label="reading samples", file=sys.stderr)
                begun.append((at, shown.enter_context(bar)))
            begin, bar = begun[0]
            bar.update(min(bar.length, int((at - begin) / HOUR)) - bar.pos)

        yield reached
        for _, bar in begun:
            bar.update(bar.length - bar.pos)


def is_before(start: datetime | None, stop: datetime | None) -> bool:
    """Whether a period has a beginning before its end, as far as both are said."""
    return start is None or stop is None or start < stop
