"""What is fetched from the web -> articles, and what is remembered of it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from indexer import sources
from indexer.fetch import Fetched, Fetcher, FetchError
from indexer.fetch.visits import MOST, Visit, Visits
from indexer.items import Gone, Item, Known, Remark
from indexer.sources import Names, Origin, Read, Refused, feed, json_feed
from search import article

MOST_CHECKED = 100  # pages left out of a list that are looked at in one run, at one a second; the others in the next
MISSING = "left out of the list, and not found when asked twice: kept (take it down, or index the sitemap with --prune)"
# By what the server says, where it says something: .xml and .json are told by their content, and are no text.
SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/json": ".json",
    "application/feed+json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/rdf+xml": ".xml",
}
FEEDS = (feed.read, json_feed.read)


@dataclass(frozen=True, slots=True)
class Site:
    """How addresses are read."""

    fetcher: Fetcher
    visits: Visits
    section: str | None = None
    timezone: tzinfo = UTC
    mapping: Names | None = None
    afresh: bool = False  # also what is as it was

    def file(self, page: Fetched, visit: Visit, told: Mapping[str, Any] | None = None) -> Iterator[Read | Refused]:
        """The articles of what was fetched, of which `told` is known; the visit is remembered."""
        name = urlsplit(page.url).path.lstrip("/")
        origin = Origin(
            visit.url,
            name,
            self.section,
            self.timezone,
            url=page.url,
            mapping=self.mapping,
            told=told or {},
            root=urlsplit(page.url).netloc,
        )
        given: list[tuple[str, str]] = []
        refusals: list[str] = []
        for item in _items(page, _suffix(page, name), origin):
            if isinstance(item, Refused):
                refusals.append(item.reason)
            elif len(given) <= MOST:
                given.append((item.article.id, article.digest(item.article)))
            yield item
        if len(given) <= MOST and len(refusals) <= (not given):  # else it is read anew each time, to be said again
            visit = replace(visit, articles=tuple(given), refusal="".join(refusals))
            self.visits.add(replace(visit, validators=page.validators))

    def left_out(self, url: str, listed: set[str]) -> Iterator[Item]:
        """Look at the pages that a list named before and names no longer: 410 removes, anything else does not."""
        left = [visit for visit in self.visits.listed_by(url) if visit.url not in listed]
        for visit in left[:MOST_CHECKED]:
            try:
                self.fetcher.get(visit.url, visit.validators)
            except FetchError as problem:
                if problem.status == 410:
                    yield self.gone(visit.url)
                    continue
                if problem.status != 404:
                    continue  # and asked again in the next run
                if not visit.missing:
                    self.visits.add(replace(visit, missing=1))
                    continue
                yield Remark(visit.url, MISSING)
            self.visits.add(replace(visit, listed_by="", missing=0))

    def gone(self, url: str) -> Gone:
        """What an address gave, which the site says is gone for good."""
        visit = self.visits.of(url)
        self.visits.forget(url)
        return Gone(url, visit.ids if visit else (article.make_id(url),))


def _items(page: Fetched, suffix: str, origin: Origin) -> Iterator[Read | Refused]:
    try:
        yield from sources.read_stream(nullcontext(io.BytesIO(page.data or b"")), suffix, origin)
    except OSError as error:  # a damaged archive
        yield sources.files.unreadable(origin.file, error)


def _suffix(page: Fetched, name: str) -> str:
    """The suffix whose reader is meant; none where the content decides, as it does of feeds, whatever they are."""
    if sources.sniff((page.data or b"")[: sources.SNIFF]) in FEEDS:
        return ""
    suffix = SUFFIXES.get(page.type) or PurePosixPath(name).suffix.lower()
    return suffix if suffix in (*sources.READERS, ".xml", ".json") else ""


def as_before(visit: Visit) -> Refused | Known:
    """What a visit gave, of an address where nothing has changed."""
    return Refused(visit.url, None, visit.refusal) if visit.refusal else Known(visit.url, visit.ids)
