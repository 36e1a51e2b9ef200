"""The simulated ward: repeatable, decodable, correct or wrong exactly where it says so."""

import gzip
import hashlib
import itertools
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.action import Action
from schemas.course import Course
from schemas.decode import decode
from schemas.encode import encode
from schemas.lab import Lab
from schemas.telemetry import Telemetry
from streams.simulate.arrival import Arrival
from streams.simulate.produce import to_file
from streams.simulate.roles import ROLES
from streams.simulate.scenarios import CUES, LATER_ROLES, SCENARIOS
from streams.simulate.ward import ward

NOW = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
SETTLING = timedelta(seconds=120)
LONG_AGO = NOW - 338 * HOUR
RUNNING = ("delivering", "calibrating")
UNEVENTFUL = ("correct-care", "device-handover", "sensor-noise")


def lines(arrivals: Iterable[Arrival]) -> bytes:
    """Encode the records one to a line."""
    return b"\n".join(encode(arrival.record) for arrival in arrivals)


def past(scenario: str) -> datetime:
    """Return a start that leaves room for a stay, or for what the scenario needs before now."""
    return NOW - (SCENARIOS[scenario].history_h or 30) * HOUR


def history(scenario: str, seed: int, hours: float, beds: int = 1) -> list[Arrival]:
    """So many hours of ``scenario`` at one sample a minute."""
    end = NOW + hours * HOUR
    return list(ward(beds, scenario, seed, NOW, end, end))


def staged(beds: int, speed: float, wall_s: float = 60.0, seed: int = 7) -> list[Arrival]:
    """Run the demo ward with its history, and a minute of wall time of it live."""
    end = NOW + timedelta(seconds=wall_s * speed)
    period_s = min(60.0, max(1.0, speed / 6))
    return list(ward(beds, "ward", seed, LONG_AGO, NOW, end, period_s=period_s, speed=speed))


class Patient:
    """Everything that was sent about one patient, in order of arrival."""

    def __init__(self, arrivals: list[Arrival]) -> None:
        self.arrivals = arrivals
        records = [arrival.record for arrival in arrivals]
        self.telemetry = [record for record in records if isinstance(record, Telemetry)]
        self.labs = [record for record in records if isinstance(record, Lab)]
        self.actions = [record for record in records if isinstance(record, Action)]
        unique = {(s.device, s.time, s.seq): s for s in self.telemetry}
        self.samples = sorted(unique.values(), key=lambda sample: sample.time)
        self.delivering = [s for s in self.samples if s.mode == "delivering" and s.set_ppm]
        self.closed = any(action.action == "close-course" for action in self.actions)

    @property
    def begin(self) -> datetime:
        """The first delivery."""
        return self.delivering[0].time


def patients(arrivals: Iterable[Arrival]) -> list[Patient]:
    """Those who have had a first delivery."""
    found: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        found[arrival.record.patient].append(arrival)
    return [patient for patient in map(Patient, found.values()) if patient.delivering]


def by_device(samples: Iterable[Telemetry]) -> Iterator[list[Telemetry]]:
    """Part the samples by the device that sent them."""
    found: dict[str, list[Telemetry]] = defaultdict(list)
    for sample in samples:
        found[sample.device].append(sample)
    yield from found.values()


def steps(patient: Patient) -> list[tuple[datetime, float, float]]:
    """List changes of the dose of the bed's own device while it delivers: when, from, to."""
    changes = []
    own = [s for s in patient.delivering if not s.device.endswith("transport")]
    for before, after in itertools.pairwise(own):
        if before.set_ppm != after.set_ppm:
            assert before.set_ppm is not None
            assert after.set_ppm is not None
            changes.append((after.time, before.set_ppm, after.set_ppm))
    return changes


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_gives_the_same_bytes(scenario: str) -> None:
    """Two runs with equal arguments agree byte for byte; another seed does not."""
    end = NOW + HOUR
    runs = [lines(ward(3, scenario, seed, past(scenario), NOW, end)) for seed in (5, 5, 6)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_another_process_gives_the_same_bytes() -> None:
    """Nothing depends on the order in which an interpreter hashes its strings."""
    script = (
        "import hashlib; from datetime import datetime; from schemas.encode import encode\n"
        "from streams.simulate.ward import ward\n"
        f"now = datetime.fromisoformat('{NOW.isoformat()}')\n"
        f"long_ago = datetime.fromisoformat('{LONG_AGO.isoformat()}')\n"
        "rows = (encode(a.record) for a in ward(6, 'ward', 3, long_ago, now, now))\n"
        "print(hashlib.sha256(b'\\n'.join(rows)).hexdigest())\n"
    )
    here = hashlib.sha256(lines(ward(6, "ward", 3, LONG_AGO, NOW, NOW))).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=60
    )
    assert ran.stdout.decode().strip() == here


@pytest.mark.parametrize("scenario", ["ward", "correct-care"])
def test_a_bed_knows_nothing_of_its_neighbours(scenario: str) -> None:
    """Adding beds changes no record of the beds that were there."""
    end = NOW + HOUR
    few = list(ward(3, scenario, 1, past(scenario), NOW, end))
    many = list(ward(9, scenario, 1, past(scenario), NOW, end))
    known = {arrival.record.patient for arrival in few}
    assert few == [arrival for arrival in many if arrival.record.patient in known]


def test_the_rate_of_sampling_changes_no_story() -> None:
    """Context, laboratory and deeds are the same whatever the period."""

    def papers(period_s: float) -> list[Arrival]:
        end = NOW + 30 * HOUR
        run = ward(2, "methb-missed", 9, NOW, NOW, end, period_s=period_s)
        return [arrival for arrival in run if not isinstance(arrival.record, Telemetry)]

    assert papers(20.0) == papers(60.0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_longer_run_begins_like_a_shorter_one(scenario: str) -> None:
    """``end`` only cuts off; no arrival lies at or after it, or before ``start``."""
    short = list(ward(2, scenario, 4, past(scenario), NOW, NOW + HOUR))
    long = list(ward(2, scenario, 4, past(scenario), NOW, NOW + 2 * HOUR))
    assert short == [arrival for arrival in long if arrival.at < NOW + HOUR]
    assert short[0].at >= past(scenario)
    assert len(long) >= len(short) > 0


@settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(seed=st.integers(), scenario=st.sampled_from(sorted(SCENARIOS)), beds=st.integers(1, 3))
def test_every_record_is_accepted(seed: int, scenario: str, beds: int) -> None:
    """Each record decodes to itself, has arrived when it was measured or later, and in order."""
    before = datetime.min.replace(tzinfo=UTC)
    start = NOW - max(12.0, SCENARIOS[scenario].history_h) * HOUR
    run = ward(beds, scenario, seed, start, NOW, NOW + HOUR / 12, period_s=10.0)
    for arrival in itertools.islice(run, 1_500):
        assert decode(encode(arrival.record), now=arrival.at) == arrival.record
        assert before <= arrival.at
        assert arrival.record.time <= arrival.at
        before = arrival.at


@pytest.mark.parametrize("scenario", UNEVENTFUL)
@pytest.mark.parametrize("seed", range(4))
def test_correct_doses(scenario: str, seed: int) -> None:
    """Never above 20 ppm; small steps with long pauses; planned stops from 1 ppm, then closed."""
    closed = [p for p in patients(history(scenario, seed, 160)) if p.closed]
    assert closed
    for patient in closed:
        assert patient.begin == min(s.time for s in patient.samples if s.mode == "delivering")
        assert {s.set_ppm for s in patient.delivering} <= {20.0, 10.0, 5.0, 3.0, 2.0, 1.0}
        assert patient.delivering[0].set_ppm == 20.0
        for _, was_ppm, is_ppm in steps(patient):
            assert was_ppm - is_ppm <= 10
            assert is_ppm >= was_ppm / 2
        times = [at for at, _, _ in steps(patient)]
        assert all(b - a > 2 * HOUR for a, b in itertools.pairwise(times))
        last = patient.delivering[-1]
        assert last.set_ppm == 1.0
        planned, closing = patient.actions
        assert (planned.action, closing.action) == ("plan-stop", "close-course")
        assert closing.reason == "weaned"
        assert timedelta() < last.time - planned.time < HOUR
        assert timedelta() < closing.time - last.time < 2 * HOUR


@pytest.mark.parametrize("scenario", UNEVENTFUL)
@pytest.mark.parametrize("seed", range(4))
def test_correct_delivery_is_never_silent(scenario: str, seed: int) -> None:
    """Under 100 s between samples of a running therapy, whichever device gives them."""
    for patient in patients(history(scenario, seed, 120)):
        running = [s for s in patient.samples if s.mode in RUNNING]
        gaps = [b.time - a.time for a, b in itertools.pairwise(running)]
        assert max(gaps) < timedelta(seconds=100)


@pytest.mark.parametrize("seed", range(6))
def test_correct_readings_keep_the_tolerance(seed: int) -> None:
    """Settled NO is within 20 % and 0.5 ppm, NO2 under 0.3 ppm, SpO2 steady, supply ample."""
    for patient in patients(history("correct-care", seed, 120)):
        changes = steps(patient)
        for sample in patient.delivering:
            assert sample.no_ppm is not None
            assert sample.set_ppm is not None
            assert sample.no2_ppm is not None
            assert sample.spo2_pct is not None
            settling = [was for at, was, _ in changes if at <= sample.time < at + SETTLING]
            upper = max([sample.set_ppm, *settling]) * 1.2 + 0.5
            assert 0.8 * sample.set_ppm - 0.5 < sample.no_ppm < upper
            assert sample.no2_ppm < 0.3
            assert 87 <= sample.spo2_pct <= 99
        for samples in by_device(patient.samples):
            for before, after in itertools.pairwise(samples):
                if before.cylinder_bar is None or after.cylinder_bar is None:
                    continue
                assert after.cylinder_bar > 70
                fall = before.cylinder_bar - after.cylinder_bar
                if fall > 0:
                    assert after.cylinder_bar / fall * (after.time - before.time) > 10 * HOUR


@pytest.mark.parametrize("scenario", UNEVENTFUL)
@pytest.mark.parametrize("seed", range(4))
def test_correct_methemoglobin_checks(scenario: str, seed: int) -> None:
    """First drawn from 4 to 8 h and resulted by 8 h, then again within 26.4 h; all low."""
    for patient in (p for p in patients(history(scenario, seed, 160)) if p.closed):
        arrived = [a for a in patient.arrivals if isinstance(a.record, Lab)]
        labs = patient.labs
        assert [lab.resulted for lab in labs] == [arrival.at for arrival in arrived]
        assert 4.5 * HOUR <= labs[0].time - patient.begin <= 7 * HOUR
        assert arrived[0].at - patient.begin < 8 * HOUR
        for lab, arrival in zip(labs, arrived, strict=True):
            assert timedelta(minutes=20) <= arrival.at - lab.time <= timedelta(minutes=60)
            assert lab.value_pct is not None
            assert 0.5 <= lab.value_pct <= 1.8
        collected = [*(lab.time for lab in labs), patient.delivering[-1].time]
        assert all(b - a < 26.4 * HOUR for a, b in itertools.pairwise(collected))
        assert len({lab.id for lab in labs}) == len(labs)


@pytest.mark.parametrize("seed", range(6))
def test_daily_zero_calibration(seed: int) -> None:
    """A calibration of a few minutes reads 0, is marked, and comes within each 24 h."""
    for patient in (p for p in patients(history("correct-care", seed, 160)) if p.closed):
        zeroed = [s for s in patient.samples if s.mode == "calibrating"]
        assert zeroed
        assert {(s.no_ppm, s.validity, s.set_ppm != 0) for s in zeroed} == {
            (0.0, "calibrating", True)
        }
        times = [*(s.time for s in zeroed), patient.delivering[-1].time]
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert max(gaps) < 24 * HOUR
        longest = max(
            len(list(g))
            for m, g in itertools.groupby(s.mode for s in patient.samples)
            if m == "calibrating"
        )
        assert 3 <= longest <= 6


@pytest.mark.parametrize("seed", range(4))
def test_beds_empty_and_fill_again(seed: int) -> None:
    """Context comes first; a bed stands empty over 2 h, then a new pseudonym comes."""
    stays = patients(history("correct-care", seed, 400))
    assert len(stays) >= 3
    for patient in stays:
        context = patient.arrivals[0].record
        assert isinstance(context, Course)
        assert context.gestational_age
        assert context.flags
        assert context.born
        assert context.born < patient.begin < context.born + timedelta(days=14)
    for gone, come in itertools.pairwise(stays):
        assert come.arrivals[0].at - gone.arrivals[-1].at > 2 * HOUR


def test_devices_restart_and_repeat_themselves() -> None:
    """Somewhere in a month a device counts from 0 again, and a record comes twice, never early."""
    restarts = duplicates = 0
    for patient in patients(history("correct-care", 1, 700)):
        for samples in by_device(patient.samples):
            restarts += sum(b.seq == 0 != a.seq for a, b in itertools.pairwise(samples))
        duplicates += len(patient.telemetry) - len(patient.samples)
    assert restarts > 3
    assert duplicates > 3


def test_live_samples_keep_the_period() -> None:
    """One a minute before now; from then on one every period but for short pauses."""
    start, end = NOW - 12 * HOUR, NOW + HOUR
    samples = patients(ward(1, "correct-care", 2, start, NOW, end, period_s=5.0))[0].samples
    past = [s.time for s in samples if s.time < NOW]
    live = [s.time for s in samples if s.time > NOW]
    for times, period_s in ((past, 60), (live, 5)):
        gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
        assert sum(gap == period_s for gap in gaps) > 0.95 * len(gaps)
        assert max(gaps) < 100


@pytest.mark.parametrize("seed", range(3))
def test_dose_high(seed: int) -> None:
    """25 ppm, 45 ppm, 20 ppm, each long enough for its rule; methemoglobin is checked in time."""
    patient = patients(history("dose-high", seed, SCENARIOS["dose-high"].hours))[0]
    changes = steps(patient)[:3]
    assert [(a, b) for _, a, b in changes] == [(20.0, 25.0), (25.0, 45.0), (45.0, 20.0)]
    assert all(b[0] - a[0] > timedelta(minutes=5) for a, b in itertools.pairwise(changes))
    first = patient.labs[0].time
    assert changes[-1][0] - first < 13.2 * HOUR


@pytest.mark.parametrize("seed", range(6))
def test_methb_missed(seed: int) -> None:
    """No result by 8 h; one that satisfies the rule comes within the scenario's hours."""
    patient = patients(history("methb-missed", seed, SCENARIOS["methb-missed"].hours))[0]
    first = next(a for a in patient.arrivals if isinstance(a.record, Lab))
    assert first.at > patient.begin + 8 * HOUR
    assert first.record.time > patient.begin + 4 * HOUR


@pytest.mark.parametrize("seed", range(3))
def test_abrupt_stop(seed: int) -> None:
    """Cut from 20 ppm after 4 h with no plan; saturation falls; delivered again within 2 h."""
    patient = patients(history("abrupt-stop", seed, SCENARIOS["abrupt-stop"].hours))[0]
    cut = [s for s in patient.samples if s.mode == "standby" and s.time > patient.begin]
    resumed = next(s for s in patient.delivering if s.time > cut[-1].time)
    assert cut[0].time - patient.begin > 4 * HOUR
    assert timedelta(seconds=60) < resumed.time - cut[0].time < 2 * HOUR
    assert resumed.set_ppm == 20.0
    low = [s for s in cut if s.spo2_pct is not None and s.spo2_pct < 85]
    assert low[-1].time - low[0].time > timedelta(minutes=3)
    assert not patient.actions


def test_past_14_days() -> None:
    """Delivery goes on past 336 h, a review follows, and the course is weaned and closed."""
    patient = patients(history("past-14-days", 1, 380))[0]
    assert patient.delivering[-1].time - patient.begin > 336 * HOUR
    review, planned, closing = patient.actions
    assert (review.action, review.rule) == ("review", "course-over-14-days")
    assert review.time - patient.begin > 336 * HOUR
    assert review.time < planned.time < closing.time


def test_telemetry_lost() -> None:
    """Over 15 min without any sample inside a running therapy, which then goes on as before."""
    patient = patients(history("telemetry-lost", 1, SCENARIOS["telemetry-lost"].hours))[0]
    silent = [
        (a, b)
        for a, b in itertools.pairwise(patient.samples)
        if b.time - a.time > timedelta(minutes=15)
    ]
    assert silent
    assert {(s.mode, s.set_ppm) for pair in silent for s in pair} == {("delivering", 20.0)}


def test_device_handover() -> None:
    """Each device stands by only after the other one has begun to deliver."""
    patient = patients(history("device-handover", 1, SCENARIOS["device-handover"].hours))[0]
    assert len({s.device for s in patient.delivering}) == 2
    for sample in patient.samples:
        if sample.mode in ("standby", "off") and sample.time > patient.begin:
            others = [s.time for s in patient.delivering if s.device != sample.device]
            assert any(abs(sample.time - at) < timedelta(seconds=100) for at in others)


@pytest.mark.parametrize("period_s", [1.0, 15.0, 60.0])
def test_sensor_noise(period_s: float) -> None:
    """A trusted reading out of tolerance never lasts 60 s; what spikes longer is not trusted."""
    run = ward(1, "sensor-noise", 3, NOW, NOW + 3 * HOUR, NOW + 12 * HOUR, period_s=period_s)
    patient = patients(run)[0]
    assert any(s.validity == "invalid" for s in patient.samples)
    since = None
    for sample in patient.delivering:
        assert sample.set_ppm is not None
        assert sample.no_ppm is not None
        if since is not None:
            assert sample.time - since < timedelta(seconds=60)
        wild = not 15.5 <= sample.no_ppm <= 24.5
        since = (since or sample.time) if wild and sample.validity == "valid" else None


def due_walls(run: list[Arrival], speed: float) -> dict[str, float]:
    """When each mandated alert falls due, in wall seconds after now, read off the records."""
    by_bed: dict[str, Patient] = {}
    for patient in patients(run):
        by_bed.setdefault(patient.delivering[0].bed, patient)
    kinds = ("dose", "methb", "stop", "days")
    found = {kind: by_bed[bed] for kind, bed in zip(kinds, sorted(by_bed), strict=False)}
    due = {
        "dose": steps(found["dose"])[0][0] + timedelta(seconds=10),
        "methb": found["methb"].begin + 8 * HOUR,
        "stop": next(
            s.time
            for s in found["stop"].samples
            if s.mode == "standby" and s.time > found["stop"].begin
        )
        + timedelta(seconds=30),
        "days": found["days"].begin + 336 * HOUR,
    }
    return {kind: (at - NOW).total_seconds() / speed for kind, at in due.items()}


@pytest.mark.parametrize("beds", [4, 8])
@pytest.mark.parametrize("speed", [1.0, 60.0, 600.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_ward_shows_every_mandated_hazard_at_once(seed: int, speed: float, beds: int) -> None:
    """Dose, methemoglobin, stop and 14 days fall due from 10 to 40 s of wall time after now."""
    run = staged(beds, speed, seed=seed)
    walls = due_walls(run, speed)
    assert set(walls) == {"dose", "methb", "stop", "days"}
    assert all(10 <= wall_s <= 40 for wall_s in walls.values()), walls
    late = [a for p in patients(run) if p.delivering[0].bed == "1-02" for a in p.arrivals]
    assert all(
        a.at > NOW + timedelta(seconds=20 * speed) for a in late if isinstance(a.record, Lab)
    )


def test_hazards_go_on_in_a_ward_that_runs_for_days() -> None:
    """On each later day of the ward some dose goes above 20 ppm and some delivery is cut."""
    end = NOW + 10 * 24 * HOUR
    run = list(ward(6, "ward", 2, LONG_AGO, NOW, end, period_s=60.0, speed=60.0))
    high: set[int] = set()
    cut: set[int] = set()
    for patient in patients(run):
        for sample in patient.samples:
            day = (sample.time - NOW).days
            if (sample.set_ppm or 0) > 20:
                high.add(day)
            own = not sample.device.endswith("transport")
            if own and sample.mode == "standby" and (sample.spo2_pct or 100) < 85:
                cut.add(day)
    assert len(high) >= 5
    assert len(cut) >= 5
    assert len(patients(run)) > 12


def test_scenarios_name_roles_that_exist() -> None:
    """Every role of a scenario, a cue or a later patient can be made; every scenario says what."""
    named = {role for scenario in SCENARIOS.values() for role in scenario.roles}
    assert named | set(CUES) | set(LATER_ROLES) <= set(ROLES)
    assert all(scenario.says.endswith(".") for scenario in SCENARIOS.values())
    assert all("methb-first-due" in scenario.raises for scenario in SCENARIOS.values())
    mandated = {"set-dose-high", "methb-first-overdue", "abrupt-stop", "course-over-14-days"}
    assert mandated <= SCENARIOS["ward"].raises


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"scenario": "nightmare"}, "correct-care"),
        ({"beds": 0}, "beds"),
        ({"period_s": 0.0}, "period"),
        ({"period_s": 61.0}, "period"),
        ({"speed": 0.0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"start": NOW - HOUR, "scenario": "ward"}, "history"),
        ({"start": NOW + HOUR}, "start"),
        ({"start": NOW.replace(tzinfo=None)}, "offset"),
    ],
)
def test_arguments_that_cannot_be_used_say_why(changed: dict[str, object], word: str) -> None:
    """A wrong argument is a ValueError at the call, in words, not at the first record."""
    arguments: dict[str, object] = {
        "beds": 1,
        "scenario": "correct-care",
        "seed": 1,
        "start": LONG_AGO,
        "now": NOW,
        "end": NOW,
    }
    with pytest.raises(ValueError, match=word):
        ward(**{**arguments, **changed})  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize("ending", ["ndjson", "ndjson.gz", "ndjson.zst"])
def test_a_recording_reads_back(ending: str, tmp_path: Path) -> None:
    """Each ending holds every record in order of arrival, and the same bytes when made again."""
    arrivals = history("abrupt-stop", 3, 8, beds=2)
    paths = [tmp_path / f"{name}.{ending}" for name in ("one", "two")]
    assert [to_file(arrivals, path) for path in paths] == [len(arrivals)] * 2
    packed = paths[0].read_bytes()
    assert packed == paths[1].read_bytes()
    if ending.endswith(".gz"):
        plain = gzip.decompress(packed)
    elif ending.endswith(".zst"):
        plain = zstandard.ZstdDecompressor().stream_reader(packed).read()
    else:
        plain = packed
    assert [decode(line) for line in plain.splitlines()] == [a.record for a in arrivals]


def test_a_recording_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """A dash is standard output, with the records and nothing else on it."""
    arrivals = history("correct-care", 3, 3)
    assert to_file(arrivals, "-") == len(arrivals)
    written, _ = capsysbinary.readouterr()
    assert written == lines(arrivals) + b"\n"
