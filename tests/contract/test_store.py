"""What every store keeps to: one suite over SQLite and over a real InfluxDB."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import msgspec
import pytest

from schemas.action import Action
from schemas.alert import Alert
from schemas.anchor import Anchor, Head
from schemas.course import Course, DoseOrder, Flags
from schemas.encode import encode
from schemas.health import Health, RoleHealth, SinkHealth
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.page import Page
from schemas.rejected import DeadLetter
from schemas.telemetry import DeviceAlarm, Telemetry
from schemas.view import View
from streams.stores.fitness import fitted
from streams.stores.open import open_store
from streams.stores.points import points_of, record_of
from streams.stores.port import Point, PointsRefused, Store, reading_order
from streams.stores.shapes import SLOTS, Record

T = datetime(2026, 11, 20, 10, 0, 0, 250_001, tzinfo=UTC)
S = timedelta(seconds=1)
US = timedelta(microseconds=1)
BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

SAMPLE = Telemetry(time=T, device="nox-1", patient="p-1", unit="nicu", bed="b1", mode="delivering")
LAB = Lab(time=T, id="l-1", patient="p-1", code=METHEMOGLOBIN, status="final", value=1.1, unit="%")
ALERT = Alert(
    id="0b5f",
    rule="set-dose-high",
    phase="raised",
    priority="medium",
    onset=T,
    at=T + 10 * S,
    patient="p-1",
    unit="nicu",
    bed="b1",
    device="nox-1",
    course=T - 3600 * S,
    summary='Bed b1: 21 ppm set, limit "20", at once',
    value=21.0,
    limit=20.0,
    unit_of_measure="ppm",
    reason="over-limit",
    profile="default",
    rules_version="1",
    source="label",
)
PAGE = Page(
    time=T,
    alert="0b5f",
    rule="set-dose-high",
    phase="raised",
    priority="medium",
    at=T,
    patient="p-1",
    sink="pagerduty",
    attempt=1,
    outcome="failed",
    reason="503",
)
DEAD = DeadLetter(
    time=T,
    topic="ino.telemetry",
    partition=3,
    offset=2**40,
    reason="not-json",
    detail="no JSON: 'x'",
    key=b"\x00\xff",
    value=b'{"time": ,\n\r\t"\xc3\xbc',
)
RECORDS: dict[str, Record] = {
    "sample with everything": Telemetry(
        time=T,
        device='nox, 1 = \\ "A"',
        patient="p.1_-A",
        unit="NICU süd\n2",
        bed="b\\",
        mode="backup",
        seq=2**63 - 1,
        set_ppm=20.0,
        no_ppm=0.1 + 0.2,
        no2_ppm=5e-324,
        fio2_pct=0.0,
        spo2_pct=100.0,
        cylinder_bar=-0.0,
        validity="questionable",
        generation="test",
        alarms=(
            DeviceAlarm(code="E,1", priority="high", active=True),
            DeviceAlarm(code="E2", priority="low", active=False),
        ),
    ),
    "sample with nothing": SAMPLE,
    "sample without alarms": msgspec.structs.replace(SAMPLE, alarms=()),
    "lab": LAB,
    "lab withdrawn": Lab(
        time=T, id="l 1", patient="p-1", code="2614-6", status="cancelled", resulted=T + 60 * S
    ),
    "course with everything": Course(
        time=T,
        id="c-1",
        patient="p-1",
        unit="nicu",
        bed="b1",
        born=T - 3 * 86_400 * S,
        gestational_age="36 2/7",
        indication="hrf-pphn",
        payer="payer, with comma",
        profile="floor-2",
        flags=Flags(cdh=False, echo_confirmed_ph=True),
        oxygenation_index=26.5,
        dose_order=DoseOrder(max_set_ppm=40.0, until=T + 60 * S, by="dr-7", reason="tried 20"),
    ),
    "course with nothing": Course(time=T, id="c-1", patient="p-1"),
    "action": Action(
        time=T, id="a-1", patient="p-1", by="rn-3", action="close-course", reason="weaned"
    ),
    "silence": Action(
        time=T,
        id="a-2",
        patient="p-1",
        by="rn-3",
        action="silence",
        rule="no2-high",
        until=T + 600 * S,
        reason="sensor\r\nchanged; 5 % \x00\x1b\x1b0a \N{BABY}",
    ),
    "alert": ALERT,
    "alert of a unit": msgspec.structs.replace(
        ALERT, patient="", bed="", device="", course=None, value=None, limit=None
    ),
    "alert with a long summary": msgspec.structs.replace(ALERT, summary="ü" * 50_000),
    "alert with a longer summary": msgspec.structs.replace(ALERT, summary="x" + "ü" * 50_000),
    "page": PAGE,
    "look at a patient": View(
        time=T, id="v-1", by="rn-3", what="explain", patient="p-1", unit="nicu"
    ),
    "look at a ward": View(time=T, id="v-2", by="unknown", what="board"),
    "anchor": Anchor(
        time=T,
        number=7,
        heads=(Head(chain="ino.alerts/0", seq=2**40, hash="5f" * 32),),
        prev="0" * 64,
        key_id="2026-01",
        hash="ab" * 32,
    ),
    "health": Health(
        time=T,
        watcher="watchdog-0",
        well=False,
        faults=("no tick for 42 s in ino.labs/0 (limit 30 s)",),
        clock_s=42.0,
        roles={"monitor": RoleHealth(running=0, waiting=2**40, lag_s=0.1 + 0.2)},
        sinks={"webhook": SinkHealth(failing_s=61.5, reason="503 nö")},
        untold=1,
    ),
    "health of a site that is not seen": Health(
        time=T,
        watcher="watchdog-0",
        well=False,
        faults=("Kafka has not answered for 31 s",),
        clock_s=None,
        roles={"monitor": RoleHealth(running=None, waiting=None, lag_s=None)},
        sinks={"webhook": SinkHealth(failing_s=None, reason="")},
        untold=None,
    ),
    "dead letter": DEAD,
    "empty dead letter": msgspec.structs.replace(DEAD, key=None, value=None),
    "largest dead letter": msgspec.structs.replace(DEAD, value="ü".encode() * (512 * 1024)),
}


def kept(store: Store, measurement: str) -> list[Point]:
    """Everything of a measurement, as the store reads it."""
    return list(store.read(measurement, BEGINNING, END))


def in_order(points: Iterable[Point]) -> list[Point]:
    """Sort points as a reading has to."""
    return sorted(points, key=reading_order)


def keep(store: Store, records: Sequence[Record]) -> list[Point]:
    """Write the points of the records, and give them back."""
    points = [point for record in records for point in points_of(record)]
    store.write(points)
    return points


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_comes_back_exactly(store: Store, name: str) -> None:
    """Whatever a record of the contract holds, it is restored to the last bit."""
    (point,) = keep(store, [RECORDS[name]])
    (found,) = kept(store, point.measurement)
    assert record_of(found) == RECORDS[name]
    assert encode(record_of(found)) == encode(RECORDS[name])
    assert found == fitted(point)


def test_unknown_numbers_stay_absent(store: Store) -> None:
    """A number that is unknown is no field at all, and a known 0 is a 0."""
    keep(store, [msgspec.structs.replace(SAMPLE, no_ppm=0.0)])
    (found,) = kept(store, "telemetry")
    assert found.fields["no_ppm"] == 0.0
    assert not {"set_ppm", "no2_ppm", "seq", "alarms", "cylinder_bar"} & found.fields.keys()


@pytest.mark.parametrize("name", RECORDS)
def test_writing_twice_changes_nothing(store: Store, name: str) -> None:
    """A redelivered record, alone or twice in a batch, leaves the store as it was."""
    keep(store, [RECORDS[name]])
    once = kept(store, points_of(RECORDS[name])[0].measurement)
    keep(store, [RECORDS[name], RECORDS[name]])
    assert kept(store, once[0].measurement) == once


def test_fields_unite_and_the_newer_wins(store: Store) -> None:
    """The same point written again keeps its other fields and takes over the newer values."""
    store.write([Point("probe", {"bed": "b1"}, {"a": 1, "b": "old", "c": True}, T)])
    store.write([Point("probe", {"bed": "b1"}, {"b": "new", "d": 4.5}, T)])
    assert kept(store, "probe") == [
        Point("probe", {"bed": "b1"}, {"a": 1.0, "b": "new", "c": True, "d": 4.5}, T)
    ]


def test_the_later_of_a_batch_is_the_newer(store: Store) -> None:
    """Within one batch, too, the later value of a field wins."""
    store.write([Point("probe", {}, {"a": n, f"b{n}": n}, T) for n in range(3)])
    assert kept(store, "probe") == [Point("probe", {}, {"a": 2, "b0": 0, "b1": 1, "b2": 2}, T)]


def test_fields_come_back_as_what_they_are(store: Store) -> None:
    """Numbers are floats whether written as 3 or 3.5, bools are bools, texts are texts."""
    store.write(
        [
            Point("probe", {}, {"n": 3, "flag": True, "text": "true"}, T),
            Point("probe", {}, {"n": 3.5, "flag": False, "text": "4"}, T + S),
            Point("probe", {}, {"n": -1.7976931348623157e308}, T + 2 * S),
            Point("probe", {}, {"n": 2**53 + 1}, T + 3 * S),
        ]
    )
    found = kept(store, "probe")
    assert [type(found[0].fields[name]) for name in ("n", "flag", "text")] == [float, bool, str]
    assert [point.fields["n"] for point in found] == [3.0, 3.5, -1.7976931348623157e308, 2.0**53]
    assert [point.fields.get("flag") for point in found] == [True, False, None, None]


def test_times_are_exact_to_the_microsecond(store: Store) -> None:
    """A microsecond apart is apart, in any time zone; what comes back is in UTC."""
    east = T.astimezone(timezone(timedelta(hours=5, minutes=45)))
    keep(store, [msgspec.structs.replace(SAMPLE, time=east + n * US) for n in range(3)])
    found = kept(store, "telemetry")
    assert [point.time for point in found] == [T, T + US, T + 2 * US]
    assert {point.time.tzinfo for point in found} == {UTC}


def test_a_reading_is_half_open(store: Store) -> None:
    """Two readings that touch give each point once: the start is in, the stop is not."""
    points = [Point("probe", {}, {"n": n}, T + n * US) for n in range(5)]
    store.write(points)
    assert list(store.read("probe", T + US, T + 3 * US)) == points[1:3]
    assert list(store.read("probe", T + 3 * US, T + 9 * US)) == points[3:]
    assert list(store.read("probe", T, T)) == []


def test_a_reading_is_in_order(store: Store) -> None:
    """By time and then by tags, however mixed the writes were, and over more than one page."""
    beds = ["b1", "b10", "b2", "ä", "z", "b 1"]
    points = [
        Point("probe", {"bed": bed, "patient": f"p{n % 2}"}, {"n": n}, T + n * S, twin)
        for n in range(400)
        for bed in beds
        for twin in (0, 999)
    ]
    mixed = Random(1).sample(points, len(points))
    store.write(mixed[:3000])
    store.write(mixed[3000:])
    assert kept(store, "probe") == in_order(points)


def test_years_of_nothing_are_stepped_over(store: Store) -> None:
    """Points that lie decades apart are found by a reading of all time."""
    days = [0, 1, 40, 9000, 9000.5]
    points = [Point("probe", {}, {"n": n}, T - timedelta(days=n)) for n in days]
    store.write(points)
    assert kept(store, "probe") == in_order(points)


def test_a_reading_picks_by_tags(store: Store) -> None:
    """Only points that carry every tag asked for, and only of that measurement."""
    keep(store, [msgspec.structs.replace(SAMPLE, time=T + n * S) for n in range(3)])
    other = msgspec.structs.replace(SAMPLE, patient="p-2", bed='b, = "2\\')
    (mine,) = keep(store, [other])
    keep(store, [LAB])
    assert list(store.read("telemetry", T, END, {"patient": "p-2"})) == [mine]
    assert list(store.read("telemetry", T, END, {"bed": other.bed})) == [mine]
    assert list(store.read("telemetry", T, END, {"bed": other.bed, "patient": "p-1"})) == []
    assert list(store.read("telemetry", T, END, {"ward": "x"})) == []
    assert len(list(store.read("telemetry", T, END, {"patient": "p-1", "unit": "nicu"}))) == 3


@pytest.mark.parametrize("name", ["", "a b", 'x" or true', "_time", "time", "r.x"])
def test_only_plain_words_name_things(store: Store, name: str) -> None:
    """A measurement or tag that is no plain word is a mistake of the caller, said at once."""
    with pytest.raises(ValueError, match="no name"):
        store.read(name, T, END)
    with pytest.raises(ValueError, match="no name"):
        store.read("telemetry", T, END, {name: "x"})


def test_every_version_of_a_result_is_kept(store: Store) -> None:
    """An amendment repeats id and collection time, and both versions stay to be read."""
    versions: list[Record] = [
        LAB,
        msgspec.structs.replace(LAB, status="amended", value=3.1),
        msgspec.structs.replace(LAB, status="amended", value=3.2),
        msgspec.structs.replace(LAB, status="entered-in-error", value=None, unit=None),
        msgspec.structs.replace(LAB, id="l-2"),
    ]
    keep(store, versions)
    keep(store, versions[::-1])
    found = [encode(record_of(point)) for point in kept(store, "lab")]
    assert sorted(found) == sorted(map(encode, versions))


def test_samples_of_one_instant_are_kept_apart_by_seq(store: Store) -> None:
    """A device may measure several times at one tick of its clock; each sample stays, once."""
    burst: list[Record] = [
        msgspec.structs.replace(SAMPLE, seq=seq, no_ppm=float(no_ppm))
        for no_ppm, seq in enumerate((None, *range(5), SLOTS - 1, 3_600, 18_000, 2**63 - 1))
    ]
    keep(store, burst)
    keep(store, burst[:4])
    found = [encode(record_of(point)) for point in kept(store, "telemetry")]
    assert sorted(found) == sorted(map(encode, burst))


def test_each_transition_and_each_attempt_is_kept(store: Store) -> None:
    """All phases of an alert at one moment, and all attempts to tell of it, stay apart."""
    phases = [msgspec.structs.replace(ALERT, phase=phase) for phase in ("raised", "escalated")]
    later = [msgspec.structs.replace(ALERT, at=ALERT.at + US)]
    pages = [
        msgspec.structs.replace(PAGE, attempt=attempt, sink=sink)
        for attempt in range(1, 4)
        for sink in ("pagerduty", "webhook")
    ]
    keep(store, [*phases, *later, *pages])
    assert len(kept(store, "alert")) == 3
    found = [encode(record_of(point)) for point in kept(store, "page")]
    assert sorted(found) == sorted(map(encode, pages))


def test_neighbouring_dead_letters_are_kept(store: Store) -> None:
    """A batch that is refused at one moment leaves one dead letter for each record."""
    letters = [msgspec.structs.replace(DEAD, offset=offset) for offset in range(900)]
    keep(store, letters)
    assert {record_of(point) for point in kept(store, "dead_letter")} == set(letters)


def test_what_a_sender_said_beyond_the_contract_is_kept(store: Store) -> None:
    """Extra fields are ignored when judging and still there for whoever looks."""
    raw = b'{"time":"2026-11-20T10:00:00.250001Z","flags":{"new_flag":true},"id":"c","patient":"p"}'
    course = Course(time=T, id="c", patient="p", flags=Flags())
    store.write(points_of(course, raw))
    (found,) = kept(store, "course")
    assert found.fields["raw"] == raw.decode()
    assert record_of(found) == course


@pytest.mark.parametrize(
    ("extra", "field"),
    [(b', "x": "\xff"', "raw_base64"), (b', "set_ppm": null, "type": "telemetry"', None)],
)
def test_raw_bytes_are_kept_only_where_they_say_more(extra: bytes, field: str | None) -> None:
    """Bytes that are no text are kept in base64; a mere other spelling is not kept twice."""
    (point,) = points_of(SAMPLE, b'{"mode" : "delivering"' + extra + b"}")
    assert [name for name in point.fields if name.startswith("raw")] == ([field] if field else [])


def test_one_bad_point_costs_no_other(store: Store) -> None:
    """Among 5000 points the one whose field changes its kind is refused, by name, alone."""
    points = [
        Point("probe", {"bed": f"b{n % 7}"}, {"n": n, "s": "x"}, T + n * S) for n in range(5000)
    ]
    store.write(points[:1])
    bad = Point("probe", {"bed": "b9"}, {"n": "three", "s": "x"}, T + S / 2)
    batch = [*points[:3000], bad, *points[3000:]]
    for _ in range(2):
        with pytest.raises(PointsRefused, match="type conflict") as refusal:
            store.write(batch)
        assert refusal.value.points == (bad,)
        assert refusal.value.points[0] is bad
        assert refusal.value.reasons == (refusal.value.reason,)
        assert kept(store, "probe") == points


GOOD = Point("probe", {"bed": "b1"}, {"n": 1.0}, T)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Point("probe", {}, {"n": float("nan")}, T), "nan"),
        (Point("probe", {}, {"n": float("-inf")}, T), "inf"),
        (Point("probe", {}, {"n": 10**400}, T), "too large"),
        (Point("probe", {}, {}, T), "without fields"),
        (Point("probe", {}, {"text": ""}, T), "empty"),
        (Point("probe", {}, {"text": "\ud800"}, T), "Unicode"),
        (Point("probe", {}, {"text": "ü" * 32_769}, T), "65538 bytes"),
        (Point("probe", {"bed": ""}, {"n": 1}, T), "empty"),
        (Point("probe", {"bed": "\udc80"}, {"n": 1}, T), "Unicode"),
        (Point("probe", {"bed": "b" * 16_385}, {"n": 1}, T), "16385 bytes"),
        (Point("probe", {"n": "1"}, {"n": 1}, T), "tag and a field"),
        (Point("probe", {"bed name": "1"}, {"n": 1}, T), "no name"),
        (Point("probe", {}, {"time": 1}, T), "no name"),
        (Point("", {}, {"n": 1}, T), "no name"),
        (Point("probe", {}, {"n": 1}, T.replace(tzinfo=None)), "offset"),
        (Point("probe", {}, {"n": 1}, T.replace(year=2262)), "2262"),
        (Point("probe", {}, {"n": 1}, T, 1000), "twin"),
        (Point("probe", {}, {"n": 1}, T, -1), "twin"),
    ],
)
def test_what_fits_no_store_is_refused_alike(store: Store, bad: Point, reason: str) -> None:
    """A point that one kind of store could not hold is refused by every kind, with its reason."""
    with pytest.raises(PointsRefused, match=reason) as refusal:
        store.write([bad, GOOD])
    assert refusal.value.points == (bad,)
    assert kept(store, "probe") == [GOOD]


def test_the_extremes_that_fit_are_kept(store: Store) -> None:
    """The longest text and tag, the first and the last moment: just inside is inside."""
    points = [
        Point("probe", {"bed": "b" * 16_384}, {"text": "ü" * 32_768}, T, 999),
        Point("probe", {}, {"n": 1}, datetime(1678, 1, 1, tzinfo=UTC)),
        Point("probe", {}, {"n": 1}, datetime(2262, 1, 1, tzinfo=UTC) - US),
    ]
    store.write(points)
    assert kept(store, "probe") == in_order(points)


@pytest.mark.parametrize(
    "text",
    [
        'say "no", please',
        "a,b=c d",
        "tail\\",
        "\\n is no newline",
        'quote at the end"',
        "two\nlines\r\nand\rmore\n",
        "\x00\x01\x1b\x7f",
        "\x1b0a",
        "bébé 新生児 \N{BABY}",
        " spaces ",
        "#datatype",
        "%0A",
        "${x} //",
    ],
)
def test_every_text_comes_back(store: Store, text: str) -> None:
    """No character is lost, changed or taken for syntax, in a field, in a tag or in a question."""
    point = Point("probe", {"bed": text}, {"text": text, "n": 1.0}, T)
    store.write([point])
    assert list(store.read("probe", T, END, {"bed": text})) == [point]


def test_what_is_written_is_seen_by_others(store: Store, store_url: str) -> None:
    """A reader that opened the store before or after a write sees it when it has returned."""
    before = open_store(store_url)
    store.write([GOOD])
    after = open_store(store_url)
    assert kept(before, "probe") == kept(after, "probe") == [GOOD]
    before.close()
    after.close()


def test_a_reading_left_off_holds_up_nobody(store: Store) -> None:
    """A reader may stop in the middle; writing and reading go on."""
    points = [Point("probe", {}, {"n": n}, T + n * US) for n in range(5000)]
    store.write(points)
    reading = iter(store.read("probe", T, END))
    assert [next(reading), next(reading)] == points[:2]
    store.write([GOOD])
    del reading
    assert len(kept(store, "probe")) == 5001


def test_nothing_is_nothing(store: Store) -> None:
    """An empty batch is written, and what was never written is read as nothing."""
    store.write([])
    assert kept(store, "probe") == []


def test_closing_twice_is_closing(store: Store) -> None:
    """A second close does nothing."""
    store.close()
    store.close()


def test_the_extent_of_a_measurement(store: Store) -> None:
    """First and last time of what lies in a span, over all series; none where there is nothing."""
    days = [0, 1, 40, 9000]
    for n in days:
        store.write([Point("probe", {"bed": str(n)}, {"n": n}, T - timedelta(days=n) + US)])
    assert store.extent("probe", T - timedelta(days=9999), END) == (
        T - timedelta(days=9000) + US,
        T + US,
    )
    first, last = T - timedelta(days=40) + US, T - timedelta(days=1) + US
    assert store.extent("probe", first, T + US) == (first, last)
    assert store.extent("probe", T + 2 * US, END) is None
    assert store.extent("probe", END, T) is None
    assert store.extent("other", T - timedelta(days=9999), END) is None
