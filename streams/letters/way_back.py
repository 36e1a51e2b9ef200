"""The way back for a refused record: whether there is one, where it leads, how it would fare.

A record goes back as it came, byte by byte, into the topic it was sent to. It is never corrected
here: a record that says something else is the sender's to send. Judges by the same front door that
refused it, as that stands now. Pure: the time and the number of partitions are given.
"""

from collections.abc import Mapping
from datetime import datetime

from kafka.partitioner.default import murmur2
from msgspec import Struct

from alerts.profile_book import ProfileBook
from schemas.decode import Kind
from schemas.rejected import MOST_KEPT_BYTES, DeadLetter, Rejected
from streams.door import admit
from streams.letters.letter import is_cut
from streams.letters.words import origin


class WayBack(Struct, frozen=True):
    """The site as it is now: input topics and what each carries, their partitions, profiles."""

    inputs: Mapping[str, Kind]
    partitions: Mapping[str, int]
    book: ProfileBook

    def obstacle(self, letter: DeadLetter) -> str | None:
        """Say why the record cannot go back; ``None`` when it can."""
        if letter.topic not in self.inputs:
            return (
                f"{letter.topic} is no input of this site: back go records that were sent to"
                f" {', '.join(self.inputs)}"
            )
        if letter.topic not in self.partitions:
            return f"there is no topic {letter.topic}: run `inowatch deploy kafka`"
        for name, part in (("key", letter.key), ("value", letter.value)):
            if is_cut(part):
                return (
                    f"only the first {MOST_KEPT_BYTES} bytes of its {name} were kept; the whole is"
                    f" at {origin(letter)}, as long as Kafka keeps it"
                )
        if letter.key is None and letter.value is None:
            return "it has neither key nor value"
        return None

    def partition(self, letter: DeadLetter) -> int:
        """Return where its key leads, by Kafka's own partitioner; without a key, where it was."""
        count = self.partitions[letter.topic]
        return letter.partition % count if letter.key is None else _home(letter.key, count)

    def verdict(self, letter: DeadLetter, now: datetime) -> Rejected | None:
        """Say why it would be refused again; ``None`` when the front door would take it.

        Only for a letter without an obstacle.
        """
        event = admit(letter.value or b"", self.inputs[letter.topic], now, self.book)
        if isinstance(event, Rejected):
            return event
        patient = getattr(event, "patient", None)
        if patient is None:
            return None
        home, back = _home(patient.encode(), self.partitions[letter.topic]), self.partition(letter)
        if home == back:
            return None
        return Rejected("wrong-partition", f"it goes to partition {back}, its patient's is {home}")


def _home(key: bytes, partitions: int) -> int:
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
