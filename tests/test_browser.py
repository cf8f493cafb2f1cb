"""The search page in a real Chromium, as a reader uses it; JavaScript is off, as it needs none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, serving
from playwright.sync_api import Browser, Page, expect, sync_playwright

from search.engines import Engine

pytestmark = pytest.mark.browser
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 320, "height": 640}
MARGIN = 16


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
    viewport: Any = getattr(request, "param", DESK)
    context = chromium.new_context(base_url=address, viewport=viewport, java_script_enabled=False)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    yield page
    context.close()
    assert problems == []  # a breach of the content security policy would be said here


def headlines(page: Page) -> list[str]:
    return page.locator(".found .headline").all_inner_texts()


def test_type_submit_narrow_by_section_and_month_turn_the_page_and_go_back(page: Page) -> None:
    page.goto("/")
    box = page.get_by_role("searchbox", name="Search the articles")
    box.fill("twice day")
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("25 articles for twice day")

    narrow = page.get_by_role("navigation", name="Narrow the search")
    narrow.get_by_role("link", name="Service").click()
    expect(page).to_have_url(re.compile("section=Service"))
    expect(narrow.locator("[aria-current]").first).to_contain_text("Service")

    page.goto("/search?section=World")
    page.get_by_role("link", name="August 2025: 2 articles").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 articles")
    expect(page.get_by_role("list", name="Chosen")).to_contain_text("August 2025")
    assert headlines(page) == ["Snow returns to the valley", "Glacier huts close early"]
    page.get_by_role("searchbox").fill("breakfast")
    page.get_by_role("button", name="Search").click()
    assert headlines(page) == ["Snow returns to the valley"]
    assert page.locator("mark").all_inner_texts() == ["breakfast"]

    page.goto("/search?q=tide")
    first = headlines(page)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Next").click()
    expect(page.locator(".place")).to_have_text("11–20 of 25")
    assert not set(first) & set(headlines(page))
    page.go_back()
    expect(page.locator(".place")).to_have_text("1–10 of 25")
    assert headlines(page) == first


def test_a_range_of_days_is_typed(page: Page) -> None:
    page.goto("/search?q=tide")
    page.get_by_text("From day to day").click()
    page.get_by_label("From", exact=True).fill("2022-03-10")
    page.get_by_label("To", exact=True).fill("2022-03-12")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 articles for tide")
    page.get_by_role("link", name="10 March 2022 to 12 March 2022").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("25 articles for tide")


def test_the_keyboard_is_enough(page: Page) -> None:
    page.goto("/search?q=snow")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the results")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("page", [PHONE], indirect=True)
@pytest.mark.parametrize(
    "query", ["", "q=snow", "q=jerry", "q=tide&page=2", "q=zebra&section=Sport&foo=1", "q=" + "x" * 300]
)
def test_a_phone_shows_it_without_scrolling_sideways(page: Page, query: str) -> None:
    for target in ("", "#narrow"):
        page.goto(f"/search?{query}{target}")
        widest = page.locator("body *:not(.skip):visible").evaluate_all(
            "nodes => Math.max(...nodes.filter(n => !n.closest('.hidden')).map(n => n.getBoundingClientRect().right))"
        )
        assert widest <= PHONE["width"] - MARGIN


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_phone_opens_the_ways_to_narrow_on_demand(page: Page) -> None:
    page.goto("/search?q=snow")
    narrow = page.get_by_role("navigation", name="Narrow the search")
    expect(narrow).to_be_hidden()
    page.get_by_role("link", name="Narrow", exact=True).click()
    expect(narrow).to_be_visible()
    narrow.get_by_role("link", name="Sport").click()
    expect(narrow).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 article for snow")
