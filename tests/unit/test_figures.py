"""What an alert carries beside its time: the numbers, where they come from, who, where, and words.

Scenarios say which alerts come and when; here is the whole of one alert of each rule.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from alerts.profile_book import load_profile
from alerts.rules import RULES
from schemas.alert import Alert
from streams.scenario.check import run
from streams.scenario.file import read_scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios"


class Told(NamedTuple):
    """The first alert of ``rule`` in a scenario: ``value / limit unit``, its source, its words.

    ``over`` are the words when it has cleared, ``None`` where it stays open. ``source`` is the
    place of a number in the profile, or the source itself.
    """

    rule: str
    scenario: str
    figures: str
    reason: str
    source: str
    says: str
    over: str | None


TOLD = (
    Told(
        "set-dose-high",
        "dose-high-just-above",
        "20.1 / 20.0 ppm",
        "over-limit",
        "set_dose_high.limit_ppm",
        "set dose 20.1 ppm is above the limit of 20 ppm",
        "set dose above the limit: over, back in range",
    ),
    Told(
        "measured-dose-high",
        "measured-24-6-for-61-seconds",
        "24.6 / 24.5 ppm",
        "over-limit",
        "measured_dose.tolerance_share",
        "measured 24.6 ppm NO at 20 ppm set, limit 24.5 ppm",
        "measured dose too high: over, back in range",
    ),
    Told(
        "under-delivery",
        "under-delivery",
        "15.4 / 15.5 ppm",
        "under-limit",
        "measured_dose.tolerance_share",
        "measured only 15.4 ppm NO at 20 ppm set, limit 15.5 ppm",
        "measured dose too low: over, back in range",
    ),
    Told(
        "abrupt-stop",
        "stop-closed-with-a-reason",
        "20.0 / 1.0 ppm",
        "stopped",
        "abrupt_stop.floor_ppm",
        "delivery stopped from 20 ppm after 5.0 h, weaning goes down to 1 ppm first",
        "abrupt stop: over, the course ended",
    ),
    Told(
        "fast-wean",
        "wean-too-far",
        "11.0 / 10.0 ppm",
        "too-fast",
        "fast_wean.step_ppm",
        "dose stepped from 20 to 9 ppm; steps of at most 10 ppm and 50 %, 2 h apart",
        "weaning too fast: over, the next step kept the pause",
    ),
    Told(
        "backup-delivery",
        "backup-for-five-minutes",
        "5.0 / 5.0 min",
        "in-backup",
        "backup_delivery.hold",
        "backup delivery for 5 min, the dose is not known",
        "backup delivery: over, back in range",
    ),
    Told(
        "methb-first-due",
        "methb-in-time",
        "4.0 / 4.0 h",
        "due",
        "methb_first.due",
        "first methemoglobin check is due, collect it 4 to 8 h after the start",
        "first methemoglobin check due: over, the check was collected in time",
    ),
    Told(
        "methb-first-overdue",
        "methb-late-result",
        "8.0 / 8.0 h",
        "overdue",
        "methb_first.overdue",
        "no methemoglobin collected 8 h after the start, limit 8 h",
        "first methemoglobin check overdue: over, the check was collected in time",
    ),
    Told(
        "methb-repeat-overdue",
        "methb-repeat",
        "26.4 / 26.4 h",
        "overdue",
        "methb_repeat.interval",
        "no methemoglobin collected for 26.4 h, limit 26.4 h",
        "methemoglobin check overdue: over, a result is there",
    ),
    Told(
        "methb-high",
        "methb-value-tiers",
        "2.5 / 2.5 %",
        "over-limit",
        "methb_high.low_pct",
        "methemoglobin 2.5 %, limit 2.5 %",
        "methemoglobin high: over, back in range",
    ),
    Told(
        "no2-high",
        "no2-tiers",
        "0.5 / 0.5 ppm",
        "over-limit",
        "no2_high.low_ppm",
        "0.5 ppm NO2 in the gas, limit 0.5 ppm",
        "nitrogen dioxide too high: over, back in range",
    ),
    Told(
        "course-over-14-days",
        "course-past-14-days",
        "336.0 / 336.0 h",
        "over-limit",
        "course_14_days.over",
        "therapy is past 336 h: 336.0 h elapsed, 336.0 h delivered; medical review",
        "therapy past 14 days: over, reviewed by a person",
    ),
    Told(
        "course-near-14-days",
        "course-past-14-days",
        "288.0 / 336.0 h",
        "near-limit",
        "course_14_days.near",
        "288 h on therapy, 48 h left of 336 h",
        "therapy nears 14 days: over, taken over by the stronger alert",
    ),
    Told(
        "contraindicated",
        "flags",
        "None / None None",
        "flagged",
        "S0; label: contraindicated",
        "delivering though the circulation depends on a right-to-left shunt",
        "delivering though the circulation depends on a right-to-left shunt: over, no longer so",
    ),
    Told(
        "caution-lv-dysfunction",
        "flags",
        "None / None None",
        "flagged",
        "S0; label: pulmonary oedema, discontinue",
        "delivering with left ventricular dysfunction, watch for lung oedema",
        "delivering with left ventricular dysfunction, watch for lung oedema: over, delivery ended",
    ),
    Told(
        "no-donor-drug",
        "flags",
        "None / None None",
        "flagged",
        "label: added effect on methemoglobin",
        "another nitric oxide donor is given, methemoglobin is due sooner",
        "another nitric oxide donor is given, methemoglobin is due sooner: over, delivery ended",
    ),
    Told(
        "no-response-72h",
        "response-late",
        "80.0 / 72.0 h",
        "no-response",
        "no_response_72h.after",
        "no improvement of SpO2 or oxygen need recorded in 80 h of therapy around heart surgery,"
        " limit 72 h",
        "no response in 72 h: over, it got better",
    ),
    Told(
        "supply-low",
        "supply-falls-fast",
        "110.0 / 35.0 bar",
        "running-out",
        "supply_low.low_bar",
        "cylinder at 110 bar, empty in about 55 min at the present fall; limit 35 bar or 60 min",
        None,
    ),
    Told(
        "calibration-overdue",
        "calibration-after-a-day",
        "24.0 / 24.0 h",
        "uncalibrated",
        "calibration_overdue.after",
        "the device has delivered for more than 24 h since its last calibration",
        "calibration overdue: over, it was calibrated",
    ),
    Told(
        "rebound-suspected",
        "rebound-after-a-stop",
        "86.0 / 87.0 %",
        "fell",
        "rebound_suspected.fall_points",
        "SpO2 86 % 11 min after delivery was lowered or stopped, before it 97 %; rebound?",
        "rebound suspected: over, back in range",
    ),
    Told(
        "telemetry-lost",
        "gap-and-back",
        "120.0 / 120.0 s",
        "silent",
        "telemetry_lost.low",
        "no telemetry for 2 min while delivering, limit 2 min; go and look",
        "no telemetry: over, back again",
    ),
    Told(
        "reading-frozen",
        "frozen-for-ten-minutes",
        "10.0 / 10.0 min",
        "frozen",
        "reading_frozen.hold",
        "no reading of d1 has changed for 10 min; is it stuck?",
        "readings frozen: over, the readings change again",
    ),
    Told(
        "device-alarm",
        "device-alarm-for-a-minute",
        "None / None None",
        "device-alarm",
        "device_alarm.hold",
        "the device's own alarm is active: battery (medium)",
        "device alarm: over, the device's alarm is over",
    ),
    Told(
        "data-rejected",
        "rejected-five",
        "5.0 / 5.0 records",
        "rejected",
        "data_rejected.count",
        "5 records of device d1 refused within 10 min (unknown value): they are not judged",
        "records refused: over, none was refused lately",
    ),
    Told(
        "eligibility-review",
        "eligibility-contradicted",
        "None / None None",
        "context-contradicts",
        "label 020845s020",
        "eligibility: label asks for a gestational age above 34 weeks at birth (33w6d)",
        "eligibility: over, all that is asked for is on record",
    ),
)


@cache
def alerts_of(scenario: str) -> list[Alert]:
    """Everything that a scenario brings."""
    return run(read_scenario(SCENARIOS / f"{scenario}.yaml"))


def test_every_rule_is_here() -> None:
    """No rule goes without."""
    assert {told.rule for told in TOLD} == {rule.name for rule in RULES}


@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.rule)
def test_what_an_alert_tells(told: Told) -> None:
    """The sentence for the nurse and the numbers behind it, with where they come from."""
    limits = load_profile("default")
    alert, *later = [alert for alert in alerts_of(told.scenario) if alert.rule == told.rule]
    assert (alert.phase, alert.reason) == ("raised", told.reason)
    assert alert.summary.partition(": ")[2] == told.says
    assert f"{alert.value} / {alert.limit} {alert.unit_of_measure}" == told.figures
    assert alert.source == limits.sources.get(told.source, told.source)
    assert (alert.profile, alert.rules_version) == ("default", limits.rules_version)
    over = next((other for other in later if other.phase == "cleared"), None)
    assert (over and over.summary.partition(": ")[2]) == told.over
    if over is not None:
        last = [alert, *later][later.index(over)]
        assert (over.id, over.onset, over.course) == (alert.id, alert.onset, alert.course)
        assert over.value is None
        assert (over.limit, over.unit_of_measure) == (last.limit, last.unit_of_measure)
        assert (over.source, over.device) == (last.source, alert.device)


def test_who_and_where() -> None:
    """An alert names patient, unit, bed, device and course, and its id comes of them."""
    alert = next(a for a in alerts_of("stop-closed-with-a-reason") if a.rule == "abrupt-stop")
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert (alert.patient, alert.unit, alert.bed, alert.device) == ("p2", "nicu", "bed 2", "d1")
    assert alert.summary.startswith("bed 2: ")
    assert alert.course == start
    assert alert.onset == start + timedelta(hours=5)
    assert alert.id == "7037a00aa5a8d32ae7d1370a0d189d27"  # the same for ever
