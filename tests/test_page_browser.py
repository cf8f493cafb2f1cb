"""The page with its script, in a real Chromium: suggestions, answers without a reload, a range on the timeline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, serving
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from widgets import PHONE, until, violations, window

from search.engines import Engine

pytestmark = pytest.mark.browser
SUGGEST = "**/api/v1/suggest?**"


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
    options: dict[str, Any] = getattr(request, "param", {})
    with window(chromium, base_url=address, reduced_motion="reduce", **options) as page:
        yield page


def at(page: Page, query: str) -> None:
    """Open the page and leave a trace in it, which a reload would wipe out."""
    page.goto(f"/search?{query}")
    page.evaluate("window.trace = true")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("window.trace"))


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


# Nothing reloads


@pytest.mark.parametrize(
    ("start", "click", "where", "told"),
    [
        ("q=snow", ".facet a:has-text('Sport')", "q=snow&section=Sport", "1 article for snow"),
        ("q=snow&section=Sport", ".chip", "q=snow", "3 articles for snow"),
        ("q=tide", ".pages a[rel=next]", "q=tide&page=2", "25 articles for tide"),
        ("q=snow", ".sorts a:has-text('Oldest')", "q=snow&sort=oldest", "3 articles for snow"),
        ("q=snow", ".results .kicker a >> nth=0", "q=snow&section=World", "2 articles for snow"),
        ("section=World", "a.bar >> nth=-1", "section=World&from_date=2025-08&to_date=2025-08", "2 articles"),
    ],
)
def test_links_of_the_page_are_followed_without_a_reload(
    page: Page, start: str, click: str, where: str, told: str
) -> None:
    at(page, start)
    page.locator(click).click()
    page.wait_for_url(f"**/search?{where}")
    heading(page, told)
    assert is_same(page)
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("body > [role=status]")).to_have_text(told)
    expect(page.locator("#main")).not_to_have_attribute("aria-busy", "true")
    assert page.evaluate("scrollY") == 0
    words = re.search(r"q=(\w+)", where)
    expect(page).to_have_title(f"{words[1]} – Broadsheet" if words else "Broadsheet")
    # What the page links to goes with it, and so does what a next search keeps.
    feed = "&".join(pair for pair in where.split("&") if not pair.startswith(("page=", "sort=")))
    expect(page.locator("head link[title=RSS]")).to_have_attribute("href", f"/search.rss?{feed}")
    kept = page.locator("form.search input[type=hidden]").evaluate_all("all => all.map(i => `${i.name}=${i.value}`)")
    assert kept == [pair for pair in where.split("&") if not pair.startswith(("q=", "page="))]


def test_words_are_searched_without_a_reload_and_keep_what_is_chosen(page: Page) -> None:
    at(page, "section=World&from_date=")
    box = page.get_by_role("combobox")
    box.fill("snow")
    box.press("Enter")
    page.wait_for_url("**/search?q=snow&section=World")
    heading(page, "2 articles for snow")
    expect(box).to_have_value("snow")
    assert is_same(page)


def test_who_ticks_is_answered_at_once_and_goes_on_from_there(page: Page) -> None:
    at(page, "q=snow+OR+tide")
    expect(page.get_by_role("button", name="Apply what is ticked")).to_be_hidden()
    world = page.get_by_role("checkbox", name="World")
    world.focus()
    page.keyboard.press("Space")
    page.wait_for_url("**section=World**")
    expect(world).to_be_checked()
    expect(world).to_be_focused()
    service = page.get_by_role("checkbox", name="Service")
    service.check()
    heading(page, "27 articles for snow OR tide")
    world.uncheck()
    heading(page, "25 articles for snow OR tide")
    assert is_same(page)


def test_days_are_applied_without_a_reload(page: Page) -> None:
    at(page, "q=tide")
    page.get_by_text("From day to day").click()
    page.get_by_label("From", exact=True).fill("2022-03-10")
    page.get_by_role("button", name="Apply", exact=True).click()
    page.wait_for_url("**/search?q=tide&from_date=2022-03-10")
    heading(page, "16 articles for tide")
    assert is_same(page)


def test_back_and_forward_show_each_page_where_it_was_left(page: Page) -> None:
    at(page, "q=tide")
    page.locator(".pages a[rel=next]").evaluate("link => { scrollTo(0, 600); link.click() }")
    expect(page.locator(".place")).to_have_text("11–20 of 25")
    assert page.evaluate("scrollY") == 0
    page.evaluate("scrollTo(0, 300)")
    until(page, lambda: page.evaluate("history.state.y") == 300)
    page.go_back()
    expect(page.locator(".place")).to_have_text("1–10 of 25")
    assert page.evaluate("scrollY") == 600
    page.go_forward()
    expect(page.locator(".place")).to_have_text("11–20 of 25")
    assert page.evaluate("scrollY") == 300
    assert is_same(page)
    box = page.get_by_role("combobox")
    box.fill("snow")
    box.press("Enter")
    heading(page, "3 articles for snow")
    page.go_back()
    heading(page, "25 articles for tide")
    expect(box).to_have_value("tide")


def test_words_that_are_typed_meanwhile_stay(page: Page) -> None:
    at(page, "q=tide")
    held: list[Route] = []
    page.route("**/search?q=tide&page=2", lambda route: held.append(route))
    page.locator(".pages a[rel=next]").click()
    until(page, lambda: held)
    expect(page.locator("#main")).to_have_attribute("aria-busy", "true")
    page.get_by_role("combobox").fill("something else")
    held[0].continue_()
    expect(page.locator(".place")).to_have_text("11–20 of 25")
    expect(page.get_by_role("combobox")).to_have_value("something else")


def test_the_last_of_two_clicks_counts(page: Page) -> None:
    at(page, "q=tide")
    held: list[Route] = []
    page.route("**/search?q=tide&page=2", lambda route: held.append(route))
    page.locator(".pages a[rel=next]").click()
    until(page, lambda: held)
    page.locator(".pages a:has-text('3')").click()
    expect(page.locator(".place")).to_have_text("21–25 of 25")
    held[0].continue_()
    page.wait_for_timeout(50)
    expect(page.locator(".place")).to_have_text("21–25 of 25")
    assert is_same(page)


@pytest.mark.parametrize("how", ["abort", "503", "another page"])
def test_whatever_fails_the_browser_goes_there_itself(page: Page, how: str) -> None:
    at(page, "q=tide")

    def fail(route: Route) -> None:
        if route.request.resource_type != "fetch":
            route.continue_()
        elif how == "abort":
            route.abort()
        elif how == "503":
            route.fulfill(status=503, body="<form class=search><input name=q></form><main><h1>No</h1></main>")
        else:
            route.fulfill(body="<h1>A proxy</h1>")

    page.route("**/search?**page=2", fail)
    page.locator(".pages a[rel=next]").click()
    expect(page.locator(".place")).to_have_text("11–20 of 25")
    assert not is_same(page)


@pytest.mark.parametrize("keys", ["Control", "Shift"])
def test_links_can_be_opened_elsewhere(page: Page, keys: Any) -> None:
    at(page, "q=tide")
    with page.context.expect_page() as opened:
        page.locator(".pages a[rel=next]").click(modifiers=[keys])
    expect(opened.value.locator(".place")).to_have_text("11–20 of 25")
    expect(page.locator(".place")).to_have_text("1–10 of 25")


def test_links_to_articles_are_left_to_the_browser(page: Page) -> None:
    at(page, "q=breakfast")
    page.locator(".headline a").click()
    page.wait_for_url("https://news.example/snow")


@pytest.mark.parametrize("page", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone_the_ways_to_narrow_open_and_close(page: Page) -> None:
    at(page, "q=snow")
    narrow = page.get_by_role("navigation", name="Narrow the search")
    page.get_by_role("link", name="Narrow", exact=True).click()
    expect(narrow).to_be_visible()
    narrow.get_by_role("link", name="Sport").click()
    heading(page, "1 article for snow")
    expect(narrow).to_be_hidden()
    assert is_same(page)
    page.go_back()
    heading(page, "3 articles for snow")


# Suggestions


def suggested(page: Page, words: str) -> None:
    page.get_by_role("combobox").press_sequentially(words)
    page.get_by_role("option").first.wait_for()


def test_articles_topics_and_sections_are_suggested_by_kind(page: Page) -> None:
    at(page, "")
    box = page.get_by_role("combobox", name="Search the articles")
    expect(box).to_have_attribute("aria-expanded", "false")
    suggested(page, "s")
    kinds = page.locator(".suggestions").get_by_role("group")
    assert [kind.get_attribute("aria-label") for kind in kinds.all()] == ["Section", "Topic"]
    box.press_sequentially("now")
    expect(page.get_by_role("option", name="Snow returns to the valley")).to_be_visible()
    assert page.locator(".suggestions mark").first.inner_text() == "Snow"
    expect(page.locator("form.search [role=status]")).to_have_text("Articles: 2")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert box.get_attribute("aria-activedescendant") is None
    box.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    page.wait_for_url("https://news.example/snow")


def test_a_suggested_article_says_that_it_was_retracted(page: Page) -> None:
    at(page, "")
    page.get_by_role("combobox").fill("medal")
    expect(page.locator(".suggestions .articles .badge")).to_have_text("Retracted")
    page.get_by_role("combobox").fill("glacier")
    expect(page.locator(".suggestions .articles [role=option]")).to_have_text("Glacier huts close early")
    expect(page.locator(".suggestions .badge")).to_have_count(0)


def test_a_page_that_comes_back_from_memory_is_asked_for_again(page: Page) -> None:
    """What it shows may have been taken down since."""
    at(page, "q=tide")
    page.evaluate("document.querySelector('.results').replaceChildren('taken down since')")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))")
    expect(page.locator(".results")).to_have_text("taken down since")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator(".results li")).to_have_count(10)
    heading(page, "25 articles for tide")
    assert is_same(page)


def test_a_topic_is_chosen_in_place_of_what_was_typed(page: Page) -> None:
    at(page, "")
    suggested(page, "clim")
    option = page.get_by_role("option", name="climate")
    expect(option).to_contain_text("1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?tag=climate")
    heading(page, "1 article")
    expect(page.get_by_role("combobox")).to_have_value("")
    expect(option).to_be_hidden()
    assert is_same(page)


def test_enter_alone_searches_what_was_typed(page: Page) -> None:
    at(page, "")
    suggested(page, "glac")
    page.keyboard.press("Escape")
    expect(page.locator(".suggestions")).to_be_hidden()
    expect(page.get_by_role("combobox")).to_have_value("glac")
    page.get_by_role("combobox").press_sequentially("ier")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=glacier")
    heading(page, "2 articles for glacier")
    expect(page.locator(".suggestions")).to_be_hidden()


def test_suggestions_are_gone_while_the_answer_is_under_way(page: Page) -> None:
    at(page, "")
    held: list[Route] = []
    page.route("**/search?q=snow", lambda route: held.append(route))
    suggested(page, "snow")
    page.keyboard.press("Enter")
    until(page, lambda: held)
    expect(page.locator(".suggestions")).to_be_hidden()
    held[0].continue_()
    heading(page, "3 articles for snow")


def test_only_of_what_is_chosen_is_suggested(page: Page) -> None:
    at(page, "section=Sport&from_date=2020&sort=oldest")
    suggested(page, "snow")
    assert page.get_by_role("option").all_inner_texts() == ["O’Neill wins the snow race\nCorrected"]


def test_suggestions_that_fail_disturb_nobody(page: Page) -> None:
    at(page, "")
    page.route(SUGGEST, lambda route: route.abort())
    box = page.get_by_role("combobox")
    box.press_sequentially("snow")
    with page.expect_event("requestfailed"):
        pass
    expect(page.locator(".suggestions")).to_be_hidden()
    box.press("Enter")
    heading(page, "3 articles for snow")


def test_suggestions_close_where_the_focus_leaves(page: Page) -> None:
    at(page, "")
    suggested(page, "snow")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Search", exact=True)).to_be_focused()
    expect(page.locator(".suggestions")).to_be_visible()  # it is still the search
    page.keyboard.press("Tab")
    expect(page.locator(".suggestions")).to_be_hidden()


# A range on the timeline


def test_a_range_is_chosen_by_two_bars_in_either_order(page: Page) -> None:
    at(page, "section=World")
    button = page.get_by_role("button", name="Choose a range")
    bars = page.locator("a.bar")
    assert bars.count() > 1
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    bars.last.click()
    assert is_same(page)
    expect(bars.last).to_have_class(re.compile(r"\bfrom\b"))
    bars.first.click()
    page.wait_for_url("**/search?section=World&from_date=2023-05&to_date=2025-08")
    expect(page.get_by_role("list", name="Chosen")).to_contain_text("2023")
    assert is_same(page)


def test_escape_leaves_the_range_and_a_bar_is_a_link_again(page: Page) -> None:
    at(page, "section=World")
    button = page.get_by_role("button", name="Choose a range")
    bars = page.locator("a.bar")
    button.click()
    bars.first.click()
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".from")).to_have_count(0)
    bars.first.click()
    page.wait_for_url("**from_date=2023-05&to_date=2023-05")


def test_the_bars_are_one_stop_and_arrow_keys_go_along_them(page: Page) -> None:
    at(page, "q=tide")
    bars = page.locator("a.bar")
    count = bars.count()
    assert page.locator("a.bar[tabindex='0']").count() == 1
    expect(bars.nth(count - 1)).to_have_attribute("tabindex", "0")
    bars.nth(count - 1).focus()
    for key, number in [("ArrowLeft", count - 2), ("End", count - 1), ("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1)]:
        page.keyboard.press(key)
        expect(bars.nth(number)).to_be_focused()
    assert page.locator("a.bar[tabindex='0']").count() == 1
    expect(bars.nth(1)).to_have_attribute("tabindex", "0")
    page.get_by_role("button", name="Choose a range").press("Enter")
    bars.nth(2).press("Enter")
    bars.nth(4).press("Enter")
    page.wait_for_url("**/search?q=tide&from_date=2022-03-03&to_date=2022-03-05")
    heading(page, "3 articles for tide")
    assert page.locator("a.bar[tabindex='0']").count() == 1  # on the new page too


# For everyone


@pytest.mark.parametrize(
    "page", [{}, {"color_scheme": "dark", "viewport": PHONE}], indirect=True, ids=["", "small, dark"]
)
def test_axe_finds_nothing_in_what_the_script_brings(page: Page) -> None:
    at(page, "")
    suggested(page, "s")
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Choose a range").click()
    page.locator("a.bar").first.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
