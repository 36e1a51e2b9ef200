"""What every sink takes and gives: the one shape that the pager and the retry know.

A sink makes one attempt and either returns the receiver's short answer or raises
``alerts.errors.Refused`` or ``alerts.errors.Unavailable``. Anything else that escapes from it is
a fault in the sink itself.
"""

from typing import Protocol

from msgspec import Struct

from alerts.notify import Kind
from schemas.alert import Alert


class Message(Struct, frozen=True, kw_only=True):
    """One thing to say about one transition. ``text`` is the sentence for the person paged."""

    kind: Kind
    alert: Alert
    text: str

    @property
    def dedup_key(self) -> str:
        """The alert id, so that all messages of one occurrence meet at the receiver."""
        return self.alert.id


class Sink(Protocol):
    """A receiver of messages. ``name`` is its word in page records and metrics."""

    @property
    def name(self) -> str:
        """The sink's word, for example ``pagerduty``."""

    async def send(self, page: Message) -> str:
        """Make one attempt.

        Returns the receiver's short answer, one line. Raises ``Refused`` where another attempt
        would not help and ``Unavailable`` where it may.
        """

    async def close(self) -> None:
        """Give back what the sink opened itself. A closed sink may not send."""
