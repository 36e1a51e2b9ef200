"""A silent unit is one occurrence, though its patients are spread over the partitions."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.encode import encode
from schemas.unit import UnitShare, UnitWord
from streams.units import GOOD_FOR_TICKS, LISTEN_TICKS
from streams.ward import Ward
from tests.unit.partitions import BETWEEN, T0, Site

UNIT = "*nicu"
LONG_AGO = T0 - timedelta(minutes=3)
Told = tuple[str, str, str, float]


def silent_since(site: Site, names: list[str]) -> float:
    """Return when the first of these was last heard of, in seconds since the start."""
    heard = [state.course.heard for name in names if (state := site.state(name)) and state.course]
    return min((time - T0).total_seconds() for time in heard if time is not None)


def fallen_silent(site: Site, count: int = 40) -> tuple[list[str], float]:
    """Let a unit deliver for a minute and then fall silent; names and when the first did."""
    names = site.names(count)
    site.run(60, names)
    return names, silent_since(site, names)


def story(since: float, *phases: tuple[str, str, float]) -> list[Told]:
    """List the transitions of the unit that are due so long after its silence began."""
    return [(UNIT, phase, priority, since + after) for phase, priority, after in phases]


RAISED, MEDIUM, HIGH = (
    ("raised", "low", 120.0),
    ("escalated", "medium", 300.0),
    ("escalated", "high", 900.0),
)


@pytest.mark.parametrize("partitions", [1, 2, 4, 8])
def test_one_occurrence_for_the_unit(partitions: int) -> None:
    """Forty devices in any number of partitions: raised, escalated twice, cleared, once each."""
    site = Site(partitions)
    names, since = fallen_silent(site)
    site.run(1000)
    assert site.told() == story(since, RAISED, MEDIUM, HIGH)
    site.run(30, names)
    assert site.told()[:-1] == story(since, RAISED, MEDIUM, HIGH)
    assert site.told()[-1][:3] == (UNIT, "cleared", "high")
    assert len({alert.id for alert in site.alerts}) == 1
    site.run(300, names)
    assert len(site.alerts) == 4


def test_what_is_told_of_the_unit() -> None:
    """The occurrence names the unit, how many of how many, and no bed, device or course."""
    site = Site()
    names = site.names(40)
    site.run(60, names)
    site.run(200, names[:2])
    (alert,) = site.alerts
    assert alert.summary == (
        "nicu: no telemetry from 38 of 40 devices for 2 min while delivering, limit 2 min;"
        " a gateway? go and look"
    )
    assert (alert.patient, alert.unit, alert.bed, alert.device) == (UNIT, "nicu", "*", "*")
    assert (alert.course, alert.value, alert.limit) == (None, 120.0, 120.0)


def test_live_as_in_one_partition() -> None:
    """Spread over four partitions or all in one: the same occurrence, raised at the same time."""
    told = []
    for partitions in (1, 4):
        site = Site(partitions)
        names = [f"p{number}" for number in range(12)]
        site.run(60, names)
        site.run(400, names[:3])
        told.append([encode(alert) for alert in site.alerts])
    assert told[0] == told[1]


def test_the_whole_unit_counts() -> None:
    """Three silent devices, all that one partition has, are few in a unit of twelve elsewhere."""
    site = Site()
    lone, others = site.names(3, site.home()), site.names(9, (site.home() + 1) % 4)
    site.run(60, lone + others)
    site.run(200, others)
    assert {(patient, phase) for patient, phase, *_ in site.told()} == {(n, "raised") for n in lone}


def test_a_unit_whose_patients_are_elsewhere() -> None:
    """The home partition judges a unit of which it has no patient itself."""
    site = Site()
    names = site.names(5, (site.home() + 1) % 4)
    site.run(60, names)
    site.run(200)
    assert site.told() == story(silent_since(site, names), RAISED)


def test_who_falls_silent_later_joins() -> None:
    """A device that falls silent while the unit is told of as one is not told of alone."""
    site = Site()
    names = site.names(12)
    site.run(60, names)
    site.run(300, names[:1])
    site.run(400)
    assert {patient for patient, *_ in site.told()} == {UNIT}


def test_who_was_silent_before_is_told_of_alone() -> None:
    """A device that was lost earlier keeps its own occurrence, and is not counted again."""
    site = Site()
    names = site.names(6)
    site.run(60, names)
    site.run(200, names[1:])
    site.run(200)
    (alone, *_, unit) = site.alerts
    assert (alone.patient, alone.phase) == (names[0], "raised")
    assert (unit.patient, unit.phase) == (UNIT, "raised")
    assert "from 5 of 6 devices" in unit.summary
    site.run(120)
    assert (site.alerts[-1].patient, site.alerts[-1].priority) == (UNIT, "medium")
    assert "from 5 of 6 devices" in site.alerts[-1].summary


def test_those_who_stay_silent_are_told_of_alone() -> None:
    """When most are back for a minute, the others are told of, each at the tier it has reached."""
    site = Site()
    names, since = fallen_silent(site, 12)
    site.run(400)
    site.run(120, names[:10])
    assert site.told()[:2] == story(since, RAISED, MEDIUM)
    (patient, phase, _, over), *rest = site.told()[2:]
    assert (patient, phase) == (UNIT, "cleared")
    assert {(patient, phase, priority) for patient, phase, priority, _ in rest} == {
        (name, "raised", "medium") for name in names[10:]
    }
    assert all(0 <= at - over <= 3 for *_, at in rest)
    assert {alert.reason for alert in site.alerts if alert.phase == "cleared"} == {"ungrouped"}


def test_new_patients_make_the_silent_ones_few() -> None:
    """Patients who begin meanwhile count: when half of the unit sends, the group is over."""
    site = Site(1)
    names = site.names(4)
    site.run(60, names)
    site.run(200)
    assert [told[:2] for told in site.told()] == [(UNIT, "raised")]
    site.run(80, [f"new-{number}" for number in range(4)])
    assert site.told()[1][:2] == (UNIT, "cleared")
    assert {told[:2] for told in site.told()[2:]} == {(name, "raised") for name in names}


def test_devices_come_back_one_after_the_other() -> None:
    """A gateway that is back brings forty devices within a minute, and nobody is told of alone."""
    site = Site()
    names, since = fallen_silent(site)
    site.run(200)
    for number in range(len(names)):
        site.run(1, names[: number + 1], every=1)
    site.run(100, names)
    assert [told[:2] for told in site.told()] == [(UNIT, "raised"), (UNIT, "cleared")]
    assert site.told()[:1] == story(since, RAISED)
    assert site.alerts[-1].reason == "resumed"


def test_back_in_time() -> None:
    """A gateway that is back after 119 s was not lost."""
    site = Site()
    names = site.names(12)
    site.run(60, names, every=1)
    site.run(118)
    site.run(200, names, every=1)
    assert site.alerts == []


def test_everything_twice() -> None:
    """Every sample, tick, share and word twice: the same transitions."""
    told = []
    for twice in (False, True):
        site = Site()
        site.twice = twice
        names, _ = fallen_silent(site, 12)
        site.run(400)
        site.run(100, names)
        told.append([encode(alert) for alert in site.alerts])
    assert told[0] == told[1]


@pytest.mark.parametrize("after_s", [30, 110, 119, 121, 200, 310])
@pytest.mark.parametrize("which", ["home", "others", "all"])
def test_a_restart_in_the_middle(after_s: int, which: str) -> None:
    """A restart of the unit's home, of the others or of all changes nothing that is told."""
    site = Site()
    _, since = fallen_silent(site, 12)
    site.run(after_s)
    for number in range(4):
        if which == "all" or (number == site.home()) == (which == "home"):
            site.restart(number)
    site.run(400 - after_s)
    assert site.told() == story(since, RAISED, MEDIUM)


def test_all_are_away_for_a_while() -> None:
    """The only worker is away for minutes: back again, nobody is told of alone."""
    site = Site()
    names, since = fallen_silent(site, 12)
    site.run(200)
    site.away(1200)
    site.run(60)
    assert site.told() == story(since, RAISED, MEDIUM, HIGH)
    site.run(60, names)
    assert site.told()[-1][:2] == (UNIT, "cleared")
    assert len(site.alerts) == 4


def test_a_home_that_is_gone_keeps_nobody_silent() -> None:
    """When the unit's home speaks no more, every silence elsewhere is told of alone."""
    site = Site()
    names = site.names(12)
    site.run(60, names)
    site.down.add(site.home())
    site.run(120 + GOOD_FOR_TICKS + 2)
    elsewhere = {name for place, name in enumerate(names) if place % 4 != site.home()}
    assert {(patient, phase) for patient, phase, *_ in site.told()} == {
        (name, "raised") for name in elsewhere
    }


def test_a_home_that_dies_with_its_word_out() -> None:
    """A word that is not said again is worth nothing after ten ticks."""
    site = Site()
    names, since = fallen_silent(site, 12)
    site.run(200)
    site.down.add(site.home())
    site.run(GOOD_FOR_TICKS + 2)
    elsewhere = {name for place, name in enumerate(names) if place % 4 != site.home()}
    assert site.told()[:1] == story(since, RAISED)
    assert {patient for patient, *_ in site.told()[1:]} == elsewhere


def test_a_home_that_dies_while_another_restarts() -> None:
    """Patients who were told of with their unit before a restart are not forgotten by it."""
    site = Site()
    names, _ = fallen_silent(site, 12)
    site.run(200)
    site.down.add(site.home())
    site.away(10)
    site.run(GOOD_FOR_TICKS + 2)
    elsewhere = {name for place, name in enumerate(names) if place % 4 != site.home()}
    assert {patient for patient, *_ in site.told()[1:]} == elsewhere


def test_a_home_that_is_new_listens_first() -> None:
    """Of a share that it hears first a home does not conclude that it is the whole unit."""
    home = Ward(partition=1, partitions=4)
    home.advance(T0)
    share = UnitShare(time=T0, unit="nicu", partition=0, devices=3, heard=[LONG_AGO] * 3)
    for second in range(1, LISTEN_TICKS):
        assert home.take_between(share) == []
        now = T0 + timedelta(seconds=second)
        home.advance(now)
        share = replace(share, time=now)
    assert [alert.phase for alert in home.take_between(share)] == ["raised"]


def test_what_comes_again_is_older_than_what_is_known() -> None:
    """A share and a word from before the newest change nothing."""
    home, member = Ward(partition=1, partitions=4), Ward(partition=2, partitions=4)
    share = UnitShare(time=T0, unit="nicu", partition=0, devices=3, heard=[LONG_AGO] * 3)
    word = UnitWord(time=T0, unit="nicu", since=LONG_AGO)
    for second in range(LISTEN_TICKS + 1):
        now = T0 + timedelta(seconds=second)
        for ward in (home, member):
            ward.advance(now)
        home.take_between(replace(share, time=now, heard=[]))
        member.take_between(replace(word, time=now))
    assert home.take_between(share) == []
    member.take_between(replace(word, since=None))
    assert home.units.said(now) == []
    assert member.units.grouped.words["nicu"].time == now


def test_a_share_that_went_astray() -> None:
    """A share in another partition than the unit's home makes no stand-in there."""
    site = Site()
    site.tick()
    share = UnitShare(time=site.now, unit="nicu", partition=0, devices=3, heard=[LONG_AGO] * 3)
    for number in range(4):
        site.put(number, BETWEEN, encode(share))
    assert [number for number in range(4) if site.state(UNIT, number)] == [site.home()]


def test_a_partition_that_is_gone_holds_nobody_up() -> None:
    """Another partition that is not judged any more keeps the unit from being told of no longer."""
    site = Site()
    names, since = fallen_silent(site, 12)
    site.down.add((site.home() + 1) % 4)
    site.run(300)
    assert site.told() == story(since, RAISED, MEDIUM)[: len(site.told())]
    assert site.told()
    site.down.clear()
    site.run(30, names)
    assert [told[:2] for told in site.told()][-1] == (UNIT, "cleared")
    assert {patient for patient, *_ in site.told()} == {UNIT}


def test_a_word_for_another_unit() -> None:
    """A patient who is moved to another unit is not silenced by the word on the former one."""
    site = Site()
    names, _ = fallen_silent(site, 12)
    site.run(200)
    moved = names[0]
    course = b'{"type":"course","time":"%s","id":"c","patient":"%s","unit":"picu"}' % (
        site.now.isoformat().encode(),
        moved.encode(),
    )
    site.put(0, BETWEEN, course, moved.encode())
    assert site.told()[-1][:3] == (moved, "raised", "low")


def test_an_unknown_unit_is_no_group() -> None:
    """Patients of whom nobody said in which unit they are have nothing in common."""
    site = Site()
    names = site.names(6)
    for _ in range(6):
        site.run(10, names)
        site.send(names, unit="?")
    site.run(200)
    assert {patient for patient, *_ in site.told()} == set(names)


def test_the_board_shows_the_units_alert_at_every_silent_bed() -> None:
    """A bed that is told of with its unit shows the unit's occurrence; one that sends does not."""
    site = Site()
    names = site.names(12)
    site.run(60, names)
    site.run(200, names[:1])
    shown = [site.shown(name) for name in names]
    assert shown[0] is None
    assert {one.id for one in shown[1:] if one is not None} == {site.alerts[0].id}
    assert None not in shown[1:]


def test_a_word_from_long_ago_covers_nobody() -> None:
    """Words that come again after a crash are too old to silence anybody."""
    site = Site()
    names = site.names(3, (site.home() + 1) % 4) + site.names(9, (site.home() + 2) % 4)
    site.run(60, names)
    word = UnitWord(time=site.now, unit="nicu", since=site.now)
    site.run(100, names[3:])
    site.put((site.home() + 1) % 4, BETWEEN, encode(word))
    site.run(100, names[3:])
    assert {patient for patient, *_ in site.told()} == set(names[:3])
