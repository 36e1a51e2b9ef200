"""The named scenarios, as data: who lies in which bed, and what the monitor should say.

``raises`` is the whole of what correct rules raise under the default profile, not less and not
more; the reminder that a methemoglobin check is due comes in every course.
"""

from msgspec import Struct

from streams.simulate.roles import LONGEST_COURSE_H

_REMINDER = "methb-first-due"
_DOSE = frozenset({"set-dose-high", "measured-dose-high", "fast-wean"})
_METHB = frozenset({"methb-first-overdue"})
_STOP = frozenset({"abrupt-stop", "rebound-suspected"})
_FOURTEEN = frozenset({"course-near-14-days", "course-over-14-days"})
_LOST = frozenset({"telemetry-lost"})
_SUPPLY = frozenset({"supply-low"})


class Cue(Struct, frozen=True):
    """When the first event of a staged bed comes: the alert is due ``wall_s`` after *now*.

    The event is ``hold_s`` of ward time before its alert and ``course_h`` into the course.
    """

    wall_s: float
    hold_s: float
    course_h: float


class Scenario(Struct, frozen=True, kw_only=True):
    """Bed *i* has role ``roles[i]``, each later bed the last one.

    A staged scenario places its events around *now* and needs ``history_h`` before it; any other
    begins at the start. Within ``hours`` of the start each of ``raises`` has come; when staged,
    within ``hours`` of *now* at up to 60 times, and what is older than *now* counts.
    """

    name: str
    says: str
    roles: tuple[str, ...]
    raises: frozenset[str]
    hours: float
    staged: bool = False
    history_h: float = 0.0

    def role(self, index: int) -> str:
        """Return the role of bed ``index``, counted from 0."""
        return self.roles[min(index, len(self.roles) - 1)]


CUES: dict[str, Cue] = {
    "dose-high": Cue(15.0, 0.0, 10.0),
    "methb-missed": Cue(20.0, 0.0, 8.0),
    "abrupt-stop": Cue(30.0, 30.0, 6.0),
    "past-14-days": Cue(25.0, 0.0, LONGEST_COURSE_H),
    "telemetry-lost": Cue(40.0, 0.0, 12.0),
    "handover": Cue(10.0, 0.0, 20.0),
}
"""Role to its cue. A role without one is met at any hour of its course."""

LATER_ROLES = (
    "abrupt-stop",
    "dose-high",
    "methb-missed",
    "telemetry-lost",
    "handover",
    "correct",
)
"""What the next patient of a staged bed with an event may bring."""


def _one(name: str, says: str, role: str, raises: frozenset[str], hours: float) -> Scenario:
    return Scenario(name=name, says=says, roles=(role,), raises=raises | {_REMINDER}, hours=hours)


_HAZARDS = (
    _one(
        "over-delivery",
        "A device gives one and a half times, later two and a half times what is set.",
        "over-delivery",
        frozenset({"measured-dose-high"}),
        19.0,
    ),
    _one(
        "under-delivery",
        "Half of the dose, later nothing of it arrives while the setting stays.",
        "under-delivery",
        frozenset({"under-delivery"}),
        19.0,
    ),
    _one(
        "backup-delivery",
        "A device gives up and its backup delivers for 8, later for 15 min.",
        "backup",
        frozenset({"backup-delivery"}),
        19.0,
    ),
    _one(
        "no2-high",
        "NO2 of 0.6 ppm for 12 min, later 1.2 for 6 min, later 2.5 for 2 min.",
        "no2",
        frozenset({"no2-high"}),
        25.0,
    ),
    _one(
        "supply-low",
        "A cylinder with 34 bar is connected, later one with 9.5 bar.",
        "used-cylinder",
        _SUPPLY,
        19.0,
    ),
    _one(
        "supply-leak",
        "A full cylinder leaks and would be empty within an hour, then a quarter of one.",
        "leaking-cylinder",
        _SUPPLY,
        15.0,
    ),
    _one(
        "reading-frozen",
        "Every reading of a device stays as it is for 12, later for 20 min.",
        "frozen",
        frozenset({"reading-frozen"}),
        19.0,
    ),
    _one(
        "device-alarm",
        "A device alarms of its battery, later of a lost flow.",
        "alarming",
        frozenset({"device-alarm"}),
        19.0,
    ),
    _one(
        "calibration-missed",
        "A device that is calibrated daily is forgotten for a day and a half.",
        "uncalibrated",
        frozenset({"calibration-overdue"}),
        48.0,
    ),
    _one(
        "fast-wean",
        "The dose is lowered from 20 to 8 ppm at once; later a step comes after an hour.",
        "fast-wean",
        frozenset({"fast-wean"}),
        19.0,
    ),
    _one(
        "methb-repeat-missed",
        "The first methemoglobin check is done, the next one forgotten for over 36 h.",
        "methb-forgotten",
        frozenset({"methb-repeat-overdue"}),
        48.0,
    ),
    _one(
        "methb-high",
        "Methemoglobin rises to 2.6, 5.5 and 7.5 %, checked twice a day, and falls again.",
        "methb-rising",
        frozenset({"methb-high"}),
        48.0,
    ),
    _one(
        "contraindicated",
        "An echo during therapy shows a shunt that the circulation depends on.",
        "contraindicated",
        frozenset({"contraindicated", "eligibility-review"}),
        14.0,
    ),
    _one(
        "lv-dysfunction",
        "An echo during therapy shows that the left ventricle fails.",
        "weak-ventricle",
        frozenset({"caution-lv-dysfunction"}),
        14.0,
    ),
    _one(
        "donor-drug",
        "Another nitric oxide donor is given during therapy.",
        "donor-drug",
        frozenset({"no-donor-drug"}),
        14.0,
    ),
    _one(
        "no-response",
        "After heart surgery, off the label, 72 h bring no improvement and nobody weans.",
        "no-response",
        frozenset({"no-response-72h", "eligibility-review"}),
        75.0,
    ),
    _one(
        "rebound",
        "The saturation falls after a step down, and again after the planned stop.",
        "rebound",
        frozenset({"rebound-suspected"}),
        14.0,
    ),
)
"""One for each hazard that the ward of the demo does not show."""

_ALL = (
    _one(
        "correct-care",
        "Every bed by the book: nothing above a reminder is to be heard.",
        "correct",
        frozenset(),
        6.5,
    ),
    _one(
        "dose-high", "The dose is set to 25, then 45 ppm, then back to 20.", "dose-high", _DOSE, 14
    ),
    _one(
        "methb-missed",
        "No methemoglobin result by 8 h; it comes late.",
        "methb-missed",
        _METHB,
        12.0,
    ),
    _one(
        "abrupt-stop",
        "Delivery is cut from 20 ppm after more than 4 h, and resumed minutes later.",
        "abrupt-stop",
        _STOP,
        10.0,
    ),
    _one(
        "past-14-days",
        "A course crosses 12, 13.5 and 14 days, is reviewed and weaned.",
        "past-14-days",
        _FOURTEEN,
        340.0,
    ),
    _one(
        "telemetry-lost",
        "A gateway is silent for over a quarter of an hour while therapy goes on.",
        "telemetry-lost",
        _LOST,
        15.0,
    ),
    _one(
        "device-handover",
        "A transport device takes over and hands back without a break: nothing is to be heard.",
        "handover",
        frozenset(),
        14.0,
    ),
    _one(
        "sensor-noise",
        "Analysers use their whole tolerance and spike for a sample: nothing is to be heard.",
        "noisy",
        frozenset(),
        6.5,
    ),
    *_HAZARDS,
    Scenario(
        name="ward",
        says="A ward in which each mandated kind of alert is raised within a minute of the start.",
        roles=(
            "dose-high",
            "methb-missed",
            "abrupt-stop",
            "past-14-days",
            "telemetry-lost",
            "handover",
            "noisy",
            "correct",
        ),
        raises=_DOSE | _METHB | _STOP | _FOURTEEN | _LOST | {_REMINDER},
        hours=2.0,
        staged=True,
        history_h=LONGEST_COURSE_H + 2.0,
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
"""Name to scenario, in the order in which they are listed."""
