"""All workers stopped: what they left behind is what the oracle says, no more and no less.

What is left out of a comparison is said where it is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from alerts.notify import TOO_OLD
from alerts.rules import data_rejected
from alerts.sinks.webhook import Body
from schemas.alert import Alert
from schemas.encode import encode
from schemas.page import Page
from schemas.stand_in import is_unknown
from schemas.tick import Tick
from schemas.unit import UnitRecord
from streams.door import admit
from streams.groups import topics_read
from streams.stores.open import open_store
from streams.stores.points import record_of
from streams.stores.shapes import SHAPES
from tests.faults.difference import Difference, compared
from tests.faults.oracle import Expected
from tests.faults.stage import Key, Row, Stage, key_of
from tests.faults.states import order, states

REJECTED = data_rejected.NAME

CONFLICT = "nobody-in-particular"
"""The patient of the one point in a store that a test has put there, and that holds no record."""


class Allowed(Struct, kw_only=True):
    """What a fault makes possible and the guarantees name.

    ``doubles``: posts that may come twice, because nobody knows whether they were taken.
    ``own_refused``: ticks from a clock that is ahead are refused like any record from the future,
    and counted as records of nobody known.
    ``refused_by_store``: values that the store refuses for good.
    """

    doubles: int = 0
    own_refused: bool = False
    refused_by_store: frozenset[bytes] = frozenset()


def verify(
    stage: Stage, oracle: Expected, posts: list[bytes], allowed: Allowed
) -> list[Difference]:
    """Look at everything; returns what differs."""
    inputs = {topic: stage.rows(topic) for topic in stage.topics.inputs}
    looks = [
        _alerts(stage, oracle, allowed),
        _pages(stage, oracle, posts, allowed),
        _incidents(oracle, posts, allowed),
        _store(stage, oracle, allowed),
        states(stage, oracle, strangers=not allowed.own_refused),
        order(stage),
        *_offsets(stage, inputs),
        _dead_letters(stage, oracle, inputs, allowed),
        _judged(stage, inputs),
    ]
    return [look for look in looks if look]


def _alerts(stage: Stage, oracle: Expected, allowed: Allowed) -> Difference:
    """Compare the distinct transitions; one that was published twice alike counts once."""
    told = _about_records(stage.alerts(), allowed)
    wanted = {(a.rule, a.phase, a.priority, str(a.at), a.patient, a.id) for a in oracle.alerts}
    found = {(a.rule, a.phase, a.priority, str(a.at), a.patient, a.id) for a in told}
    return compared("alerts", wanted, found)


def _about_records(alerts: Iterable[Alert], allowed: Allowed) -> list[Alert]:
    """Leave out what is told of the monitor's own ticks where these are refused."""
    own = allowed.own_refused
    return [a for a in alerts if not (own and a.rule == REJECTED and is_unknown(a.patient))]


def _pages(stage: Stage, oracle: Expected, posts: list[bytes], allowed: Allowed) -> Difference:
    """Compare what was posted, by dedup key (alert id, phase, priority).

    What is over, and old, before it can be told is withheld; the record of it must say so.
    """
    bodies = [msgspec.json.decode(post, type=Body) for post in posts]
    told = _about_records((body.alert for body in bodies), allowed)
    found = Counter(map(key_of, told))
    pages = stage.pages()
    withheld = set(_rightly_withheld(pages))
    taken = {(p.alert, p.phase, p.priority) for p in pages if p.outcome == "delivered"}
    look = compared("pages", oracle.pages - (withheld - set(found)), set(found))
    look.missing += [f"{key} was never taken" for key in set(found) - taken]
    if found.total() - len(found) > allowed.doubles:
        doubles = [f"{key} x{times}" for key, times in found.items() if times > 1]
        look.surplus += [f"{double}, allowed {allowed.doubles}" for double in doubles]
    return look


def _rightly_withheld(pages: list[Page]) -> Iterator[Key]:
    """What is over, and old, before it can be told; and what a later page has overtaken."""
    old = {p.alert for p in pages if p.reason == "over-and-old" and p.time - p.at > TOO_OLD}
    triggers = [p for p in pages if p.outcome == "delivered" and p.phase != "cleared"]
    for page in pages:
        late = page.alert in old and page.reason in {"over-and-old", "never-told"}
        overtaken = page.reason == "overtaken" and any(
            trigger.alert == page.alert and trigger.at > page.at for trigger in triggers
        )
        if late or overtaken:
            yield page.alert, page.phase, page.priority


def _incidents(oracle: Expected, posts: list[bytes], allowed: Allowed) -> Difference:
    """Compare what stands open at a receiver that opens and closes by the alert id alone."""
    wanted, found = set[str](), set[str]()
    for alert in oracle.alerts:
        if key_of(alert) in oracle.pages:
            (wanted.discard if alert.phase == "cleared" else wanted.add)(alert.id)
    for post in posts:
        body = msgspec.json.decode(post, type=Body)
        if _about_records([body.alert], allowed):
            (found.discard if body.kind == "resolve" else found.add)(body.alert.id)
    return compared("open incidents", wanted, found)


def _store(stage: Stage, oracle: Expected, allowed: Allowed) -> Difference:
    """Compare the rows: each record, alert, page and dead letter once.

    Pages and dead letters are compared with their topics, which other looks compare.
    """
    topics = stage.topics
    wanted = {raw for raw in oracle.kept if raw not in allowed.refused_by_store}
    outputs = (topics.alerts, topics.pages, topics.dead_letters, topics.changes)
    for topic in (*outputs, topics.views, topics.anchors, topics.health):
        wanted |= {row.value or b"" for row in stage.rows(topic)}
    found: list[bytes] = []
    store = open_store(stage.settings.store)
    start, stop = datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    for shape in SHAPES.values():
        points = store.read(shape.measurement, start, stop)
        found += [encode(record_of(p)) for p in points if p.tags.get("patient") != CONFLICT]
    store.close()
    return compared("store", [_short(raw) for raw in wanted], [_short(raw) for raw in found])


def _short(raw: bytes) -> str:
    """Write a row so that the whole of it counts and its beginning can be read."""
    return f"{raw[:150].decode(errors='replace')} #{hash(raw) & 0xFFFF:x}"


def _offsets(stage: Stage, inputs: dict[str, list[Row]]) -> Iterator[Difference]:
    """Compare what was committed with the ends.

    The monitor's last ticks come back to itself and may lie beyond its last commit: of its inputs
    only its own records may. The others were given time until they had everything.
    """
    committed = stage.committed("monitor")
    foreign = (row for rows in inputs.values() for row in rows if not is_own(stage, row))
    beyond = [r for r in foreign if r.offset >= max(0, committed.get((r.topic, r.partition), 0))]
    yield Difference(
        "offsets of the monitor", [f"{r.topic}/{r.partition}@{r.offset}" for r in beyond]
    )
    for role in ("recorder", "pager"):
        behind = stage.behind(role, stage.ends(topics_read(role, stage.topics)))
        yield Difference(f"offsets of the {role}", [f"{at} by {by}" for at, by in behind.items()])


def is_own(stage: Stage, row: Row) -> bool:
    """Whether the monitor has sent this itself: a tick, or what partitions tell one another."""
    return isinstance(admit(row.value or b"", stage.topics.inputs[row.topic]), Tick | UnitRecord)


def _dead_letters(
    stage: Stage, oracle: Expected, inputs: dict[str, list[Row]], allowed: Allowed
) -> Difference:
    """Compare by place: each record that the oracle refuses, wherever it lies, and no other."""
    refused = oracle.refused | allowed.refused_by_store
    wanted = {
        (row.topic, row.partition, row.offset)
        for rows in inputs.values()
        for row in rows
        if row.value in refused
    }
    found = {(letter.topic, letter.partition, letter.offset) for letter in stage.dead_letters()}
    if allowed.own_refused:
        own = (row for rows in inputs.values() for row in rows if is_own(stage, row))
        found -= {(row.topic, row.partition, row.offset) for row in own}
    return compared("dead letters", wanted, found)


def _judged(stage: Stage, inputs: dict[str, list[Row]]) -> Difference:
    """Every record of the inputs was handed to the core at least once: none was skipped."""
    judged: set[tuple[str, int, int]] = set()
    for line in (stage.home / "judged.log").read_text().splitlines():
        topic, number, first, last = line.split()
        judged |= {(topic, int(number), offset) for offset in range(int(first), int(last) + 1)}
    skipped = [
        f"{row.topic}/{row.partition}@{row.offset}"
        for rows in inputs.values()
        for row in rows
        if (row.topic, row.partition, row.offset) not in judged and not is_own(stage, row)
    ]
    return Difference("records skipped by the monitor", skipped)
