"""Hazards of the simulator: what is sent, what is true of it, and what it raises."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from alerts.profile_book import load_profile
from schemas.encode import encode
from schemas.telemetry import Telemetry
from streams.replay import replay
from streams.simulate.faulty_devices import ROLES as FAULTY_DEVICES
from streams.simulate.regimen import Stretch
from streams.simulate.scenarios import SCENARIOS
from streams.simulate.stay import Stay
from streams.simulate.truth import hold, injected
from streams.simulate.ward import stays, ward
from streams.ward import Ward

START = datetime(2026, 11, 20, 10, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNSTAGED = [scenario.name for scenario in SCENARIOS.values() if not scenario.staged]
FAULTY = [name for name in UNSTAGED if set(SCENARIOS[name].roles) & set(FAULTY_DEVICES)]
DEFAULT = load_profile("default")


def first_stay(scenario: str, seed: int, beds: int = 1) -> Stay:
    """The first patient of the last bed."""
    found = stays(beds, scenario, seed, START, START, START + HOUR)
    return list(found)[-1]


def samples(scenario: str, seed: int, hours: float = 40) -> list[Telemetry]:
    """What the first bed's device says of its first patient, once a minute, each sample once."""
    end = START + hours * HOUR
    patient = first_stay(scenario, seed).patient
    records = (arrival.record for arrival in ward(1, scenario, seed, START, end, end))
    own = (r for r in records if isinstance(r, Telemetry) and r.patient == patient)
    return list({sample.time: sample for sample in own}.values())


def during(stay: Stay, told: list[Telemetry], stretch: Stretch) -> list[Telemetry]:
    """The samples of a stretch."""
    return [s for s in told if stay.at(stretch[0]) <= s.time < stay.at(stretch[1])]


@pytest.mark.parametrize("scenario", UNSTAGED)
def test_a_scenario_raises_what_it_says(scenario: str) -> None:
    """Within its hours one bed raises each rule that the scenario names, and no other."""
    plot = SCENARIOS[scenario]
    end = START + plot.hours * HOUR
    lines = (encode(arrival.record) for arrival in ward(1, scenario, 1, START, end, end))
    raised = {alert.rule for alert in replay(lines, Ward(), refuse) if alert.phase == "raised"}
    assert raised == plot.raises


def refuse(number: int, line: bytes, why: object) -> None:
    """No record of the simulator is refused."""
    pytest.fail(f"record {number}: {why}: {line!r}")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_plan_is_the_plan_of_the_ward(scenario: str) -> None:
    """The stays are those of the patients whose records arrive, bed by bed."""
    now = START + SCENARIOS[scenario].history_h * HOUR
    end = now + 3 * HOUR
    planned = {stay.patient: stay for stay in stays(3, scenario, 5, START, now, end)}
    run = list(ward(3, scenario, 5, START, now, end, period_s=60.0))
    assert {arrival.record.patient for arrival in run} <= set(planned)
    for arrival in run:
        if isinstance(arrival.record, Telemetry):
            assert arrival.record.bed == planned[arrival.record.patient].place.bed


@pytest.mark.parametrize("scenario", UNSTAGED)
def test_what_is_injected_belongs_to_the_scenario(scenario: str) -> None:
    """Each hazard is of a rule that the scenario raises; correct care has none, and no fault."""
    for seed in range(10):
        stay = first_stay(scenario, seed)
        found = injected(stay, DEFAULT)
        assert {hazard.rule for hazard in found} <= SCENARIOS[scenario].raises
        assert bool(found) == (len(SCENARIOS[scenario].raises) > 1)
        assert found == sorted(found, key=lambda hazard: hazard.onset)
        assert all(hazard.due >= hazard.onset >= stay.begin for hazard in found)
        assert all(hazard.patient == stay.patient for hazard in found)
        if not found:
            assert stay.regimen.faults == ()


def test_a_bed_without_a_cylinder_has_no_low_supply() -> None:
    """One bed in five makes its NO from air: nothing is injected that cannot be seen there."""
    for scenario in ("supply-low", "supply-leak"):
        assert injected(first_stay(scenario, 1, beds=4), DEFAULT)
        assert injected(first_stay(scenario, 1, beds=5), DEFAULT) == []


@pytest.mark.parametrize(
    ("rule", "priority", "hold_s"),
    [
        ("set-dose-high", "high", 10),
        ("under-delivery", "high", 60),
        ("no2-high", "low", 600),
        ("no2-high", "high", 60),
        ("telemetry-lost", "medium", 300),
        ("fast-wean", "low", 300),
        ("reading-frozen", "low", 600),
        ("course-over-14-days", "medium", 0),
    ],
)
def test_holds_are_those_of_the_table(rule: str, priority: str, hold_s: float) -> None:
    """Under the default profile a hazard is due after the hold that the rule book gives."""
    assert hold(rule, priority, DEFAULT) == timedelta(seconds=hold_s)  # type: ignore[arg-type] # one of the four


@pytest.mark.parametrize("scenario", FAULTY)
@pytest.mark.parametrize("seed", range(3))
def test_a_fault_begins_with_a_sample(scenario: str, seed: int) -> None:
    """A sample stands exactly where a fault begins, and the next one within a minute."""
    stay, told = first_stay(scenario, seed), samples(scenario, seed)
    assert stay.regimen.faults
    for fault in stay.regimen.faults:
        hit = during(stay, told, (fault.from_h, fault.to_h))
        assert hit[0].time == stay.at(fault.from_h)
        assert all(b.time - a.time <= timedelta(minutes=1) for a, b in pairwise(hit))


def test_delivery_faults_keep_the_setting() -> None:
    """What arrives is another dose than the one that is set, and the device says nothing of it."""
    for scenario in ("over-delivery", "under-delivery"):
        stay, told = first_stay(scenario, 3), samples(scenario, 3)
        for fault in stay.regimen.faults:
            for sample in during(stay, told, (fault.from_h, fault.to_h)):
                assert (sample.mode, sample.set_ppm, sample.alarms) == ("delivering", 20.0, None)
                assert sample.no_ppm == pytest.approx(20 * fault.value, rel=0.06, abs=0.1)


def test_a_frozen_device_repeats_itself() -> None:
    """Every reading of a frozen device is the one before it; the sample after it is another."""
    stay, told = first_stay("reading-frozen", 3), samples("reading-frozen", 3)
    for fault in stay.regimen.faults:
        stuck = during(stay, told, (fault.from_h, fault.to_h + 1 / 60))
        readings = [(s.no_ppm, s.no2_ppm, s.fio2_pct, s.spo2_pct, s.cylinder_bar) for s in stuck]
        assert len(set(readings[:-1])) == 1
        assert readings[-1] != readings[0]


def test_a_neglected_cylinder_falls_until_it_is_changed() -> None:
    """From the pressure at which it was connected, with what is given and what leaks."""
    for scenario, fall_bar_h in (("supply-low", 2.6), ("supply-leak", 92.6)):
        stay, told = first_stay(scenario, 3), samples(scenario, 3)
        for fault in (fault for fault in stay.regimen.faults if fault.kind == "cylinder"):
            bars = [s.cylinder_bar for s in during(stay, told, (fault.from_h, fault.to_h))]
            assert bars[0] == fault.value
            assert bars[-1] == pytest.approx(
                fault.value - fall_bar_h * (len(bars) - 1) / 60, abs=0.01
            )
            after = during(stay, told, (fault.to_h, fault.to_h + 1))
            assert all((sample.cylinder_bar or 0) > 75 for sample in after)


def test_alarms_and_backup_come_and_go() -> None:
    """A device that alarms says so all the time; one in backup does not know its dose."""
    stay, told = first_stay("device-alarm", 3), samples("device-alarm", 3)
    for fault, priority in zip(stay.regimen.faults, ("medium", "high"), strict=True):
        hit = during(stay, told, (fault.from_h, fault.to_h))
        assert {tuple(a.priority for a in s.alarms or ()) for s in hit} == {(priority,)}
    assert sum(sample.alarms == () for sample in told) > 1000
    stay, told = first_stay("backup-delivery", 3), samples("backup-delivery", 3)
    backup = [sample for sample in told if sample.mode == "backup"]
    assert {sample.set_ppm for sample in backup} == {None}
    assert len(backup) == 8 + 15


def test_a_rebound_is_felt_by_the_baby_alone() -> None:
    """The saturation falls below 85 after a step and after a stop; delivery goes as planned."""
    stay, told = first_stay("rebound", 3), samples("rebound", 3, 60)
    after_step, after_stop = stay.regimen.faults
    for fault, mode in ((after_step, "delivering"), (after_stop, "standby")):
        hit = during(stay, told, (fault.from_h, fault.to_h))
        assert {(s.mode, s.spo2_pct) for s in hit} == {(mode, fault.value)}
        assert fault.value < 85


def test_notes_change_the_context() -> None:
    """What is found during therapy arrives as context when it is found, and is taken back."""
    stay = first_stay("contraindicated", 3)
    end = START + 20 * HOUR
    run = ward(1, "contraindicated", 3, START, end, end)
    told = [arrival for arrival in run if arrival.record.__struct_config__.tag == "course"][1:]
    assert [arrival.at for arrival in told] == [stay.at(note.at_h) for note in stay.regimen.notes]
    assert [a.record.flags.right_to_left_shunt_dependent for a in told] == [True, False]  # type: ignore[union-attr] # courses by their tag
