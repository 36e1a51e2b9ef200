"""The terminal: one line for each transition, for the demo and for the person at the console.

Promise: one transition, one line, whatever characters its fields hold; the priority is readable
without colour (stars and the word). Colours follow the bedside: high red, medium yellow, low cyan.
It does not page anyone and keeps nothing.
"""

import os
from collections.abc import Mapping
from datetime import tzinfo
from typing import TextIO

from alerts.errors import Refused
from alerts.notify import STARS
from alerts.sinks.port import Message
from schemas.alert import Alert, Priority

_COLOUR: dict[Priority, str] = {"high": "1;31", "medium": "33", "low": "36", "info": ""}
_CLEARED = "38;5;108"
"""A green-grey: over, and not to be taken for the pure green of "all is well"."""


class Terminal:
    """The sink. ``ward_time`` is the ward's time zone, ``None`` for this machine's.

    ``colour`` forces or forbids colours; left alone, they come where ``stream`` is a terminal and
    ``NO_COLOR`` is not set in ``env``.
    """

    name = "terminal"

    def __init__(
        self,
        stream: TextIO,
        *,
        ward_time: tzinfo | None = None,
        colour: bool | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._stream = stream
        self._ward_time = ward_time
        self._colour = stream.isatty() and not env.get("NO_COLOR") if colour is None else colour

    def show(self, alert: Alert) -> None:
        """Print one transition, paged or not. Raises ``Refused`` when the stream is gone."""
        text = line(alert, self._ward_time, colour=self._colour)
        encoding = self._stream.encoding or "utf-8"
        try:
            # A terminal that knows no "≥" still gets its line.
            self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as gone:
            raise Refused(f"the terminal is gone: {gone}") from gone

    async def send(self, page: Message) -> str:
        """Print the message's transition; see ``alerts.sinks.port``."""
        self.show(page.alert)
        return "printed"

    async def close(self) -> None:
        """Leave the stream open: it is the caller's."""


def line(alert: Alert, ward_time: tzinfo | None, *, colour: bool) -> str:
    """``10:00:30 *** HIGH   raised      abrupt-stop  <summary>``, without its newline."""
    at = alert.at.astimezone(ward_time).strftime("%H:%M:%S")
    mark = f"{STARS[alert.priority]:<3} {alert.priority.upper():<6}"
    said = f"{at} {mark} {alert.phase:<11} {alert.rule}  {alert.summary}"
    # Beds and devices come from outside: no control character of theirs reaches the terminal.
    plain = "".join(c if c.isprintable() else "?" for c in said)
    code = _CLEARED if alert.phase == "cleared" else _COLOUR[alert.priority]
    return f"\x1b[{code}m{plain}\x1b[0m" if colour and code else plain
