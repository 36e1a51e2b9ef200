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
