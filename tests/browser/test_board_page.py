"""The ward board in a real browser: what stands on the page, and what it does when the feed stops.

Every test that opens a page also proves that no request left the origin and no script failed.
"""

import asyncio
import contextlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from schemas.alert import Priority
from schemas.board_row import BoardRow, OpenAlert
from schemas.page import Page as Told
from streams.board import words
from streams.board.feed import MAX_SCREENS, Feed, Full
from streams.board.server import BoardServer, PortTaken

WAIT_MS = 20_000
WALL_DISPLAY = {"width": 1920, "height": 1080}
TABLET = {"width": 820, "height": 1180}


def now() -> datetime:
    """Return the ward's time."""
    return datetime.now(UTC)


def bed(name: str, /, **changes: Any) -> BoardRow:
    """Return a bed that is well but for ``changes``."""
    at = now()
    row = BoardRow(
        patient=f"p-{name}",
        unit="NICU",
        bed=name,
        clock=at,
        delivery="delivering",
        device="D1",
        mode="delivering",
        sample_time=at,
        set_ppm=20.0,
        no_ppm=19.6,
        no2_ppm=0.2,
        fio2_pct=45.0,
        spo2_pct=96.0,
        course=at - timedelta(hours=60),
        elapsed_h=60.0,
        delivered_h=60.0,
        methb_pct=1.2,
        methb_time=at - timedelta(hours=5),
        methb_due=at + timedelta(hours=3),
        methb_overdue=at + timedelta(hours=7),
        late_samples=0,
        cannot_judge=[],
        alerts=[],
        profile="default",
    )
    return replace(row, **changes)


def alert(priority: Priority, summary: str = "set dose 25 ppm", **changes: Any) -> OpenAlert:
    """Return an open alert of 20 min ago."""
    since = now() - timedelta(minutes=20)
    one = OpenAlert(
        id=f"a-{priority}",
        rule="set-dose-high",
        priority=priority,
        onset=since,
        at=since,
        summary=summary,
    )
    return replace(one, **changes)


def every_state() -> list[BoardRow]:
    """Return a ward in which each state of a bed occurs."""
    old = now() - timedelta(minutes=9)
    methb = {"methb_due": old, "methb_overdue": old}
    return [
        bed("1"),
        bed("2", alerts=[alert("high"), alert("low", id="second")]),
        bed("3", alerts=[alert("medium")], elapsed_h=340.0, **methb),
        bed("4", alerts=[alert("low")], sample_time=old, methb_due=old),
        bed("5", alerts=[alert("info")], methb_due=now() + timedelta(minutes=9)),
        bed("6", clock=old, sample_time=old),
        bed("7", cannot_judge=["NO2 unknown"], no2_ppm=None, methb_pct=None),
        bed("8", delivery="lost", sample_time=old),
        bed("9", delivery="no-course", mode="off", sample_time=old, methb_due=None),
        bed("10", delivery="suspended", mode="calibrating"),
    ]


class Ward:
    """A board's server in a loop of its own thread; rows are kept fresh unless told otherwise."""

    def __init__(
        self, clock: Callable[[], datetime] = now, port: int = 0, speed: float = 1.0
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.server = BoardServer(clock, speed=speed)
        self.port: int = self.run(self.server.start(port=port))
        self.url = f"http://127.0.0.1:{self.port}"

    def run(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the server's loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=20)

    def show(self, *rows: BoardRow) -> None:
        """Put rows on the board."""
        for row in rows:
            self._loop.call_soon_threadsafe(self.server.update_row, row)

    def drop(self, patient: str) -> None:
        """Take a patient off the board."""
        self._loop.call_soon_threadsafe(self.server.drop_row, patient)

    def tell(self, page: Told) -> None:
        """Let the board know of an attempt to tell somebody."""
        self._loop.call_soon_threadsafe(self.server.update_page, page)

    def ask(self, path: str, host: str = "localhost") -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of one GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def stop(self) -> None:
        """Stop the server; the page is left alone with what it knows."""
        self.run(self.server.stop())

    def close(self) -> None:
        """Stop everything; the thread is gone afterwards."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=20)
        self._loop.close()


@pytest.fixture
def ward() -> Iterator[Ward]:
    """Lend a ward without beds."""
    one = Ward()
    yield one
    one.close()


class Screen:
    """A page of the board, and everything that it asked for or complained of."""

    def __init__(self, browser: Browser, ward: Ward, **context: Any) -> None:
        self._context = browser.new_context(**{"viewport": WALL_DISPLAY, **context})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self._origin = ward.url
        self.page.goto(ward.url)

    def row(self, name: str) -> Any:
        """Return the row of one bed."""
        exactly = re.compile(f"^{re.escape(name)}$")
        return self.page.locator("tbody tr").filter(
            has=self.page.locator('[data-at="bed"]', has_text=exactly)
        )

    def beds(self) -> list[str]:
        """Return the names of the beds from top to bottom."""
        return self.page.locator('[data-at="bed"]').all_text_contents()

    def close(self) -> None:
        """Close the page and prove that it kept to itself."""
        self._context.close()
        assert [url for url in self.asked if not url.startswith(self._origin + "/")] == []
        # The browser itself complains of a server that a test has stopped.
        refused = "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"
        assert [text for text in self.complaints if not any(code in text for code in refused)] == []


@pytest.fixture
def screen(browser: Browser, ward: Ward) -> Iterator[Screen]:
    """Lend a wall display of the ward."""
    one = Screen(browser, ward)
    yield one
    one.close()


def ready(screen: Screen, beds: int) -> None:
    """Wait until the page shows so many beds."""
    expect(screen.page.locator("tbody tr")).to_have_count(beds, timeout=WAIT_MS)


def test_the_worst_bed_stands_on_top_in_words_and_symbols(ward: Ward, screen: Screen) -> None:
    """A nurse who sees no colours reads the same order and the same states."""
    ward.show(*every_state())
    ready(screen, 10)
    assert screen.beds() == ["2", "3", "4", "6", "7", "8", "5", "10", "1", "9"]
    badges = screen.page.locator(".badge").all_inner_texts()
    assert [re.sub(r"\s+", " ", text) for text in badges] == [
        "*** HIGH",
        "** MEDIUM",
        "* LOW",
        "? NOT JUDGED",
        "? CANNOT JUDGE",
        "\u00d7 NO DATA",
        "i INFO",
        "‖ SUSPENDED",
        "✓ OK",
        "\u2013 NO COURSE",
    ]
    expect(screen.row("4")).to_contain_text("NO DATA 9 min")
    expect(screen.row("6")).to_contain_text("judged 9 min ago")
    expect(screen.row("7")).to_contain_text("NO2 unknown")
    expect(screen.row("3")).to_contain_text("overdue by 9 min")
    expect(screen.row("3")).to_contain_text("over by 4.0 h")


def test_a_row_shows_its_numbers_with_units(ward: Ward, screen: Screen) -> None:
    """Set and measured dose, NO2, oxygen, methemoglobin with its age, hours of the course."""
    ward.show(bed("4"), bed("5", spo2_pct=None, no_ppm=None))
    ready(screen, 2)
    for text in ("20/19.6ppm", "0.2 ppm", "45 %", "96 %", "1.2 %", "5 h ago", "276.0 h left"):
        expect(screen.row("4")).to_contain_text(text)
    expect(screen.row("4")).to_contain_text(re.compile(r"due in (3 h|2 h 59 min)"))
    expect(screen.row("4")).to_contain_text("60.0 of 336 h")
    expect(screen.row("5")).to_contain_text("20/?ppm")
    expect(screen.row("5").locator('[data-at="spo2"]')).to_have_text("?")


def test_a_change_appears_without_a_reload(ward: Ward, screen: Screen) -> None:
    """A bed that gets worse moves to the top of the same page, and is announced once."""
    ward.show(bed("1"), bed("2"))
    ready(screen, 2)
    screen.page.evaluate("window.sameDocument = true")
    ward.show(bed("2", set_ppm=45.0, alerts=[alert("high", "Bed 2: set dose 45 ppm")]))
    expect(screen.row("2")).to_contain_text("HIGH", timeout=WAIT_MS)
    assert screen.beds() == ["2", "1"]
    assert screen.page.evaluate("window.sameDocument") is True
    expect(screen.page.get_by_role("status")).to_have_text("High alert: Bed 2, Set dose 45 ppm")
    expect(screen.page).to_have_title(re.compile("^1 high"))
    ward.show(bed("2"))
    expect(screen.row("2")).to_contain_text("OK", timeout=WAIT_MS)
    expect(screen.page).to_have_title(re.compile("^0 high"))


def test_a_bed_that_left_leaves_the_page(ward: Ward, screen: Screen) -> None:
    """A tombstone takes the row away."""
    ward.show(bed("1"), bed("2"))
    ready(screen, 2)
    ward.drop("p-1")
    ready(screen, 1)
    assert screen.beds() == ["2"]


def test_an_alert_says_whether_anybody_was_told(ward: Ward, screen: Screen) -> None:
    """What a sink answered stands beside the alert, and is counted in the head."""
    ward.show(bed("1", alerts=[alert("high")]))
    expect(screen.row("1")).to_contain_text("NOT TOLD: no page sent", timeout=WAIT_MS)
    expect(screen.page.locator('[data-count="undelivered"] dd')).to_have_text("1")
    since = now() - timedelta(minutes=20)
    ward.tell(
        Told(
            time=since,
            alert="a-high",
            rule="set-dose-high",
            phase="raised",
            priority="high",
            at=since,
            patient="p-1",
            sink="pagerduty",
            attempt=1,
            outcome="delivered",
            reason="accepted",
        )
    )
    expect(screen.row("1")).to_contain_text("for 20 min · told", timeout=WAIT_MS)
    expect(screen.page.locator('[data-count="undelivered"] dd')).to_have_text("0")


def test_a_feed_that_stops_never_looks_fresh(ward: Ward, screen: Screen) -> None:
    """The page says that the connection is lost, grows older by itself and withdraws its OK."""
    ward.show(bed("1"), bed("2", alerts=[alert("high")]))
    ready(screen, 2)
    expect(screen.page.locator("#banner")).to_be_hidden()
    ward.stop()
    banner = screen.page.locator("#banner")
    expect(banner).to_have_text(
        re.compile(r"^Connection lost: what you see is \d+ s old$"), timeout=WAIT_MS
    )
    expect(screen.page).to_have_title(re.compile("^LOST"))
    expect(screen.row("1")).to_contain_text("NOT JUDGED", timeout=WAIT_MS)
    expect(screen.row("1")).not_to_contain_text("OK")
    expect(screen.row("1")).to_contain_text("none known of")
    expect(screen.row("2")).to_contain_text("HIGH")
    expect(screen.row("2")).to_contain_text("NOT JUDGED")
    expect(screen.row("1").locator('[data-at="age"]')).to_have_text(re.compile(r"^1\d s$"))


def test_the_page_comes_back_by_itself(browser: Browser) -> None:
    """After a restart of the server the same page is live again."""
    first = Ward()
    screen = Screen(browser, first)
    second = None
    try:
        first.show(bed("1"))
        ready(screen, 1)
        first.stop()
        expect(screen.page.locator("#banner")).to_be_visible(timeout=WAIT_MS)
        second = Ward(port=first.port)
        second.show(bed("1"), bed("2"))
        ready(screen, 2)
        expect(screen.page.locator("#banner")).to_be_hidden(timeout=WAIT_MS)
    finally:
        screen.close()
        first.close()
        if second is not None:
            second.close()


def test_a_server_whose_clock_stands_still_is_no_news(browser: Browser) -> None:
    """Frames that go on coming with the same time do not keep the page fresh."""
    still = now()
    ward = Ward(clock=lambda: still)
    screen = Screen(browser, ward)
    try:
        ward.show(bed("1"))
        ready(screen, 1)
        banner = screen.page.locator("#banner")
        expect(banner).to_contain_text("Connection lost", timeout=WAIT_MS)
    finally:
        screen.close()
        ward.close()


def test_what_a_device_calls_itself_is_text(ward: Ward, screen: Screen) -> None:
    """Markup in a bed, a unit, a summary or a reason is shown as it is written."""
    evil = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
    row = bed(evil, unit=evil, profile=evil, cannot_judge=[evil], patient="p1")
    ward.show(row, bed("2", unit="b", alerts=[alert("high", evil)]))
    ready(screen, 2)
    assert set(screen.beds()) == {evil, "2"}
    expect(screen.row("2")).to_contain_text(evil)
    expect(screen.page.locator("#limits")).to_contain_text(evil)
    assert screen.page.evaluate("window.hacked") is None
    assert screen.page.locator("main script, main img").count() == 0


def test_a_bed_is_never_shown_by_half_of_its_name(ward: Ward, screen: Screen) -> None:
    """Long names are set smaller, in lines, and stand in their column as a whole."""
    ward.show(bed("12"), bed("1-07"), bed("NICU-12"), bed("Isolation room 2b"), bed("M" * 64))
    ready(screen, 5)
    spills = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    assert screen.page.locator("tbody th, tbody th span").evaluate_all(spills) == 0


def test_a_demonstration_says_that_it_is_one(browser: Browser) -> None:
    """Time that runs faster than on the wall is named beside the limits."""
    ward = Ward(speed=60.0)
    screen = Screen(browser, ward)
    try:
        ward.show(bed("1"))
        expect(screen.page.locator("#limits")).to_contain_text(
            "demonstration: time runs 60\u00d7", timeout=WAIT_MS
        )
    finally:
        screen.close()
        ward.close()


def test_an_empty_board_does_not_look_like_a_quiet_one(ward: Ward, screen: Screen) -> None:
    """Without rows the page says that nothing is watched that it knows of."""
    expect(screen.page.locator("#units")).to_have_text("no bed yet", timeout=WAIT_MS)
    expect(screen.page.get_by_text("No bed has been reported")).to_be_visible()


def test_the_footer_says_what_the_board_is_not(ward: Ward, screen: Screen) -> None:
    """The words about the device's own alarms, and the profile that the limits come from."""
    ward.show(bed("1"))
    ready(screen, 1)
    foot = screen.page.locator("footer")
    expect(foot).to_contain_text(
        "Secondary display. It never replaces the device's own alarms. Not a medical device."
    )
    expect(foot).to_contain_text("Limits: profile default")


def test_the_table_is_a_table_and_times_have_utc_titles(ward: Ward, screen: Screen) -> None:
    """A screen reader finds rows and headers; every time tells its UTC when asked."""
    ward.show(bed("1"))
    ready(screen, 1)
    table = screen.page.get_by_role("table", name="Beds, worst first")
    expect(table.get_by_role("columnheader")).to_have_count(9)
    expect(table.get_by_role("rowheader")).to_have_count(1)
    expect(screen.page.locator("#as-of")).to_have_attribute("title", re.compile(" UTC$"))
    expect(screen.row("1").locator('[data-at="age"]')).to_have_attribute(
        "title", re.compile(r"^measured \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")
    )
    expect(screen.page.get_by_role("status")).to_have_attribute("aria-live", "polite")


# Relative luminance and contrast as WCAG 2.2 defines them, over what the browser computed. The
# background is the nearest painted one; a gradient counts with each of its colours.
CONTRASTS = """() => {
  const colours = (text) => [...text.matchAll(/rgba?\\(([^)]+)\\)/g)]
    .map((found) => found[1].split(/[ ,/]+/).map(Number)).filter((rgba) => (rgba[3] ?? 1) > 0);
  const luminance = (rgb) => rgb.slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      const painted = [...colours(style.backgroundImage), ...colours(style.backgroundColor)];
      if (painted.length) return painted;
    }
    return [[255, 255, 255]];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const text = luminance(colours(style.color)[0]);
    for (const ground of behind(element).map(luminance)) {
      const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      found.push([element.textContent.trim(), ratio]);
    }
  }
  return found;
}"""
HALF_A_FLASH = "document.getAnimations().forEach((one) => { one.pause(); one.currentTime = %d; })"


def test_all_text_has_the_contrast_of_wcag_aa(ward: Ward, screen: Screen) -> None:
    """In every state, at both ends of the flash and with the banner up: at least 4.5 to 1."""
    ward.show(*every_state())
    ready(screen, 10)
    measured = []
    for moment_ms in (0, 800):
        screen.page.evaluate(HALF_A_FLASH % moment_ms)
        measured += screen.page.evaluate(CONTRASTS)
    ward.stop()
    expect(screen.page.locator("#banner")).to_be_visible(timeout=WAIT_MS)
    measured += screen.page.evaluate(CONTRASTS)
    words_seen = {text for text, _ in measured}
    assert {"HIGH", "MEDIUM", "LOW", "NOT JUDGED", "OK", "INFO", "NO COURSE"} <= words_seen
    assert [(text, round(ratio, 2)) for text, ratio in measured if ratio < 4.5] == []


def test_nothing_moves_for_who_asked_for_no_motion(browser: Browser, ward: Ward) -> None:
    """A high row flashes, slower than three times a second, unless less motion is preferred."""
    ward.show(bed("1", alerts=[alert("high")]))
    moves = "document.getAnimations().map((one) => one.effect.getTiming().duration)"
    for motion, expected in (("no-preference", 1), ("reduce", 0)):
        screen = Screen(browser, ward, reduced_motion=motion)
        ready(screen, 1)
        periods_ms = screen.page.evaluate(moves)
        screen.close()
        assert len(periods_ms) == expected
        assert all(period_ms > 1000 / 3 for period_ms in periods_ms)


@pytest.mark.parametrize("beds", [12, 20])
def test_a_ward_fits_on_one_wall_display(ward: Ward, screen: Screen, beds: int) -> None:
    """Up to 20 beds are seen without scrolling, with beds and states large enough for 3 m."""
    more = (bed(f"2-{number}", unit="PICU") for number in range(11, beds + 1))
    ward.show(*every_state(), *more)
    ready(screen, beds)
    fits = "[...document.querySelectorAll('tbody tr')].map((row) => row.getBoundingClientRect())"
    places = screen.page.evaluate(fits)
    foot = screen.page.locator("footer").bounding_box()
    assert foot is not None
    assert max(place["bottom"] for place in places) <= foot["y"] + 1
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= WALL_DISPLAY["width"]
    size = "(at) => parseFloat(getComputedStyle(document.querySelector(at)).fontSize)"
    assert screen.page.evaluate(size, "tbody th") >= 28
    assert screen.page.evaluate(size, "tr[data-level=high] .badge") >= 22
    spills = (
        "[...document.querySelectorAll('.badge')].some((one) => one.scrollWidth > one.clientWidth)"
    )
    assert screen.page.evaluate(spills) is False


def test_a_tablet_shows_everything_in_its_width(browser: Browser, ward: Ward) -> None:
    """Upright, beds are cards: nothing lies beside the screen, and no column is left out."""
    ward.show(*every_state())
    screen = Screen(browser, ward, viewport=TABLET)
    ready(screen, 10)
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= TABLET["width"]
    cells = screen.row("2").get_by_role("cell")
    expect(cells).to_have_count(8)
    for place in range(8):
        expect(cells.nth(place)).to_be_visible()
    screen.close()


def test_the_page_says_times_in_the_server_s_words(ward: Ward, screen: Screen) -> None:
    """Between two pushes the page counts on by itself; its words must be the same to the letter."""
    edges = [0, 1, 59, 60, 3599, 3600, 4320, 35_999, 36_000, 172_799, 172_800, 273_600]
    seconds = sorted(
        {sign * (edge + part) for edge in edges for sign in (1, -1) for part in (0, 0.6)}
    )
    pairs = [(due, over) for due in seconds for over in (None, due, due + 14_400)]
    asked = """async ([seconds, pairs]) => {
      const words = await import("/static/words.js");
      return [seconds.map(words.duration), seconds.map(words.age),
              pairs.map(([due, over]) => words.countdown(due, over))];
    }"""
    durations, ages, countdowns = screen.page.evaluate(asked, [seconds, pairs])
    assert durations == [words.duration(one) for one in seconds]
    assert ages == [words.age(one) for one in seconds]
    assert countdowns == [words.countdown(due, over) for due, over in pairs]


def test_an_old_view_is_reworded_as_the_server_would(ward: Ward, screen: Screen) -> None:
    """A view that the page aged by 30 s says what the server says 30 s later."""
    moment = now()
    early, late = Ward(clock=lambda: moment), Ward(clock=lambda: moment + timedelta(seconds=30))
    try:
        rows = [replace(row, clock=moment, sample_time=moment) for row in every_state()]
        views = []
        for one in (early, late):
            one.show(*rows)
            views.append(json.loads(one.ask("/api/board")[2]))
    finally:
        early.close()
        late.close()
    aged = """async (view) => (await import("/static/words.js")).aged(view, 30)"""
    said = {row["bed"]: row for row in screen.page.evaluate(aged, views[0])["rows"]}
    for row in views[1]["rows"]:
        for part in ("state", "doubts", "none"):
            assert said[row["bed"]][part] == row[part]
        for part, text in (("data", "text"), ("judged", "text"), ("data", "doubt")):
            assert said[row["bed"]][part][text] == row[part][text]
        for text in ("text", "age_text", "status"):
            assert said[row["bed"]]["methb"][text] == row["methb"][text]
        told = [one["age_text"] for one in said[row["bed"]]["alerts"]]
        assert told == [one["age_text"] for one in row["alerts"]]


# What the server answers, asked without a browser.


def apart(what: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread of its own: the browser's driver has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, what).result(timeout=60)


def frames(ward: Ward, count: int) -> list[dict[str, Any]]:
    """Return the first frames of the live feed."""
    connection = http.client.HTTPConnection("127.0.0.1", ward.port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", "/api/stream")
        answer = connection.getresponse()
        seen: list[dict[str, Any]] = []
        while len(seen) < count:
            line = answer.readline()
            if line.startswith(b"data: "):
                seen.append(json.loads(line.removeprefix(b"data: ")))
        return seen


def test_the_snapshot_is_the_view(ward: Ward) -> None:
    """The API gives what the page shows, as JSON."""
    ward.show(bed("4", alerts=[alert("high")]))
    status, headers, body = ward.ask("/api/board")
    shown = msgspec.json.decode(body)
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert shown["counts"]["high_open"] == 1
    assert shown["rows"][0]["state"] == {"level": "high", "symbol": "***", "word": "HIGH"}


def test_health_counts_rows_that_nobody_judges(ward: Ward) -> None:
    """The server is well when it answers, and says how much of the ward is not."""
    ward.show(bed("1"), bed("2", clock=now() - timedelta(minutes=1)))
    status, _, body = ward.ask("/healthz")
    health = json.loads(body)
    assert (status, health["status"]) == (200, "ok")
    assert (health["rows"], health["not_judged"], health["screens"]) == (2, 1, 0)


@pytest.mark.parametrize("path", ["/", "/static/board.js", "/api/board", "/healthz", "/no-such"])
def test_every_answer_keeps_the_browser_at_home(ward: Ward, path: str) -> None:
    """No answer sets a cookie, may be framed, or lets the page load from elsewhere."""
    _, headers, _ = ward.ask(path)
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:1", 200), ("[::1]", 200), ("evil.example", 421)],
)
def test_a_foreign_name_on_loopback_is_refused(ward: Ward, host: str, status: int) -> None:
    """A web site that points its own name at this machine reads no patient's data."""
    assert ward.ask("/api/board", host=host)[0] == status


def test_files_outside_the_page_are_not_served(ward: Ward) -> None:
    """The way out of the static folder is closed."""
    assert ward.ask("/static/../server.py")[0] == 404
    assert ward.ask("/static/%2e%2e/server.py")[0] == 404
    assert ward.ask("/static/")[0] in (403, 404)


def test_a_port_in_use_is_a_clear_error() -> None:
    """The error names the port and what to do about it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is in use"):
            apart(BoardServer(now).start(port=port))


def test_a_time_without_an_offset_is_refused_at_the_door() -> None:
    """A row that would break the board is refused with the field's name, and not kept."""
    server = BoardServer(now)
    with pytest.raises(ValueError, match="row of bed 4: clock has no offset"):
        server.update_row(bed("4", clock=datetime(2026, 1, 1)))  # noqa: DTZ001 # the bare time is the case
    assert server.view().rows == []


def test_a_storm_of_rows_is_a_calm_feed(ward: Ward) -> None:
    """However often rows change, the frames of a screen are a second apart."""
    enough = threading.Event()

    def storm() -> None:
        while not enough.wait(0.02):
            ward.show(bed("1"), bed("2"))

    rows = threading.Thread(target=storm)
    rows.start()
    try:
        seen = [datetime.fromisoformat(frame["as_of"]) for frame in frames(ward, 3)]
    finally:
        enough.set()
        rows.join(timeout=20)
    gaps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(seen)]
    assert min(gaps_s) >= 0.99


def test_a_quiet_ward_is_a_live_feed(ward: Ward) -> None:
    """Frames go on coming when nothing changes, each with a newer time."""
    seen = [frame["as_of"] for frame in frames(ward, 3)]
    assert seen == sorted(set(seen))


def test_a_slow_screen_gets_only_the_newest() -> None:
    """What a screen did not take is replaced, so its memory never grows."""

    async def slow() -> tuple[bytes | None, int]:
        third = asyncio.Event()
        made: list[bytes] = []

        def frame() -> bytes:
            made.append(str(len(made)).encode())
            if len(made) == 3:
                third.set()
            return made[-1]

        feed = Feed(frame)
        with feed.joined() as slot:
            running = asyncio.create_task(feed.run())
            await asyncio.wait_for(third.wait(), timeout=20)
            kept = slot.qsize()
            newest = await slot.get()
            running.cancel()
            return newest, kept

    assert apart(slow()) == (b"2", 1)


def test_who_waits_is_let_go_when_the_feed_ends() -> None:
    """A screen hears that it is over, and so does one that comes too late."""

    async def over() -> list[bytes | None]:
        feed = Feed(lambda: b"")
        with feed.joined() as slot:
            feed.close()
            with feed.joined() as late:
                return [await slot.get(), await late.get()]

    assert apart(over()) == [None, None]


def test_there_is_a_last_seat() -> None:
    """The number of screens is bounded, and a screen that leaves makes room."""
    feed = Feed(lambda: b"")
    with contextlib.ExitStack() as seats:
        for _ in range(MAX_SCREENS):
            seats.enter_context(feed.joined())
        with pytest.raises(Full, match=f"{MAX_SCREENS} screens"):
            seats.enter_context(feed.joined())
    with feed.joined():
        assert feed.screens == 1


def test_stopping_twice_is_stopping_once() -> None:
    """A shutdown that comes from two sides does no harm, and the port is free afterwards."""

    async def twice() -> int:
        server = BoardServer(now)
        port = await server.start()
        await server.stop()
        await server.stop()
        return port

    with socket.create_server(("127.0.0.1", apart(twice()))) as again:
        assert again.getsockname()[1] > 0
