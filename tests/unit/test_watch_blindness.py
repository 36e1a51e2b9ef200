"""The one occurrence of monitor-blind: when it is raised, held, cleared, and what it is called."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.profile_book import load_profile
from schemas.alert import Alert
from streams.clock import FastClock
from streams.watch.blindness import Blindness
from streams.watch.health import Fault

LIMITS = load_profile("default")
BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Tell the time so long after the watchdog's beginning."""
    return BEGAN + timedelta(seconds=seconds)


def a_fault(since_s: float | None = 0, words: str = "no tick for 42 s") -> Fault:
    """Make a fault that began so long after the watchdog did."""
    since = None if since_s is None else at(since_s)
    return Fault(reason="clock-stopped", since=since, limit="age", words=words)


def a_watch(watcher: str = "watchdog-0", site: str = "ino") -> Blindness:
    """Begin to watch."""
    return Blindness(LIMITS, site, watcher, BEGAN, lambda time: time)


def settled() -> Blindness:
    """Begin to watch a site that is well."""
    watch = a_watch()
    assert watch.step([], BEGAN) is None
    return watch


def raised(watch: Blindness, seconds: float, *faults: Fault) -> Alert:
    """Take in a fault that must raise."""
    told = watch.step(list(faults) or [a_fault()], at(seconds))
    assert told is not None
    assert told.phase == "raised"
    return told


def test_raised_at_the_first_fault() -> None:
    """A fault raises at once: it has already lasted for its limit."""
    told = raised(settled(), 31)
    assert (told.rule, told.priority, told.reason) == ("monitor-blind", "high", "clock-stopped")
    assert (told.onset, told.at) == (BEGAN, at(30))
    assert (told.value, told.limit, told.unit_of_measure) == (31, 30, "s")
    assert (told.patient, told.unit, told.bed, told.device) == ("*", "*", "*", "watchdog-0")
    assert told.summary == "The monitor is blind: no tick for 42 s"
    assert "IEC 60601-1-8" in told.source


def test_several_faults_are_one_occurrence() -> None:
    """Three faults are named and the others counted; a fault that joins later tells nothing."""
    watch = settled()
    told = raised(watch, 40, *(a_fault(number, f"fault {number}") for number in range(5)))
    assert told.summary == "The monitor is blind: fault 0; fault 1; fault 2; and 2 more"
    assert told.onset == BEGAN
    assert watch.step([a_fault(20)], at(41)) is None


def test_cleared_after_a_minute_of_well() -> None:
    """It clears when all has been well for 60 s, not a moment earlier, with its own time."""
    watch = settled()
    told = raised(watch, 31)
    assert watch.step([], at(50)) is None
    assert watch.step([], at(109.9)) is None
    over = watch.step([], at(111))
    assert over is not None
    assert (over.id, over.phase, over.reason, over.at) == (told.id, "cleared", "well", at(110))
    assert watch.open is None


def test_one_fault_in_between_starts_the_minute_anew() -> None:
    """A site that is well for 59 s, and then not, stays blind, in one occurrence."""
    watch = settled()
    raised(watch, 31)
    assert watch.step([], at(50)) is None
    assert watch.step([a_fault(109)], at(109)) is None
    assert watch.step([], at(110)) is None
    assert watch.step([], at(169)) is None
    over = watch.step([], at(170))
    assert over is not None
    assert over.at == at(170)


def test_a_second_occurrence_has_a_name_of_its_own() -> None:
    """What is raised again is another occurrence, even by a fault that is older than its end."""
    watch = settled()
    first = raised(watch, 31)
    watch.step([], at(50))
    assert watch.step([], at(110)) is not None
    second = raised(watch, 111)
    assert second.id != first.id
    assert second.onset > at(110)


def test_the_same_faults_give_the_same_name() -> None:
    """The id follows from site, watchdog and onset; another of any of them gives another."""
    told = raised(settled(), 31)
    assert raised(settled(), 35).id == told.id
    assert raised(settled(), 35, a_fault(1)).id != told.id
    for other in (a_watch(watcher="watchdog-1"), a_watch(site="other")):
        other.step([], BEGAN)
        assert raised(other, 31).id != told.id


def test_a_site_is_given_time_to_start() -> None:
    """What has never been well is told of only 60 s after the watchdog began."""
    watch = a_watch()
    assert watch.step([a_fault(-3600)], at(59.9)) is None
    assert watch.is_starting(at(59.9))
    told = raised(watch, 60, a_fault(-3600))
    assert told.at == at(-3600 + 30)


def test_once_it_was_well_there_is_no_more_time_to_start() -> None:
    """A fault in the first minute is told of at once when all had been well before."""
    assert raised(settled(), 5).phase == "raised"


def test_what_is_not_known_changes_nothing() -> None:
    """Before the first look nothing is raised, nothing cleared, and nothing counts as well."""
    watch = a_watch()
    assert watch.step(None, at(0)) is None
    assert watch.step([a_fault(1)], at(10)) is None
    raised(watch, 61)


def test_a_fault_whose_beginning_is_not_known() -> None:
    """Without a beginning the onset is now, and there is no value to tell."""
    told = raised(settled(), 40, a_fault(None))
    assert (told.onset, told.at, told.value) == (at(40), at(40), None)


def test_an_open_occurrence_is_taken_up_again() -> None:
    """After a restart the same occurrence goes on: not raised again, cleared under its id."""
    told = raised(settled(), 31)
    again = a_watch()
    again.adopt(told)
    assert again.step([a_fault()], at(40)) is None
    assert again.step([], at(41)) is None
    over = again.step([], at(101))
    assert over is not None
    assert (over.phase, over.id) == ("cleared", told.id)


def test_an_older_one_gives_way() -> None:
    """An occurrence that was left open while another is open is closed, with that reason."""
    told = raised(settled(), 31)
    over = settled().taken_over(told, at(90))
    assert (over.id, over.phase, over.at) == (told.id, "cleared", at(90))
    assert over.reason == "taken-over"


def test_alerts_bear_the_wards_time() -> None:
    """In a demo that runs ten times as fast an alert stands at the ward's time."""
    clock = FastClock(BEGAN, BEGAN.timestamp(), 10)
    watch = Blindness(LIMITS, "ino", "w", BEGAN, lambda time: clock.at(time.timestamp()))
    watch.step([], BEGAN)
    told = raised(watch, 31)
    assert (told.onset, told.at) == (BEGAN, at(300))


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 90)), max_size=60))
def test_no_order_of_events_breaks_it(steps: list[tuple[bool, float]]) -> None:
    """Raised and cleared alternate, no time runs back, and no name comes twice."""
    watch, now, told = settled(), 0.0, []
    for ill, pause_s in steps:
        now += pause_s
        transition = watch.step([a_fault(now - 31)] if ill else [], at(now))
        told += [transition] if transition else []
    assert [one.phase for one in told] == [("raised", "cleared")[n % 2] for n in range(len(told))]
    raises = [one.id for one in told if one.phase == "raised"]
    assert len(set(raises)) == len(raises)
    assert all(one.onset <= one.at for one in told)
    ends = [one.at for one in told if one.phase == "cleared"]
    assert ends == sorted(ends)
