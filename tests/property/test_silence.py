"""No silence goes untold, whatever the partitions, their workers and the devices do."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.telemetry_lost import is_told, last_heard
from schemas.alert import Alert
from streams.units import GOOD_FOR_TICKS
from tests.unit.partitions import Site

BEDS = 8
LOST = timedelta(seconds=120)
UNTOLD_S = GOOD_FOR_TICKS + 5
"""The ticks that a word is good for, and some for the way of shares and words."""

turns = st.lists(
    st.fixed_dictionaries(
        {
            "seconds": st.sampled_from([1, 10, 58, 60, 62, 119, 130, 200]),
            "sending": st.sets(st.integers(0, BEDS - 1)),
            "every": st.sampled_from([1, 7]),
            "restart": st.sets(st.integers(0, 3), max_size=2),
            "down": st.sampled_from([None, None, None, 0, 1, 2, 3]),
        }
    ),
    max_size=6,
)


def open_units(alerts: list[Alert]) -> set[str]:
    """Return the units that are told of as one by now; transitions must be in their order."""
    open_now: dict[str, Alert] = {}
    for alert in alerts:
        before = open_now.pop(alert.patient, None)
        assert (alert.phase == "raised") == (before is None), alert
        if before is not None:
            assert (alert.id, alert.onset) == (before.id, before.onset)
            assert alert.at >= before.at
            assert alert.phase == "cleared" or alert.priority != before.priority
        if alert.phase != "cleared":
            open_now[alert.patient] = alert
    return {alert.unit for alert in open_now.values() if alert.patient.startswith("*")}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 2, 4]), turns)
def test_no_silence_goes_untold(partitions: int, plan: list[dict[str, Any]]) -> None:
    """Who is silent is told of, alone or with its unit, within seconds of its deadline."""
    site = Site(partitions)
    names = site.names(BEDS)
    site.run(30, names, every=1)
    untold_s = dict.fromkeys(names, 0)
    for turn in plan:
        site.down = {turn["down"]} & set(range(partitions))
        for number in turn["restart"] & set(range(partitions)) - site.down:
            site.restart(number)
        for _ in range(turn["seconds"]):
            site.run(1, [names[place] for place in turn["sending"]], every=turn["every"])
            told = open_units(site.alerts)
            for place, name in enumerate(names):
                state = site.state(name)
                assert state is not None
                heard = last_heard(state)
                lost = heard is not None and site.now - heard > LOST
                known = is_told(state) or state.unit in told or place % partitions in site.down
                untold_s[name] = untold_s[name] + 1 if lost and not known else 0
                assert untold_s[name] <= UNTOLD_S, (name, site.now)
