"""Pages with the widget in a real Chromium, on another origin than the service, and answers that are held in hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from host import Site
from playwright.sync_api import Browser, Locator, Page, Route

DESK, PHONE = {"width": 1000, "height": 800}, {"width": 320, "height": 640}
SEARCH = "**/api/v1/search?**"
TWO = "<broadsheet-search id='a'></broadsheet-search><broadsheet-search id='b' section='Sport'></broadsheet-search>"
AXE = {"resultTypes": ["violations"]}
TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@contextmanager
def window(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a context of its own. In the end nothing went wrong in it that a test did not bring about."""
    context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Policy" in message.text else None)
    page.add_init_script(TELL_VIOLATIONS)
    # Where results lead: the world outside is one page.
    page.context.route("https://news.example/**", lambda route: route.fulfill(body="<title>An article</title>"))
    yield page
    context.close()
    assert not problems, problems


class Widget:
    """What a reader sees of one <broadsheet-search>."""

    def __init__(self, page: Page, css: str = "broadsheet-search >> nth=0") -> None:
        self.page = page
        self.element = page.locator(css)
        self.box = self.part("box")
        self.panel = self.part("panel")
        self.status = self.element.get_by_role("status")
        self.options = self.element.get_by_role("option")

    def part(self, name: str) -> Locator:
        return self.element.locator(f"[part={name}]")

    @property
    def titles(self) -> list[str]:
        return self.part("title").all_inner_texts()

    def type(self, text: str) -> None:
        """Key by key, as fast as it goes, and wait for the answer."""
        self.box.press_sequentially(text)
        self.options.first.wait_for()


def freeze(page: Page) -> None:
    """Time stands still on the page, from now until a test lets it run."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


def until(page: Page, is_so: Callable[[], Any]) -> None:
    """Wait for what the page itself does not show."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end, "it did not come"
        page.wait_for_timeout(10)


def embedded(page: Page, site: Site, html: str = "<broadsheet-search></broadsheet-search>", **options: Any) -> Widget:
    page.goto(site.put(html, **options))
    widget = Widget(page)
    page.locator("broadsheet-search:defined").first.wait_for(state="attached")
    return widget


class Held:
    """Questions to the service that wait until a test answers them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.routes: list[Route] = []
        page.route(SEARCH, lambda route: self.routes.append(route))

    @property
    def asked(self) -> list[str]:
        """The words of each question."""
        return [route.request.url.partition("?q=")[2].partition("&")[0] for route in self.routes]

    def wait(self, count: int) -> None:
        until(self.page, lambda: len(self.routes) >= count)

    def answer(self, number: int, *titles: str) -> None:
        fulfil(self.routes[number], *titles)

    def refuse(self, number: int, status: int, **headers: str) -> None:
        refuse(self.routes[number], status, **headers)


def fulfil(route: Route, *titles: str, base: str = "https://news.example") -> None:
    results = [
        {
            "id": str(number),
            "url": f"{base}/{number}",
            "title": title,
            "section": "World",
            "authors": [],
            "published": None,
            "status": "live",
            "image": None,
            "highlight": {"title": title, "snippets": []},
        }
        for number, title in enumerate(titles)
    ]
    answer = {"total": len(titles), "timezone": "UTC", "results": results}
    route.fulfill(json=answer, headers={"Access-Control-Allow-Origin": "*"})


def refuse(route: Route, status: int, **headers: str) -> None:
    """As the service does, with problem details."""
    cross = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    problem = {"status": status, "code": "search_unavailable", "detail": "No."}
    route.fulfill(status=status, json=problem, headers={**cross, **names}, content_type="application/problem+json")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong, in all of its rules."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
