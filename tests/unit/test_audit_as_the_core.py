"""Courses in SQL and courses in the core: starts, ends and delivered hours are the same."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.action import Action
from schemas.encode import encode
from schemas.state import CourseState
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.simulate.scenarios import SCENARIOS
from streams.simulate.ward import ward
from streams.stores.shapes import Record
from streams.ward import Ward
from tests.unit.audit_asked import START, Step, did, samples, views_of

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOURS = {
    "abrupt-stop": 40,
    "backup-delivery": 60,
    "device-handover": 40,
    "telemetry-lost": 40,
}
"""Scenarios that do something to a course, and how long they are looked at."""
Counted = dict[tuple[str, datetime], tuple[datetime | None, float]]
"""Patient and start of a course to its end and its delivered hours."""


def judged(records: Iterable[Record]) -> Counted:
    """What the core says of every course, looked at after each record."""
    core, seen = Ward(), dict[tuple[str, datetime], CourseState]()
    ended: dict[tuple[str, datetime], datetime | None] = {}

    def lines() -> Iterable[bytes]:
        for record in records:
            yield encode(record)
            patient = core.patients.get(str(record.patient))
            if patient is None:
                continue
            if patient.course is not None:
                seen[patient.patient, patient.course.start] = patient.course
            for key, course in seen.items():
                if key[0] == patient.patient and course is not patient.course:
                    ended.setdefault(key, course.ended or patient.closed)

    for _ in replay(lines(), core, lambda *refused: pytest.fail(str(refused))):
        pass
    return {
        key: (ended.get(key, course.ended), round(course.delivered / HOUR, 9))
        for key, course in seen.items()
    }


def counted(records: Iterable[Record]) -> Counted:
    """What the questions say of every course."""
    with views_of("courses", records) as con:
        rows = con.execute("SELECT patient, start, stop, delivered_h FROM therapy").fetchall()
    return {(patient, start): (stop, round(hours, 9)) for patient, start, stop, hours in rows}


@pytest.mark.parametrize("name", HOURS)
def test_simulated_courses_are_counted_as_the_core_counts_them(name: str) -> None:
    """Starts, ends and delivered hours of a simulated ward are those of the core, to the second."""
    end = BEGIN + HOURS[name] * HOUR
    arrivals = ward(2, SCENARIOS[name].name, 7, BEGIN, BEGIN, end, period_s=60.0)
    records: list[Record] = [arrival.record for arrival in arrivals]
    expected = judged(records)
    assert len(expected) >= 2
    assert counted(records) == expected


def wild_life(rng: Random, patient: str) -> list[Telemetry | Action]:
    """Twelve hours of a device that changes its mind, falls silent, and of people who close."""
    found: list[Telemetry | Action] = []
    moment, mode, dose, validity = START, "standby", 20.0, "valid"
    while moment < START + 12 * HOUR:
        if rng.random() < 0.12:
            modes = ["delivering"] * 6 + ["standby", "off", "calibrating", "purging", "backup"]
            mode = rng.choice(modes)
        if rng.random() < 0.08:
            dose = rng.choice([0.0, 1.0, 5.0, 20.0, 25.0, None])
        if rng.random() < 0.03:
            validity = rng.choice(["valid", "questionable", None, "invalid"])
        sample: Any = {"mode": mode, "set_ppm": dose, "validity": validity}
        found.append(
            Telemetry(time=moment, device="d", patient=patient, unit="u", bed="1", **sample)
        )
        seldom = [7200, 7201, 9000] if rng.random() < 0.1 else []
        steps = [30] * 3 + [60] * 20 + [97] * 5 + [120] * 3 + [121, 150, 600, 1800] + seldom
        moment += timedelta(seconds=rng.choice(steps))
    for number in range(rng.choice([0, 0, 1, 2])):
        hour = rng.randrange(0, 12 * 3600) / 3600 + 0.5 / 3600
        act = did(patient, hour, "close-course", reason="weaned")
        found.append(Action(**{**_fields(act), "id": f"{patient}-{number}"}))
    return found


def _fields(act: Action) -> dict[str, Any]:
    return {name: getattr(act, name) for name in act.__struct_fields__}


def test_wild_courses_are_counted_as_the_core_counts_them() -> None:
    """Silences, doses of 0, backup, bad readings and closed courses are told apart as it does."""
    rng = Random(20260301)
    lives = [record for number in range(40) for record in wild_life(rng, f"p{number}")]
    lives.sort(key=lambda record: (record.time, isinstance(record, Action)))
    records: Sequence[Record] = lives
    expected = judged(records)
    assert len(expected) > 40
    assert counted(records) == expected


HAND_OVERS: dict[str, tuple[tuple[list[Step], float], ...]] = {
    "overlapping": (([(0, 20), (5, 0)], 6), ([(4.9, 20), (9, 0)], 10)),
    "in silence": (([(0, 20)], 5), ([(5 + 1 / 6, 20), (9, 0)], 10)),
    "there and back in silence": (([(0, 20)], 5), ([(5.2, 10), (6, 0)], 6.1), ([(6.2, 20)], 8)),
    "an hour later": (([(0, 20), (5, 0)], 6), ([(6, 20), (9, 0)], 10)),
    "three hours later": (([(0, 20), (5, 0)], 6), ([(8, 20), (9, 0)], 10)),
    "one stands by": (([(0, 20), (5, 0)], 8), ([(0, 0)], 8)),
    "the second ends first": (([(0, 20), (7, 0)], 8), ([(2, 20), (4, 0)], 8)),
    "the first is silent for good": (([(0, 20)], 5), ([(4, 20), (7, 0)], 8)),
}
"""Doses of two devices, by the way in which one patient goes from one to the other."""


@pytest.mark.parametrize("way", HAND_OVERS)
def test_two_devices_are_counted_as_the_core_counts_them(way: str) -> None:
    """Whatever the hand-over looked like: the same courses, ends and hours."""
    devices = ("own", "transport", "own")
    records = [
        sample
        for device, (steps, until_h) in zip(devices, HAND_OVERS[way], strict=False)
        for sample in samples("p", steps, until_h, device=device)
    ]
    records.sort(key=lambda sample: (sample.time, sample.device))
    expected = judged(records)
    assert expected
    assert counted(records) == expected
