"""Take docs/screenshot.png: the search page over the sample corpus. Run it as `python tests/screenshot.py`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from browser import COMMAND, launch, serving
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "screenshot.png"
QUERY = "q=ferry&section=Local&section=Politics"


def main() -> None:
    with TemporaryDirectory() as folder:
        index = f"whoosh:{folder}/index"
        subprocess.run([COMMAND, "--index", index, "index", ROOT / "sample_corpus"], check=True, capture_output=True)
        with serving(index) as address, sync_playwright() as playwright:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.goto(f"{address}/search?{QUERY}")
            page.screenshot(path=PICTURE)
            browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
