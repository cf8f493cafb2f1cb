"""The widget for everyone: axe-core finds nothing wrong in any of its states, and every recipe of the demo works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser import launch, serving
from host import Site, site
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from widgets import PHONE, SEARCH, TWO, Widget, embedded, refuse, violations, window

from search.engines import Engine
from web import demo

pytestmark = pytest.mark.browser
RECIPES = [recipe.name for recipe in demo.recipes()]


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
    with window(chromium, reduced_motion="reduce", **options) as page:
        yield page


def closed(widget: Widget) -> None:
    expect(widget.panel).to_be_hidden()


def found(widget: Widget) -> None:
    widget.type("snow OR medal")
    widget.box.press("ArrowDown")


def nothing(widget: Widget) -> None:
    widget.box.fill("zebra")
    expect(widget.part("message")).to_be_visible()


def opened(widget: Widget) -> None:
    widget.part("button").click()
    widget.type("snow")


def failing(answer: Callable[[Route], None]) -> Callable[[Widget], None]:
    def fail(widget: Widget) -> None:
        widget.page.route(SEARCH, answer)
        widget.box.fill("snow")
        expect(widget.part("message")).to_be_visible()

    return fail


FORM = '<form action="/"><input name="q" aria-label="Elsewhere"><button>Go</button></form>'
STATES: dict[str, tuple[str, Callable[[Widget], None]]] = {
    "box": ("<broadsheet-search>", closed),
    "found": ("<broadsheet-search>", found),
    "groups": ("<broadsheet-search group>", found),
    "nothing": ("<broadsheet-search>", nothing),
    "button": ("<broadsheet-search modal>", closed),
    "modal": ("<broadsheet-search modal>", opened),
    "away": (f"<broadsheet-search>{FORM}</broadsheet-search>", failing(lambda route: route.abort())),
    "busy": ("<broadsheet-search>", failing(lambda route: refuse(route, 429, Retry_After="30"))),
    "failed": ("<broadsheet-search>", failing(lambda route: refuse(route, 500))),
    "right to left": ("<div lang='ar' dir='rtl'><broadsheet-search>", found),
    "several": (TWO, found),
}


@pytest.mark.parametrize(
    "page", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], indirect=True, ids=["light", "dark", "phone"]
)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, host: Site, state: str) -> None:
    html, reach = STATES[state]
    reach(embedded(page, host, html))
    assert violations(page) == []


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"])
def test_axe_finds_nothing_on_the_demo(page: Page, host: Site) -> None:
    page.goto(f"{host.service}/widget/demo")
    expect(Widget(page, "#box broadsheet-search").box).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_finds_something(page: Page, host: Site, name: str) -> None:
    page.goto(f"{host.service}/widget/demo")
    widget = Widget(page, f"#{name} broadsheet-search")
    if name == "modal":
        widget.part("button").click()
    widget.type("tide")
    expect(widget.options.last).to_contain_text("25")
    for looks in {"template": ["card"], "group": ["group-name"]}.get(name, []):
        expect(widget.part(looks).first).to_be_visible()
    widget.box.press("ArrowDown")
    if name == "events":
        expect(page.locator(".counted-words")).to_have_text("asked for: tide")
        widget.box.press("Enter")
        expect(page.locator(".counted-words")).to_contain_text("chosen: Tide table")
    else:
        widget.box.press("Enter")
        page.wait_for_url("https://news.example/tide/*")


@pytest.mark.parametrize("page", [{"viewport": PHONE}], indirect=True)
def test_the_demo_fits_a_small_phone(page: Page, host: Site) -> None:
    page.goto(f"{host.service}/widget/demo")
    expect(Widget(page, "#box broadsheet-search").box).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_the_recipe_without_scripts_works_without(page: Page, host: Site) -> None:
    page.goto(f"{host.service}/widget/demo")
    page.locator("#fallback").get_by_role("searchbox").fill("breakfast")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 article for breakfast")
