"""The page in another language, in a real Chromium: from the right in Arabic, with long words in German."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from browser import launch, serving
from playwright.sync_api import Browser, Page, expect, sync_playwright
from widgets import violations

from search.engines import Engine

pytestmark = pytest.mark.browser
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 320, "height": 640}
STATES = ["", "q=snow&section=World", "q=zebra", "q=tide&page=2", "q=snow+zebra&page=x", "from_date=2022&to_date=2022"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["ar", "de"])
def language(request: pytest.FixtureRequest) -> str:
    tag: str = request.param
    return tag


@pytest.fixture(scope="module")
def page(chromium: Browser, newsroom: Engine, language: str) -> Iterator[Page]:
    with serving(newsroom.url, language=language) as address:
        context = chromium.new_context(base_url=address, viewport=PHONE)
        yield context.new_page()
        context.close()


def test_nothing_runs_over_the_edge_of_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    for query in STATES:
        for target in ("", "#narrow"):
            page.goto(f"/search?{query}{target}")
            boxes = page.locator("body *:not(.skip):visible").evaluate_all(
                "nodes => nodes.filter(n => !n.closest('.hidden, .peaks')).map(n => n.getBoundingClientRect())"
                ".filter(box => box.width).map(box => [box.left, box.right])"
            )
            assert min(left for left, _ in boxes) >= 0, query
            assert max(right for _, right in boxes) <= PHONE["width"], query
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


def test_the_names_below_the_bars_stand_apart(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/search?q=tide")  # whole dates, the longest names that stand there
    boxes = page.locator(".tick").evaluate_all(
        "nodes => nodes.map(n => n.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert len(boxes) == 3
    assert all(before[1] < after[0] for before, after in pairwise(boxes))
    assert boxes[-1][1] <= PHONE["width"]


def test_a_day_reads_as_its_language_does_beside_any_article(page: Page, language: str) -> None:
    page.goto("/search?q=snow")
    expect(page.locator("article").first).to_have_css("direction", "ltr")
    expect(page.locator(".byline time").first).to_have_css("direction", "rtl" if language == "ar" else "ltr")


def test_what_a_reader_typed_stands_in_the_quotation_marks_of_the_language(page: Page, language: str) -> None:
    page.goto("/search?q=snow&sort=best&foo=1&bar=2")
    said = {
        "ar": [
            "لا يوجد ترتيب «\u2068best\u2069»، لذا لم يُستخدم.",
            "لم يُستخدم من العنوان: «\u2068foo\u2069»، «\u2068bar\u2069».",
        ],
        "de": [
            "Eine Sortierung „best“ gibt es nicht, sie wurde nicht verwendet.",
            "Aus der Adresse wurde nicht verwendet: „foo“, „bar“.",
        ],
    }
    expect(page.locator(".notices li")).to_have_text(said[language])


def test_letters_that_join_are_not_spread(page: Page, language: str) -> None:
    page.goto("/search?q=snow")
    spread = page.locator(".rule").first.evaluate("node => getComputedStyle(node).letterSpacing")
    assert (spread in ("normal", "0px")) == (language == "ar")


def test_the_facets_stand_where_reading_begins(page: Page, language: str) -> None:
    page.set_viewport_size(DESK)
    page.goto("/search?q=snow")
    facets, results = page.locator(".narrow").bounding_box(), page.locator(".found").bounding_box()
    assert facets
    assert results
    assert (facets["x"] > results["x"]) == (language == "ar")
    box, name = page.locator(".choice input").first.bounding_box(), page.locator(".choice .value").first.bounding_box()
    assert box
    assert name
    gap = box["x"] - name["x"] - name["width"] if language == "ar" else name["x"] - box["x"] - box["width"]
    assert 0 < gap < 24


def test_the_texts_are_of_the_language(page: Page, language: str) -> None:
    page.set_viewport_size(DESK)
    page.goto("/search?q=zebra")
    heading = {"ar": "لا نتائج عن zebra", "de": "Nichts gefunden für zebra"}[language]
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    assert violations(page) == []
