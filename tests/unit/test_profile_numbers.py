"""The numbers of a profile keep within their range, and in order among themselves."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.profile_book import InvalidProfile, ProfileBook, load_profile

DEFAULT = load_profile("default")
BELOW = (
    ("set_dose_high.limit_ppm", "set_dose_high.high_ppm"),
    ("set_dose_high.limit_ppm", "measured_dose.high_ppm"),
    ("abrupt_stop.hold", "course.interruption"),
    ("methb_first.due", "methb_first.overdue"),
    ("methb_first.overdue", "methb_first.high"),
    ("methb_repeat.short_interval", "methb_repeat.interval"),
    ("methb_high.low_pct", "methb_high.medium_pct"),
    ("methb_high.medium_pct", "methb_high.high_pct"),
    ("no2_high.low_ppm", "no2_high.medium_ppm"),
    ("no2_high.medium_ppm", "no2_high.high_ppm"),
    ("supply_low.high_bar", "supply_low.low_bar"),
    ("supply_low.high", "supply_low.low"),
    ("course_14_days.near", "course_14_days.near_low"),
    ("course_14_days.near_low", "course_14_days.over"),
    ("telemetry_lost.low", "telemetry_lost.medium"),
    ("telemetry_lost.medium", "telemetry_lost.high"),
    ("telemetry_lost.group_within", "telemetry_lost.low"),
)
AT_MOST = (
    ("course.settling", "course.interruption"),
    ("course.either_order", "telemetry_lost.low"),
    ("course.either_order", "eligibility_review.grace"),
    ("rebound_suspected.hold", "rebound_suspected.window"),
    ("supply_low.step", "supply_low.least"),
    ("supply_low.least", "supply_low.window"),
    ("abrupt_stop.floor_ppm", "abrupt_stop.high_ppm"),
)


def value_at(place: str) -> float | timedelta:
    """The number of the default profile at a place such as ``course.settling``."""
    section, _, key = place.partition(".")
    value = getattr(getattr(DEFAULT, section), key)
    assert isinstance(value, float | timedelta)
    return value


def faults(folder: Path, place: str, value: float | timedelta) -> str:
    """What is said of the default profile with another number at ``place``; empty: it is taken."""
    section, _, key = place.partition(".")
    in_time = isinstance(value, timedelta)
    number = value.total_seconds() if isinstance(value, timedelta) else value
    folder.joinpath("mine.toml").write_text(
        f'name = "mine"\nversion = "1"\ninherits = "default"\n[{section}]\n{key}{"_s" * in_time} ='
        f' {{ value = {number}, bound = "{DEFAULT.bounds[place]}", source = "own" }}\n'
    )
    try:
        ProfileBook(folder)
    except InvalidProfile as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize(("lower", "upper"), BELOW)
def test_a_number_that_has_to_be_below_another(tmp_path: Path, lower: str, upper: str) -> None:
    """As much as the other one is too much already."""
    value = value_at(upper)
    words = f"mine.toml: {lower}: {value} has to be below {upper}, which is {value}"
    assert words in faults(tmp_path, lower, value)


@pytest.mark.parametrize(("lower", "upper"), AT_MOST)
def test_a_number_that_has_to_be_at_most_another(tmp_path: Path, lower: str, upper: str) -> None:
    """As much as the other one is allowed, more is not."""
    value = value_at(upper)
    words = f"{lower}: {value} has to be at most {upper}"
    assert words not in faults(tmp_path, lower, value)
    more = value + timedelta(seconds=1) if isinstance(value, timedelta) else value + 1
    words = f"mine.toml: {lower}: {more} has to be at most {upper}, which is {value}"
    assert words in faults(tmp_path, lower, more)


@pytest.mark.parametrize(
    ("lower", "equal", "upper", "relation"),
    [
        ("measured_dose.tolerance_share", 1.0, "measured_dose.high_share", "at most"),
        ("methb_repeat.grace", 0.5, "methb_repeat.medium_share", "below"),
    ],
)
def test_a_share_beyond_the_whole(
    tmp_path: Path, lower: str, equal: float, upper: str, relation: str
) -> None:
    """A share that comes on top of the whole keeps below one that is of the whole."""
    words = f"{lower}: 1 + {equal} has to be {relation} {upper}, which is {1 + equal}"
    assert (words in faults(tmp_path, lower, equal)) == (relation == "below")
    assert f"has to be {relation} {upper}" in faults(tmp_path, lower, equal + 0.1)


@pytest.mark.parametrize(
    ("place", "most"),
    [
        ("no2_high.high_ppm", 200),
        ("methb_high.high_pct", 100),
        ("no_response_72h.spo2_points", 100),
        ("supply_low.drop_bar", 300),
        ("measured_dose.high_share", 10),
        ("data_rejected.count", 100),
        ("telemetry_lost.group_least", 1000),
    ],
)
def test_the_most_that_a_number_may_be(tmp_path: Path, place: str, most: int) -> None:
    """Each unit has its own end; the end itself is allowed."""
    assert faults(tmp_path, place, float(most)) == ""
    words = f"{place}: {most + 0.5} is not a number from 0 to {most}"
    assert words in faults(tmp_path, place, most + 0.5)


@pytest.mark.parametrize(
    ("allowed_s", "refused_s"), [(1.0, 0.9), (366 * 86_400.0, 366 * 86_400.0 + 1)]
)
def test_the_shortest_and_the_longest_time(
    tmp_path: Path, allowed_s: float, refused_s: float
) -> None:
    """A length of time is at least a second and at most a leap year."""
    place = "backup_delivery.hold"
    assert faults(tmp_path, place, timedelta(seconds=allowed_s)) == ""
    words = f"{place}_s: {refused_s} is not a number from 1 to 31622400"
    assert words in faults(tmp_path, place, timedelta(seconds=refused_s))


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("methb_repeat", "grace"),
        ("methb_repeat", "medium_share"),
        ("no2_high", "low_ppm"),
        ("no2_high", "high_ppm"),
    ],
)
def test_what_is_no_number_is_held_against_no_other(tmp_path: Path, section: str, key: str) -> None:
    """A number that cannot be read is one fault: nothing is said of its order."""
    tmp_path.joinpath("mine.toml").write_text(
        f'name = "mine"\nversion = "1"\ninherits = "default"\n[{section}]\n{key} = 5\n'
    )
    with pytest.raises(InvalidProfile) as refusal:
        ProfileBook(tmp_path)
    words = "must be a table of value, bound and source"
    assert str(refusal.value) == f"mine.toml: {section}.{key}: {words}"
