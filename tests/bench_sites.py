"""How fast feeds and sitemaps are read from a server on this machine: `python tests/bench_sites.py [PAGES]`.

Without the pause between two requests, which is what takes the time on any other machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from publisher import Publisher, publishing

from indexer import build
from indexer.fetch import Fetcher
from indexer.report import Report
from search.engines import connect

TEXT = " ".join(f"Sentence {n} of what the warden tells of the huts above the glacier." for n in range(40))
FEED_ENTRIES = 50


def page(number: int) -> str:
    title = f"The {number}th story of the valley"
    return f"<html lang=en><title>{title}</title><body><article><h1>{title}</h1><p>{number}</p><p>{TEXT}</p></article>"


def entry(number: int) -> str:
    return (
        f"<item><title>The {number}th story</title><link>{{site}}/story/{number}</link>"
        f"<description>{number}. {TEXT}</description></item>"
    )


def publish(site: Publisher, pages: int) -> tuple[list[str], list[str]]:
    """The addresses of a sitemap without dates and with them, and of feeds of as many articles."""
    for number in range(pages):
        site.put(f"/{number}", page(number), kind="text/html", ETag=f'"{number}"')
    sitemaps = [
        site.put(f"/{name}.xml", f"<urlset>{''.join(_listed(number, date) for number in range(pages))}</urlset>")
        for name, date in (("plain", ""), ("dated", "<lastmod>2025-08-06</lastmod>"))
    ]
    feeds = [site.put(f"/feed/{first}", _feed(first)) for first in range(0, pages, FEED_ENTRIES)]
    return sitemaps, feeds


def _listed(number: int, date: str) -> str:
    return f"<url><loc>{{site}}/{number}</loc>{date}</url>"


def _feed(first: int) -> str:
    return f"<rss><channel>{''.join(map(entry, range(first, first + FEED_ENTRIES)))}</channel></rss>"


def main(pages: int) -> None:
    with publishing() as site, tempfile.TemporaryDirectory() as folder:
        (plain, dated), feeds = publish(site, pages)
        with closing(connect(f"whoosh:{Path(folder) / 'index'}")) as engine, closing(_fetcher()) as fetcher:

            def run(paths: list[str]) -> Callable[[], Report]:
                return lambda: build.update(engine, paths, fetcher=fetcher)

            _timed("sitemap, every page fetched", run([plain]))
            _timed("again, every page asked for by its ETag", run([plain]))
            run([dated])()
            _timed("again, with the lastmod of before", run([dated]))
            _timed(f"feeds of {FEED_ENTRIES} articles with their text", run(feeds))


def _fetcher() -> Fetcher:
    return Fetcher(private=True, rate=1e9)


def _timed(what: str, work: Callable[[], Report]) -> None:
    begun = time.perf_counter()
    report = work()
    took = time.perf_counter() - begun
    print(f"{what}: {report.read:,} articles in {took:.1f} s, {report.read / took:,.0f} articles/s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
