"""``inowatch dead-letters``: what is done for each of its verbs, between Kafka and the console."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import click

from deploy.kafka.cluster import ClusterError, connected
from schemas.claimed import claimed
from streams.journal.looked import note_view
from streams.letters.letter import EVERY, Found, Place, Wanted
from streams.letters.put_back import put_back
from streams.letters.topic import LetterTopic, opened
from streams.letters.way_back import WayBack
from streams.letters.words import HEADING, as_json, as_row, counts, in_full, plain
from streams.settings import Settings

LONG = 20_000
"""So many letters take seconds to read: from then on a bar shows how far it is."""
HARMLESS = (
    "Putting back is harmless, also twice: a record has its effect once, and what is refused again"
    " only comes back here as a new dead letter."
)

_Letters = Callable[[], Iterator[Found]]


def run_list(settings: Settings, wanted: Wanted, form: str) -> None:
    """List the wanted letters on stdout, and count them. Raises ``ClusterError``."""
    reasons = Counter[str]()
    with _letters_of(settings) as topic:
        if form == "table":
            click.echo(HEADING)
        for found in _all(topic, wanted):
            reasons[found.letter.reason] += 1
            click.echo(as_row(found) if form == "table" else as_json(found))
        for line in counts(reasons):
            click.echo(line, err=form != "table")
        _tell_strays(topic)


def run_show(settings: Settings, place: Place) -> None:
    """Print one letter, and note who looks. Raises ``NoSuchLetter`` and ``ClusterError``."""
    with _letters_of(settings) as topic:
        found = topic.at(place)
        claim = claimed(found.letter.value or b"", found.letter.key)
        note_view("dead-letter", patient=claim.patient or "")
        for line in in_full(found):
            click.echo(line)


def run_replay(
    settings: Settings,
    places: tuple[Place, ...],
    wanted: Wanted,
    *,
    dry: bool,
    agreed: bool,
) -> int:
    """Put back the letters at ``places``, or without any the wanted ones; return the exit code.

    First all are judged and counted. Then, unless ``dry``, they are sent, if ``agreed`` or if the
    person at the console agrees. 1 when one of them did not go back. Raises ``NoSuchLetter`` and
    ``ClusterError``.
    """
    with _letters_of(settings) as topic:
        way_back = _way_back(settings)
        letters: _Letters = partial(map, topic.at, dict.fromkeys(places))
        if not places:
            letters = partial(_all, topic, wanted)
        able, staying = _judged(letters, way_back, settings, each=dry)
        if not places:
            _tell_strays(topic)
        if dry or not able.total():
            _say(f"{able.total()} can be put back, {staying} cannot; nothing was done")
            return 1 if staying else 0
        taken = able[True]
        _say(f"{able.total()} records; {taken} would be taken now, {able[False]} refused again.")
        _say(HARMLESS)
        if not (agreed or _agrees(f"Put back {able.total()}?")):
            _say("nothing was put back")
            return 1
        # One that cannot go back was told of when it was judged.
        going = (found for found in letters() if way_back.obstacle(found.letter) is None)
        done = _sent(settings, going, way_back)
    _say(f"{done[True]} put back, {staying + done[False]} not")
    return 1 if staying or done[False] else 0


def _judged(
    letters: _Letters, way_back: WayBack, settings: Settings, *, each: bool
) -> tuple[Counter[bool], int]:
    """Count those that can go back, by whether they would be taken, and those that cannot.

    Of the latter each is told of, of the former only where ``each`` is wanted.
    """
    able = Counter[bool]()
    staying = 0
    for found in letters():
        obstacle = way_back.obstacle(found.letter)
        if obstacle is not None:
            staying += 1
            _say(f"{found.place} stays: {plain(obstacle)}")
            continue
        verdict = way_back.verdict(found.letter, settings.clock())
        able[verdict is None] += 1
        if each and verdict is None:
            _say(f"{found.place} would be taken by {found.letter.topic}")
        elif each and verdict is not None:
            _say(f"{found.place} would be refused again: {verdict.reason}: {plain(verdict.detail)}")
    return able, staying


def _sent(settings: Settings, going: Iterator[Found], way_back: WayBack) -> Counter[bool]:
    """Put back, and say of each where it is now."""
    done = Counter[bool]()

    def tell(found: Found, place: str | None, why: str) -> None:
        done[place is not None] += 1
        letter = found.letter
        said = f"is back as {place}" if place else f"stays: {why}"
        _say(f"{found.place} ({letter.reason}, {len(letter.value or b'')} bytes) {said}")

    put_back(settings.kafka, going, way_back, tell)
    return done


@contextmanager
def _letters_of(settings: Settings) -> Iterator[LetterTopic]:
    """Open the site's dead letters. Raises ``ClusterError``, also when there is no such topic."""
    name = settings.topics.dead_letters
    with connected(settings.kafka) as cluster:
        if name not in cluster.topics([name]):
            raise ClusterError(f"there is no topic {name}: see INOWATCH_PREFIX")
    with opened(settings.kafka, name) as topic:
        yield topic


def _way_back(settings: Settings) -> WayBack:
    inputs = settings.topics.inputs
    with connected(settings.kafka) as cluster:
        partitions = {name: found.partitions for name, found in cluster.topics(inputs).items()}
    return WayBack(inputs, partitions, settings.book)


def _all(topic: LetterTopic, wanted: Wanted = EVERY) -> Iterator[Found]:
    with _bar(topic.length) as advance:
        yield from (found for found in topic.read(advance) if wanted.means(found.letter))


@contextmanager
def _bar(length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr when there are many; otherwise nothing."""
    if length < LONG:
        yield lambda _: None
        return
    stderr = click.get_text_stream("stderr")
    with click.progressbar(length=length, label="dead letters", file=stderr) as bar:
        yield bar.update


def _tell_strays(topic: LetterTopic) -> None:
    if topic.strays:
        first = ", ".join(str(place) for place in topic.strays[:5])
        _say(f"{len(topic.strays)} records there are no dead letters of this product: {first}")


def _agrees(question: str) -> bool:
    """Ask on stderr, since stdout is for machines; silence is a no."""
    click.echo(f"{question} [y/N] ", err=True, nl=False)
    return click.get_text_stream("stdin").readline().strip().lower() in {"y", "yes"}


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
