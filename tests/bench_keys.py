"""`make bench`: from the press of a key to painted results, in a real Chromium on loopback: the widget and the page.

BENCH_CORPUS and BENCH_ARTICLES take other articles, as in bench.py. It fails beyond `AT_MOST`. The pause of 150 ms, by
which both wait for the next key, is not counted.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import quantiles

import bench_corpus
from browser import COMMAND, launch, serving
from host import site
from playwright.sync_api import Error, Page, sync_playwright

ARTICLES = 50_000
QUERIES, MOST_KEYS = 15, 14  # typed key by key, as long as a reader has patience for
DEBOUNCE = 150  # milliseconds, web/widget/asking.js
AT_MOST = 100  # milliseconds, of 95 key presses in 100
PATIENCE = 1_500  # milliseconds: a key that changes nothing paints nothing

# Times are taken in the page itself: from the event of the key to the task after the frame that shows new options.
WATCH = """([holder, list]) => {
  const root = document.querySelector(holder).shadowRoot ?? document;
  let pressed;
  window.painted = [];
  addEventListener("keydown", (event) => pressed = event.timeStamp, true);
  new MutationObserver(() => {
    const since = pressed;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => painted.push(performance.now() - since);
      after.port2.postMessage(0);
    });
  }).observe(root.querySelector(list), { childList: true });
}"""


def main() -> int:
    if "BENCH_CORPUS" not in os.environ:
        os.environ.setdefault("BENCH_ARTICLES", str(ARTICLES))
    with tempfile.TemporaryDirectory(prefix="broadsheet-keys-") as folder, sync_playwright() as playwright:
        corpus, index = Path(folder) / "corpus.jsonl", f"whoosh:{folder}/index"
        count = len(bench_corpus.write(corpus))
        subprocess.run([COMMAND, "--index", index, "index", "--quiet", corpus], check=False, capture_output=True)
        queries = _queries(corpus)
        with serving(index) as service, site(service) as embedding:
            page = launch(playwright).new_page()
            page.goto(embedding.put("<broadsheet-search></broadsheet-search>"))
            times = {"widget": _typed(page, "broadsheet-search", "[part=list]", queries)}
            page.goto(f"{service}/search")
            times["page"] = _typed(page, ".search", ".suggestions", queries)
    return _report(times, count)


def _queries(corpus: Path) -> list[str]:
    """The first words of some titles."""
    titles = [row.title for row in bench_corpus.rows(corpus) if len(row.title) > 5]
    chosen = random.Random(7).sample(titles, QUERIES)
    return [title.lower()[:MOST_KEYS] for title in chosen]


def _typed(page: Page, holder: str, found: str, queries: list[str]) -> list[float]:
    page.locator(f"{holder} input[name=q]").first.focus()
    page.evaluate(WATCH, [holder, found])
    for query in queries:
        for key in query:
            _press(page, key)
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.wait_for_timeout(2 * DEBOUNCE)
    return [time - DEBOUNCE for time in page.evaluate("() => painted") if time > DEBOUNCE]


def _press(page: Page, key: str) -> None:
    before = page.evaluate("() => painted.length")
    page.keyboard.type(key)
    try:
        page.wait_for_function("before => painted.length > before", arg=before, timeout=PATIENCE)
    except Error:
        return


def _report(times: dict[str, list[float]], count: int) -> int:
    print(f"From key to paint, {count:,} articles, the pause of {DEBOUNCE} ms apart, ms:\n")
    print(f"{'':<8}{'keys':>6}{'p50':>8}{'p95':>8}{'at most':>9}")
    beyond = 0
    for name, found in times.items():
        cuts = quantiles(found, n=20)
        beyond += cuts[18] > AT_MOST
        print(f"{name:<8}{len(found):>6}{cuts[9]:>8.0f}{cuts[18]:>8.0f}{AT_MOST:>9}")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main())
