"""Take the pictures of docs/, of the page and the widget. Run it as `python tests/screenshot.py`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from browser import COMMAND, launch, serving
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DESK: Any = {"viewport": {"width": 1200, "height": 900}}
STILL: Any = {"reduced_motion": "reduce"}
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


@dataclass(frozen=True)
class Picture:
    """What is taken of one address. `options` are those of a context of Playwright."""

    address: str
    options: dict[str, Any] = field(default_factory=lambda: DESK)
    types: tuple[str, str] | None = None  # the element with the widget, and the words

    def open(self, page: Page) -> None:
        page.goto(self.address)
        if self.types:
            element, words = self.types
            page.locator(f"{element} [part=box]").press_sequentially(words)
            page.locator(f"{element} [role=option]").first.wait_for()
            page.keyboard.press("ArrowDown")


PICTURES = {
    "page.png": Picture("/search?q=ferry&section=Local&section=Politics"),
    "page-dark.png": Picture("/search?q=storm+OR+election", {**DESK, "color_scheme": "dark"}),
    "page-phone.png": Picture("/search?q=hesk+ferry", PHONE),
    "widget.png": Picture("/widget/demo", {**STILL, "viewport": {"width": 1200, "height": 960}}, ("#box", "ferry")),
}


def main() -> None:
    with TemporaryDirectory() as folder:
        index = f"whoosh:{folder}/index"
        subprocess.run([COMMAND, "--index", index, "index", ROOT / "sample_corpus"], check=True, capture_output=True)
        with serving(index) as address, sync_playwright() as playwright:
            browser = launch(playwright)
            for name, picture in PICTURES.items():
                context = browser.new_context(base_url=address, **picture.options)
                page = context.new_page()
                picture.open(page)
                page.screenshot(path=DOCS / name)
                context.close()
                print(f"docs/{name}: {(DOCS / name).stat().st_size // 1000} kB")
            browser.close()


if __name__ == "__main__":
    main()
