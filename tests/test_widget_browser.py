"""The widget in a real Chromium, on a site of another origin under a strict policy: what readers do with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import launch, serving
from host import Site, site
from playwright.sync_api import Browser, Page, expect, sync_playwright
from widgets import DESK, PHONE, SEARCH, TWO, Held, Widget, embedded, freeze, fulfil, until, window

from search.engines import Engine

pytestmark = pytest.mark.browser
FORM = """<broadsheet-search><form action="{}/search"><input type="search" name="q"><button>Go</button></form>
</broadsheet-search>"""

EVENTS = """for (const name of ["search", "select"]) {
  document.body.addEventListener(`broadsheet:${name}`, (event) => {
    (window.told ??= []).push([name, event.composed, event.target.localName, event.detail]);
    if (document.body.dataset.cancel === name) event.preventDefault();
  });
}"""


@pytest.fixture(scope="module")
def host(newsroom: Engine) -> Iterator[Site]:
    with serving(newsroom.url) as service, site(service) as made:
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    options: dict[str, Any] = getattr(request, "param", {})
    with window(chromium, **options) as page:
        yield page


# Under the policy of the site


@pytest.mark.parametrize("policy", ["", "; require-trusted-types-for 'script'; trusted-types 'none'"])
def test_it_searches_under_a_strict_policy_with_one_plain_get(page: Page, host: Site, policy: str) -> None:
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url.partition("?")[0])))
    widget = embedded(page, host, policy=policy)
    widget.type("snow")
    assert widget.titles == ["Snow returns to the valley", "O’Neill wins the snow race", "Glacier huts close early"]
    assert widget.part("title").locator("mark").all_inner_texts() == ["Snow", "snow"]
    assert widget.element.locator("[style]").count() == 0
    mine = f"{host.address}/"
    assert [one for one in asked if not one[1].startswith(mine)] == [
        ("GET", f"{host.service}/widget.js"),
        ("GET", f"{host.service}/api/v1/search"),
    ]


def test_no_cookie_and_no_header_of_its_own_goes_along(page: Page, host: Site) -> None:
    held = Held(page)
    widget = embedded(page, host)
    widget.box.press_sequentially("snow")
    held.wait(1)
    sent = held.routes[0].request.all_headers()
    ours = {name for name in sent if not name.startswith(("sec-", "accept", ":"))}
    assert ours <= {"user-agent", "referer", "origin", "host", "connection"}
    held.answer(0, "Snow")


def test_the_pinned_file_runs_by_its_integrity(page: Page, host: Site) -> None:
    from web import widgets

    tag = f'{widgets.current().name}" integrity="{widgets.current().integrity}" crossorigin="anonymous'
    embedded(page, host, script=tag).type("snow")


def test_what_an_article_holds_stays_text(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    widget.type("jerry")
    assert widget.titles == ["Tom & Jerry <script>alert(1)</script> turn forty"]
    first = widget.options.first
    expect(first).to_have_attribute("aria-disabled", "true")  # its address is javascript:
    assert first.get_attribute("href") is None
    widget.box.press("ArrowDown")
    expect(widget.part("all")).to_have_attribute("aria-selected", "true")


def test_an_address_that_runs_a_script_is_none(page: Page, host: Site) -> None:
    page.route(SEARCH, lambda route: fulfil(route, "Evil", base="javascript:alert(1)//"))
    widget = embedded(page, host)
    widget.type("x")
    expect(widget.options.first).to_have_attribute("aria-disabled", "true")
    assert widget.options.first.get_attribute("href") is None


# Without scripts, without the service


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_the_form_that_it_wraps_searches(page: Page, host: Site) -> None:
    page.goto(host.put(FORM.format(host.service)))
    page.get_by_role("searchbox").fill("breakfast")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 article for breakfast")


def test_while_the_script_is_away_the_form_is_there(page: Page, host: Site) -> None:
    page.route("**/widget.js", lambda route: route.abort())
    page.goto(host.put(FORM.format(host.service)))
    expect(page.get_by_role("searchbox")).to_be_visible()


def test_while_the_service_is_away_the_form_comes_back_with_the_words(page: Page, host: Site) -> None:
    widget = embedded(page, host, FORM.format(host.service))
    field = page.locator("form input[type=search]")
    expect(field).to_be_hidden()
    page.route(SEARCH, lambda route: route.abort())
    widget.box.press_sequentially("breakfast")
    expect(widget.part("message")).to_have_text("Search cannot be reached at the moment.")
    expect(widget.status).to_have_text("Search cannot be reached at the moment.")
    expect(field).to_be_visible()
    expect(field).to_have_value("breakfast")
    page.unroute(SEARCH)
    page.keyboard.press("Tab")
    expect(widget.part("again")).to_be_focused()
    page.keyboard.press("Enter")
    widget.options.first.wait_for()
    assert widget.titles == ["Snow returns to the valley"]
    expect(widget.box).to_be_focused()
    expect(field).to_be_hidden()


def test_the_form_that_comes_back_can_be_used(page: Page, host: Site) -> None:
    widget = embedded(page, host, FORM.format(host.service))
    page.route(SEARCH, lambda route: route.abort())
    widget.box.press_sequentially("breakfast")
    page.locator("form input[type=search]").click()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 article for breakfast")


# By keyboard, and for assistive technology


def test_the_keys_of_a_combobox(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    box, options = widget.box, widget.options
    expect(box).to_have_role("combobox")
    expect(box).to_have_attribute("aria-expanded", "false")
    widget.type("snow")
    assert options.count() == 4
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(box).to_have_attribute("aria-autocomplete", "list")
    expect(widget.part("list")).to_have_attribute("id", box.get_attribute("aria-controls") or "")
    expect(widget.part("list")).to_have_role("listbox")

    def active() -> int | None:
        """The number of the option that is active, as it is told and as it is shown."""
        told = box.get_attribute("aria-activedescendant")
        shown = [one.get_attribute("id") for one in options.all() if one.get_attribute("aria-selected") == "true"]
        assert shown == ([told] if told else [])
        return [one.get_attribute("id") for one in options.all()].index(told) if told else None

    assert active() is None  # nothing is chosen beforehand
    keys = [("ArrowDown", 0), ("ArrowDown", 1), ("End", 3), ("ArrowDown", None), ("ArrowUp", 3), ("Home", 0)]
    for key, expected in [*keys, ("ArrowUp", None), ("Home", None), ("ArrowDown", 0), ("ArrowLeft", None)]:
        box.press(key)
        assert active() == expected, key
    expect(box).to_be_focused()
    box.press("ArrowDown")
    box.press("Escape")
    expect(widget.panel).to_be_hidden()
    assert active() is None
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("snow")
    box.press("Alt+ArrowDown")
    expect(widget.panel).to_be_visible()
    assert active() is None
    box.press("Alt+ArrowUp")
    expect(widget.panel).to_be_hidden()
    box.press("ArrowDown")
    assert active() == 0


def test_home_moves_the_cursor_while_nothing_is_active(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    widget.type("snow")
    widget.box.press("Home")
    widget.box.press_sequentially("x")
    expect(widget.box).to_have_value("xsnow")


def test_enter_alone_goes_to_all_results(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search section='World|Sport' language='en'></broadsheet-search>")
    widget.type("snow race")
    widget.box.press("Enter")
    page.wait_for_url(f"{host.service}/search?q=snow+race&section=World&section=Sport&language=en")


def test_enter_on_an_option_goes_to_the_article(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    widget.type("snow")
    widget.box.press("ArrowDown")
    widget.box.press("Enter")
    page.wait_for_url("https://news.example/snow")


def test_the_last_option_leads_to_all_results(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search results-url='/find?from=head'></broadsheet-search>")
    widget.type("tide")
    expect(widget.options.last).to_have_text("All results (25)")
    widget.box.press("ArrowUp")
    widget.box.press("Enter")
    page.wait_for_url(f"{host.address}/find?from=head&q=tide")


def test_all_results_of_a_word_begun_are_those_that_were_counted(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    widget.type("gla")
    expect(widget.options.last).to_have_text("All results (2)")
    widget.options.last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 articles for gla")


def test_what_is_found_is_told_politely(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    expect(widget.status).to_have_text("")
    widget.type("tide")
    expect(widget.status).to_have_text("Results: 25. Choose with the arrow keys.")
    widget.box.fill("zebra")
    expect(widget.status).to_have_text("Nothing found for “zebra”.")
    expect(widget.part("message")).to_be_visible()
    widget.box.fill("")
    expect(widget.status).to_have_text("")
    expect(widget.panel).to_be_hidden()


@pytest.mark.parametrize("how", ["ctrl+click", "middle", "Control+Enter"])
def test_options_are_links_that_open_in_a_new_tab(page: Page, host: Site, how: str) -> None:
    page.route(SEARCH, lambda route: fulfil(route, "Snow", base=host.address))
    widget = embedded(page, host)
    widget.type("snow")
    with page.context.expect_page() as opened:
        if how == "Control+Enter":
            widget.box.press("ArrowDown")
            widget.box.press(how)
        elif how == "middle":
            widget.options.first.click(button="middle")
        else:
            widget.options.first.click(modifiers=["Control"])
    opened.value.wait_for_url(f"{host.address}/0")
    assert page.url == f"{host.address}/"
    expect(widget.panel).to_be_visible()  # for the next one


def test_it_closes_where_the_focus_leaves_and_opens_where_it_comes_back(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search></broadsheet-search><a href='/'>after</a>")
    widget.type("snow")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="after")).to_be_focused()  # options are no stops on the way
    expect(widget.panel).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    expect(widget.panel).to_be_visible()
    page.get_by_role("heading", name="A site").click()
    expect(widget.panel).to_be_hidden()


# Typing


def test_it_asks_when_the_keys_rest(page: Page, host: Site) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.press_sequentially("sno")
    page.clock.run_for(149)
    widget.box.press_sequentially("w")
    page.clock.run_for(149)
    assert held.asked == []
    page.clock.run_for(1)
    held.wait(1)
    assert held.asked == ["snow"]
    held.answer(0, "Snow")
    page.clock.run_for(1000)
    assert held.asked == ["snow"]


def test_an_answer_that_comes_late_is_thrown_away(page: Page, host: Site) -> None:
    held = Held(page)
    widget = embedded(page, host)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    widget.box.fill("snow")
    held.wait(1)
    widget.box.fill("tide")
    held.wait(2)
    until(page, lambda: failed)
    expect(widget.status).to_have_text("")  # which is no failure
    held.answer(1, "A tide")
    widget.options.first.wait_for()
    held.answer(0, "Late snow")
    page.wait_for_timeout(50)
    assert widget.titles == ["A tide"]
    assert len(failed) == 1  # its question was broken off


def test_old_results_are_not_shown_below_other_words(page: Page, host: Site) -> None:
    held = Held(page)
    widget = embedded(page, host)
    widget.box.fill("snow")
    held.wait(1)
    held.answer(0, "Snow")
    widget.options.first.wait_for()
    widget.box.press_sequentially("s")  # the same words go on: dimmed, until there are new ones
    expect(widget.part("list")).to_have_attribute("aria-busy", "true")
    assert widget.titles == ["Snow"]
    widget.box.fill("tide")
    assert widget.titles == []
    expect(widget.panel).to_be_hidden()
    until(page, lambda: "tide" in held.asked)  # on a busy machine `snows` may have been asked for too
    held.answer(held.asked.index("tide"), "A tide")
    expect(widget.part("list")).to_have_attribute("aria-busy", "false")
    assert widget.titles == ["A tide"]
    widget.box.fill("")
    widget.box.press_sequentially("z")
    assert widget.titles == []


def test_half_characters_are_not_asked_for(page: Page, host: Site) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.click()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "あら", "selectionStart": 2, "selectionEnd": 2})
    expect(widget.box).to_have_value("あら")
    page.clock.run_for(1000)
    assert held.asked == []
    keyboard.send("Input.insertText", {"text": "嵐"})
    page.clock.run_for(1000)
    held.wait(1)
    assert held.asked == ["%E5%B5%90"]
    held.answer(0, "嵐")


@pytest.mark.parametrize("composing", [{"isComposing": True}, {"keyCode": 229}], ids=["Chromium", "Safari"])
def test_the_key_that_ends_a_composition_chooses_nothing(page: Page, host: Site, composing: dict[str, Any]) -> None:
    widget = embedded(page, host, js=EVENTS)
    widget.type("snow")
    widget.box.press("ArrowDown")
    page.evaluate("document.body.dataset.cancel = 'select'")
    widget.box.dispatch_event("keydown", {"key": "Enter", **composing})
    assert [kind for kind, *_ in page.evaluate("told")] == ["search"]
    widget.box.press("Enter")
    assert [kind for kind, *_ in page.evaluate("told")] == ["search", "select"]


# A service that is slow, busy or broken


def test_a_slow_answer_is_spoken_of(page: Page, host: Site) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.fill("snow")
    page.clock.run_for(150)
    held.wait(1)
    page.clock.run_for(599)
    expect(widget.panel).to_be_hidden()
    page.clock.run_for(1)
    expect(widget.part("message")).to_have_text("Still searching…")
    expect(widget.status).to_have_text("Still searching…")
    held.answer(0, "Snow")
    widget.options.first.wait_for()
    expect(widget.part("message")).to_be_hidden()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says_so(page: Page, host: Site, status: int) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.fill("snow")
    page.clock.run_for(150)
    held.wait(1)
    held.refuse(0, status, Retry_After="7")
    expect(widget.part("message")).to_have_text("Search is busy. It is asked again in 7 s.")
    expect(widget.element.locator("slot")).to_be_hidden()  # nothing is wrapped
    widget.box.fill("tide")  # who types on does not ask sooner
    page.clock.run_for(6500)
    assert held.asked == ["snow"]
    page.clock.run_for(1000)
    held.wait(2)
    assert held.asked == ["snow", "tide"]
    held.answer(1, "A tide")
    widget.options.first.wait_for()


def test_a_service_that_stays_busy_is_left_in_peace(page: Page, host: Site) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.fill("snow")
    for number in (0, 1):
        page.clock.run_for(3100)
        held.wait(number + 1)
        held.refuse(number, 503, Retry_After="3")
    expect(widget.part("message")).to_have_text("Search cannot be reached at the moment.")
    page.clock.run_for(60_000)
    assert len(held.routes) == 2
    widget.part("again").click()
    page.clock.run_for(150)
    held.wait(3)
    held.answer(2, "Snow")
    widget.options.first.wait_for()


def test_nobody_waits_for_an_hour(page: Page, host: Site) -> None:
    page.clock.install()
    held = Held(page)
    widget = embedded(page, host)
    freeze(page)
    widget.box.fill("snow")
    page.clock.run_for(150)
    held.wait(1)
    held.refuse(0, 503, Retry_After="Wed, 01 Jan 2200 00:00:00 GMT")
    expect(widget.part("message")).to_have_text("Search cannot be reached at the moment.")
    page.clock.run_for(200_000)
    assert len(held.routes) == 1


@pytest.mark.parametrize("status", [422, 500])
def test_a_failure_is_no_empty_result(page: Page, host: Site, status: int) -> None:
    held = Held(page)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    widget = embedded(page, host)
    widget.box.fill("snow")
    held.wait(1)
    held.refuse(0, status)
    expect(widget.part("message")).to_have_text("Search failed. The fault is not yours.")
    expect(widget.part("again")).to_be_visible()
    assert any("broadsheet-search:" in line and "No." in line for line in told)  # for who embedded it


def test_a_wrong_attribute_is_named_in_the_console(page: Page, host: Site) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    widget = embedded(page, host, "<broadsheet-search per-page='1000'></broadsheet-search>")
    widget.box.fill("snow")
    expect(widget.part("message")).to_have_text("Search failed. The fault is not yours.")
    assert any("per_page" in line for line in told)


# The modal


MODAL = "<p><input id='other'></p><button id='first'>First</button><broadsheet-search modal></broadsheet-search>"


@pytest.mark.parametrize("key", ["/", "Control+k", "Meta+k"])
def test_a_key_opens_the_modal_and_escape_brings_the_focus_back(page: Page, host: Site, key: str) -> None:
    widget = embedded(page, host, MODAL)
    page.locator("#first").focus()
    expect(widget.part("dialog")).to_be_hidden()
    page.keyboard.press(key)
    expect(widget.part("dialog")).to_have_role("dialog")
    expect(widget.box).to_be_focused()
    expect(widget.box).to_have_value("")
    widget.type("snow")
    widget.box.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(widget.part("dialog")).to_be_hidden()
    expect(page.locator("#first")).to_be_focused()
    page.keyboard.press(key)
    expect(widget.options.first).to_be_visible()  # as it was left
    widget.box.press_sequentially("tide")  # over the words before, which are selected
    expect(widget.box).to_have_value("tide")


def test_the_modal_keeps_the_focus_and_closes_by_button_and_backdrop(page: Page, host: Site) -> None:
    widget = embedded(page, host, MODAL)
    button = widget.part("button")
    button.click()
    expect(widget.box).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
        expect(page.locator("#other")).not_to_be_focused()
    widget.part("close").click()
    expect(widget.part("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    page.mouse.click(5, 400)
    expect(widget.part("dialog")).to_be_hidden()


def test_a_slash_in_a_field_is_a_slash(page: Page, host: Site) -> None:
    widget = embedded(page, host, MODAL)
    page.locator("#other").press_sequentially("1/2")
    expect(page.locator("#other")).to_have_value("1/2")
    expect(widget.part("dialog")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(widget.part("dialog")).to_be_visible()
    widget.box.press_sequentially("a/b")
    expect(widget.box).to_have_value("a/b")


def test_the_keys_can_be_turned_off(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search modal hotkey='off'></broadsheet-search>")
    page.keyboard.press("/")
    page.keyboard.press("Control+k")
    expect(widget.part("dialog")).to_be_hidden()
    expect(widget.part("key")).to_have_count(0)
    widget.element.evaluate("element => element.removeAttribute('hotkey')")
    page.keyboard.press("/")
    expect(widget.part("dialog")).to_be_visible()


def test_a_box_takes_no_keys_of_the_page(page: Page, host: Site) -> None:
    widget = embedded(page, host)
    page.keyboard.press("/")
    expect(widget.box).not_to_be_focused()


def test_a_key_opens_the_first_of_several_and_none_that_was_removed(page: Page, host: Site) -> None:
    embedded(page, host, "<broadsheet-search modal id='a'></broadsheet-search><broadsheet-search modal id='b'>")
    a, b = Widget(page, "#a"), Widget(page, "#b")
    page.keyboard.press("/")
    expect(a.part("dialog")).to_be_visible()
    expect(b.part("dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    a.element.evaluate("element => element.remove()")
    page.keyboard.press("/")
    expect(b.part("dialog")).to_be_visible()


# Several, and what sites set


def test_several_on_a_page_know_nothing_of_each_other(page: Page, host: Site) -> None:
    embedded(page, host, TWO)
    a, b = Widget(page, "#a"), Widget(page, "#b")
    a.type("snow")
    expect(b.panel).to_be_hidden()
    b.box.focus()
    b.type("snow")
    expect(a.panel).to_be_hidden()
    assert b.titles == ["O’Neill wins the snow race"]
    b.box.press("ArrowDown")
    assert a.element.locator("[aria-selected=true]").count() == 0


def test_a_site_hears_of_searches_and_choices(page: Page, host: Site) -> None:
    widget = embedded(page, host, js=EVENTS)
    widget.type("snow")
    page.evaluate("document.body.dataset.cancel = 'select'")
    widget.options.first.click()
    expect(widget.panel).to_be_hidden()
    widget.box.press("Enter")
    search, chosen, every = page.evaluate("told")
    asked = f"{host.service}/api/v1/search?q=snow&prefix=true&per_page=8&facets=section"
    assert search == ["search", True, "broadsheet-search", {"q": "snow", "url": asked}]
    assert chosen[:3] == ["select", True, "broadsheet-search"]
    assert (chosen[3]["q"], chosen[3]["url"]) == ("snow", "https://news.example/snow")
    assert chosen[3]["result"]["id"] == "snow"
    assert every[3] == {"q": "snow", "url": f"{host.service}/search?q=snow", "result": None}
    assert page.url == f"{host.address}/"  # both were cancelled


def test_a_search_that_a_site_cancels_is_not_asked(page: Page, host: Site) -> None:
    held = Held(page)
    widget = embedded(page, host, "<broadsheet-search></broadsheet-search>", js=EVENTS)
    page.evaluate("document.body.dataset.cancel = 'search'")
    widget.box.fill("snow")
    until(page, lambda: page.evaluate("window.told?.length"))
    expect(widget.panel).to_be_hidden()
    page.evaluate("delete document.body.dataset.cancel")
    widget.box.fill("snows")
    held.wait(1)
    assert held.asked == ["snows"]
    held.answer(0, "Snow")


def test_results_stand_under_their_sections(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search group per-page='20'></broadsheet-search>")
    widget.type("snow OR bread OR valley")
    groups = widget.element.get_by_role("group")
    assert [group.get_attribute("aria-label") for group in groups.all()] == ["World", "Sport", None]
    assert widget.part("group-name").all_inner_texts() == ["World", "Sport"]
    expect(groups.first.get_by_role("option")).to_have_count(2)
    expect(widget.part("about").first).to_have_text("Aug 7, 2025")  # the section is said above
    widget.box.press("End")
    widget.box.press("ArrowDown")
    widget.box.press("End")
    expect(widget.part("all")).to_have_attribute("aria-selected", "true")


TEMPLATE = """<broadsheet-search><template slot="result"><b part="mine" data-field="title"></b>
<i data-field="authors"></i><em data-field="status"></em><s data-field="notice"></s><img data-field="image" alt="">
<u data-field="titel">x</u></template></broadsheet-search>"""


@pytest.mark.parametrize(
    ("words", "status", "notice"),
    [
        ("medal", "Retracted", "This article was retracted."),
        ("race", "Corrected", "An earlier version gave <b>another</b> time."),
    ],
)
def test_what_was_corrected_or_retracted_says_so(page: Page, host: Site, words: str, status: str, notice: str) -> None:
    widget = embedded(page, host)
    widget.type(words)
    expect(widget.part("status")).to_have_text(status)
    expect(widget.part("notice")).to_have_text(notice)


def test_results_look_as_the_site_says(page: Page, host: Site) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    images = "; img-src https://news.example"
    css = "broadsheet-search::part(mine) { color: rgb(1, 2, 3) }"
    widget = embedded(page, host, TEMPLATE, css=css, policy=images)
    widget.type("huts OR medal")
    first, retracted = (widget.options.filter(has_text=word) for word in ("Glacier", "medal"))
    expect(first.locator("b")).to_have_text("Glacier huts close early")
    expect(first.locator("b")).to_have_css("color", "rgb(1, 2, 3)")
    expect(first.locator("i")).to_have_text("Ana Lima, Joe Hu")
    expect(first.locator("img")).to_have_attribute("src", "https://news.example/huts.jpg")
    expect(first.locator("em")).to_have_count(0)  # what a result has not is left out
    expect(first.locator("s")).to_have_count(0)
    expect(retracted.locator("em")).to_have_text("Retracted")
    expect(retracted.locator("s")).to_have_text("This article was retracted.")
    expect(retracted.locator("img")).to_have_count(0)
    assert any('no data-field "titel"; there is title,' in line for line in told)


@pytest.mark.parametrize(
    ("html", "asked"),
    [
        ("<broadsheet-search per-page='3'>", "q=x&prefix=true&per_page=3&facets=section"),
        ("<broadsheet-search section='Arts &amp; Letters'>", "q=x&section=Arts+%26+Letters&prefix"),
        ("<broadsheet-search section='World | Sport'>", "q=x&section=World&section=Sport&prefix"),
        ("<broadsheet-search language='ar'>", "q=x&language=ar&prefix"),
        ("<broadsheet-search service='{}/elsewhere'>", "/elsewhere/api/v1/search?q=x&prefix"),
    ],
)
def test_what_attributes_ask_for(page: Page, host: Site, html: str, asked: str) -> None:
    held = Held(page)
    widget = embedded(page, host, html.format(host.service))
    widget.box.fill("x")
    held.wait(1)
    assert asked in held.routes[0].request.url
    held.answer(0, "X")


def test_the_words_of_the_box_are_those_of_the_site(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<broadsheet-search placeholder='Find a story'></broadsheet-search>")
    expect(widget.box).to_have_attribute("placeholder", "Find a story")
    expect(widget.box).to_have_accessible_name("Find a story")
    widget.box.fill("kept")
    widget.element.evaluate("element => element.setAttribute('placeholder', 'Other')")
    expect(widget.box).to_have_attribute("placeholder", "Other")
    expect(widget.box).to_have_value("kept")


@pytest.mark.parametrize(
    ("lang", "html", "words", "every"),
    [
        ("en", "<broadsheet-search>", "Search the articles", "All results (25)"),
        ("de-AT", "<broadsheet-search>", "Artikel durchsuchen", "Alle Treffer (25)"),
        ("fr", "<broadsheet-search>", "Rechercher dans les articles", "Tous les résultats (25)"),
        ("de", "<broadsheet-search lang='es'>", "Buscar en los artículos", "Todos los resultados (25)"),
        ("ar", "<broadsheet-search>", "ابحث في المقالات", "كل النتائج (25)"),
        ("sv", "<broadsheet-search>", "Search the articles", "All results (25)"),
    ],
)
def test_it_speaks_the_language_of_the_page(
    page: Page, host: Site, lang: str, html: str, words: str, every: str
) -> None:
    widget = embedded(page, host, html, lang=lang)
    expect(widget.box).to_have_attribute("placeholder", words)
    widget.type("tide")
    expect(widget.options.last).to_have_text(every)


@pytest.mark.parametrize("page", [{"timezone_id": "America/Los_Angeles"}], indirect=True)
def test_days_are_those_of_the_service_wherever_the_reader_is(page: Page, host: Site) -> None:
    widget = embedded(page, host, lang="en-GB")
    widget.type("breakfast")
    expect(widget.part("date")).to_have_text("7 Aug 2025")


# How it looks


def test_it_goes_from_right_to_left(page: Page, host: Site) -> None:
    widget = embedded(page, host, "<div dir='rtl'><broadsheet-search></broadsheet-search></div>", lang="ar")
    glass, box = widget.part("form").locator("svg").bounding_box(), widget.box.bounding_box()
    assert glass
    assert box
    assert glass["x"] > box["x"]
    widget.type("العاصفة")
    assert widget.titles == ["العاصفة تضرب الميناء"]
    expect(widget.part("frame")).to_have_css("direction", "rtl")
    # The day stands to the left of the section, as the article goes from the right.
    section, date = widget.part("section").bounding_box(), widget.part("date").bounding_box()
    assert section
    assert date
    assert date["x"] + date["width"] <= section["x"]


@pytest.mark.parametrize(
    ("page", "theme", "is_dark"),
    [
        ({"color_scheme": "light"}, "", False),
        ({"color_scheme": "dark"}, "", True),
        ({"color_scheme": "light"}, "theme='dark'", True),
        ({"color_scheme": "dark"}, "theme='light'", False),
    ],
    indirect=["page"],
)
def test_dark_by_the_readers_setting_or_by_attribute(page: Page, host: Site, theme: str, is_dark: bool) -> None:
    widget = embedded(page, host, f"<broadsheet-search {theme}></broadsheet-search>")
    widget.type("snow")
    for node in (widget.part("form"), widget.panel):
        paper = node.evaluate("node => getComputedStyle(node).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == is_dark


def test_a_site_sets_colours_and_parts(page: Page, host: Site) -> None:
    css = "broadsheet-search { --broadsheet-mark: rgb(9, 8, 7) } broadsheet-search::part(box) { color: rgb(1, 2, 3) }"
    widget = embedded(page, host, css=css)
    widget.type("snow")
    expect(widget.box).to_have_css("color", "rgb(1, 2, 3)")
    expect(widget.element.locator("mark").first).to_have_css("background-color", "rgb(9, 8, 7)")


@pytest.mark.parametrize(
    ("page", "moves"),
    [({"reduced_motion": "reduce"}, "none"), ({"reduced_motion": "no-preference"}, "appear")],
    indirect=["page"],
)
def test_it_moves_only_for_those_who_like_it(page: Page, host: Site, moves: str) -> None:
    widget = embedded(page, host)
    widget.type("snow")
    expect(widget.panel).to_have_css("animation-name", moves)


@pytest.mark.parametrize("page", [{"viewport": PHONE}], indirect=True)
@pytest.mark.parametrize("html", ["<broadsheet-search>", "<broadsheet-search modal>"])
def test_it_fits_a_small_phone(page: Page, host: Site, html: str) -> None:
    widget = embedded(page, host, html)
    if "modal" in html:
        widget.part("button").click()
    widget.type("snow")
    for part in ("form", "list", "result"):
        place = widget.part(part).first.bounding_box()
        assert place
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_long_list_scrolls_to_the_active_option(page: Page, host: Site) -> None:
    page.route(SEARCH, lambda route: fulfil(route, *(f"Result {number}" for number in range(40))))
    widget = embedded(page, host)
    widget.type("x")
    for _ in range(30):
        widget.box.press("ArrowDown")
    expect(widget.options.nth(29)).to_be_in_viewport()
    cover = widget.part("all").bounding_box()
    active = widget.options.nth(29).bounding_box()
    assert cover
    assert active
    assert active["y"] + active["height"] <= cover["y"] + 1  # not below the line that stays
    assert page.viewport_size == DESK
