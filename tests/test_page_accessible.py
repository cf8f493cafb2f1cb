"""The search page for everyone: axe-core finds nothing in any of its states; it is light, and nothing in it moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, serving
from playwright.sync_api import Browser, Page, sync_playwright
from widgets import violations

from search.engines import Engine

pytestmark = pytest.mark.browser
DESK, PHONE, WALL = {"width": 1200, "height": 900}, {"width": 320, "height": 640}, {"width": 3840, "height": 2160}
STATES = {
    "newest": "/search",
    "found": "/search?q=snow",
    "narrowed": "/search?q=snow&section=World&tag=alps&from_date=2025-08&to_date=2025-08",
    "range": "/search?from_date=2022-03-02&to_date=2025-08-06",
    "paged": "/search?q=tide&page=2&per_page=2",
    "badges": "/search?q=race+OR+medal",
    "noticed": "/search?q=snow+zebra&page=x&foo=1",
    "right to left": "/search?q=%D8%A7%D9%84%D8%B9%D8%A7%D8%B5%D9%81%D8%A9",
    "empty": "/search?q=zebra",
    "ways": "/search?q=bread&section=World",
    "beyond": "/search?q=tide&page=50",
    "not there": "/nothing",
}
MOST_REQUESTS = 3


@pytest.fixture(scope="module")
def address(newsroom: Engine) -> Iterator[str]:
    with serving(newsroom.url) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    options: dict[str, Any] = getattr(request, "param", {"viewport": DESK})
    context = chromium.new_context(base_url=address, bypass_csp=False, **options)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, state: str) -> None:
    page.goto(STATES[state])
    assert violations(page) == []


@pytest.mark.parametrize("page", [{"viewport": PHONE, "color_scheme": "dark"}], indirect=True, ids=["phone, dark"])
@pytest.mark.parametrize("state", ["narrowed", "badges", "noticed", "ways"])
def test_axe_finds_nothing_small_and_dark(page: Page, state: str) -> None:
    page.goto(STATES[state] + "#narrow")
    assert violations(page) == []


def test_axe_finds_nothing_in_what_opens(page: Page) -> None:
    page.goto("/search?q=tide")
    for text in ("As a table", "From day to day"):
        page.get_by_text(text).click()
    assert page.locator("table").is_visible()
    assert violations(page) == []


@pytest.mark.parametrize("state", ["newest", "found", "narrowed", "empty"])
def test_a_page_is_three_requests_and_nothing_in_it_moves(page: Page, state: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(
        "window.moved = []; new PerformanceObserver(list => moved.push(...list.getEntries().map(e => e.value)))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(STATES[state], wait_until="networkidle")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert len(asked) <= MOST_REQUESTS, asked
    assert page.evaluate("moved") == []


def test_the_first_paint_waits_for_no_script(page: Page) -> None:
    held: list[Any] = []
    page.route(
        "**/*", lambda route: held.append(route) if route.request.resource_type == "script" else route.continue_()
    )
    page.goto("/search?q=snow", wait_until="commit")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length === 1")
    assert page.locator(".results .headline").first.is_visible()
    for route in held:
        route.abort()


@pytest.mark.parametrize("page", [{"viewport": WALL}], indirect=True)
def test_a_wall_is_filled_with_larger_letters(page: Page) -> None:
    page.goto("/search?q=snow")
    size = float(page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)"))
    assert size > 24
    box = page.locator("main").bounding_box()
    assert box
    assert box["width"] > 0.4 * WALL["width"]


def test_print_shows_the_results_and_nothing_to_click(page: Page) -> None:
    page.goto("/search?q=snow")
    page.emulate_media(media="print")
    assert page.locator(".results .headline").first.is_visible()
    for part in (".search", ".narrow", ".timeline", ".sorts", ".skip"):
        assert not page.locator(part).is_visible(), part
