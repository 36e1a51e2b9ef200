"""The report of every question in a real browser, as it is printed and as it is shown."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page

from streams.audit.catalogue import read_catalogue
from streams.audit.engine import Asked, ask
from streams.audit.forms.html import html
from streams.audit.question import filled
from streams.stores.open import open_store
from streams.stores.port import Store
from tests.contract.audited import points

CATALOGUE = read_catalogue()
MM = 96 / 25.4
"""Pixels of CSS in a millimetre."""
A4_LANDSCAPE = {"width": int((297 - 2 * 12) * MM), "height": int((210 - 2 * 12) * MM)}
_CLIPPED = """() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("table, figure, p")]
    .filter(one => one.getBoundingClientRect().right > width + 1)
    .map(one => `${one.tagName}.${one.className} ${one.getBoundingClientRect().right}`);
  const cut = [...document.querySelectorAll("td, th")]
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => `${one.tagName} ${one.textContent}`);
  return [...out, ...cut];
}"""
_BROKEN = """() => [...document.querySelectorAll("td.number, td.time, td.value")]
  .filter(one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1;
  }).map(one => one.textContent)"""


_SPLIT = """() => {
  const broken = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    for (const word of walk.currentNode.data.matchAll(/[^\\s\\-\\/,;]+/g)) {
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1)
        broken.push(word[0]);
    }
  }
  return broken;
}"""
_IN_SIGHT = """() => {
  const region = document.querySelector(".scroll");
  region.scrollLeft = region.scrollWidth;
  region.scrollTop = region.scrollHeight;
  const edge = region.getBoundingClientRect();
  const row = region.querySelector("tbody tr:last-child");
  const first = row.firstElementChild.getBoundingClientRect();
  const heading = region.querySelector("thead th:last-child").getBoundingClientRect();
  const page = document.documentElement;
  return {
    first: Math.round(first.left - edge.left),
    heading: Math.round(heading.top - edge.top),
    sideways: page.scrollWidth - page.clientWidth,
  };
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Keep a history with something in it for every question."""
    with closing(open_store(f"sqlite:{tmp_path_factory.mktemp('printed')}/ward.db")) as kept:
        kept.write(points())
        yield kept


@pytest.fixture(scope="module")
def paper(browser: Browser) -> Iterator[Page]:
    """Lend a sheet as wide as what is printed of A4 across."""
    context = browser.new_context(viewport=A4_LANDSCAPE)
    page = context.new_page()
    page.emulate_media(media="print")
    yield page
    context.close()


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Page]:
    """Lend a screen of 1280 by 900."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def report(store: Store, name: str) -> str:
    """Write the report of a question."""
    question = CATALOGUE.named(name)
    asked = Asked(question=question, parameters=filled(question, {}))
    return html(ask(store, CATALOGUE, asked, lambda _: None)).decode()


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_a_printed_report_has_all_its_columns(store: Store, paper: Page, name: str) -> None:
    """On A4 across no column is cut off, and no number and no time is broken over two lines."""
    text = report(store, name)
    assert "size: A4 landscape; margin: 12mm" in text
    paper.set_content(text)
    assert paper.locator(".rows tbody tr").count() > 0
    assert paper.evaluate(_CLIPPED) == []
    assert paper.evaluate(_BROKEN) == []


@pytest.mark.parametrize("name", CATALOGUE.questions)
def test_a_report_on_screen_keeps_its_keys_in_sight(store: Store, screen: Page, name: str) -> None:
    """No word is broken; the page itself does not scroll sideways, the region of the rows does.

    However far that is scrolled, the first column stays at its left and the headings on top.
    """
    screen.set_content(report(store, name))
    assert screen.evaluate(_SPLIT) == []
    assert screen.evaluate(_IN_SIGHT) == {"first": 0, "heading": 0, "sideways": 0}


@pytest.mark.parametrize(
    "name", [n for n, q in CATALOGUE.questions.items() if "AS result" in q.sql]
)
def test_the_result_is_in_sight(store: Store, screen: Page, name: str) -> None:
    """Whom a row is about, its result and the reason stand in sight before anybody scrolls."""
    screen.set_content(report(store, name))
    for heading in ("Patient", "Result", "Reason"):
        box = screen.locator(".rows thead th", has_text=heading).first.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280
