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
