"""An address of the web -> articles: a page, a feed, a file, or every page that a sitemap lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from indexer import sitemaps, sources
from indexer.fetch import Fetched, FetchError, without_secrets
from indexer.fetch.visits import Visit
from indexer.items import Item, Listing
from indexer.site import FEEDS, Site, as_before
from indexer.sources import Read, Refused, feed, sitemap
from indexer.sources.html import NO_ARTICLE
from indexer.sources.origin import NotAnArticle
from search import article
from search.article import canonical_url

_ALTERNATE = ("application/rss+xml", "application/atom+xml", "application/feed+json")


def read(site: Site, url: str) -> Iterator[Item]:
    """Every article of an address."""
    named = without_secrets(url)
    visit = None if site.afresh else site.visits.of(named)
    try:
        page = site.fetcher.get(url, visit.validators if visit else None)
    except FetchError as problem:
        yield Refused(named, None, str(problem), unread=problem.status != 410)
        yield site.gone(named) if problem.status == 410 else Listing(named, again=problem.again)
        return
    if page.data is None and visit:
        yield Listing(named, newest=visit.newest, again=page.fresh_for)
        yield as_before(visit)
        return
    data = page.data or b""
    if _is_sitemap(data, url):
        yield Listing(named, again=page.fresh_for)
        yield from sitemaps.read(site, named, data)
    elif sources.sniff(data[: sources.SNIFF]) in FEEDS:
        yield Listing(named, newest=True, again=max(page.fresh_for, feed.ttl(data)))
        yield from _feed(site, page, Visit(named, newest=True))
    else:
        for item in site.file(page, Visit(named)):
            yield _with_hint(site, item, page) if isinstance(item, Refused) else item


def _feed(site: Site, page: Fetched, visit: Visit) -> Iterator[Item]:
    now: dict[str, Visit] = {}
    for item in site.file(page, visit):
        if isinstance(item, Read) and item.article.url:
            link = canonical_url(item.article.url)
            given = ((item.article.id, article.digest(item.article)),)
            now[link] = Visit(link, articles=given, listed_by=visit.url)
        yield item
    yield from site.left_out(visit.url, set(now))
    for link, one in now.items():
        before = site.visits.of(link)
        if not before or before.listed_by in ("", visit.url):  # else a sitemap has it, and when it changed
            site.visits.add(one)


def _with_hint(site: Site, refused: Refused, page: Fetched) -> Refused:
    """Where the articles are, if this page is none and names a feed, or its site a sitemap."""
    if not refused.reason.startswith(NO_ARTICLE):
        return refused
    found = [*site.fetcher.sitemaps(page.url), *_feeds(page)]
    return replace(refused, reason=f"{refused.reason}; index {' or '.join(found[:3])}") if found else refused


def _is_sitemap(data: bytes, url: str) -> bool:
    try:
        plain = sitemap.unpacked(data)
    except NotAnArticle:
        return False
    is_named_so = urlsplit(url).path.endswith((".txt", ".txt.gz"))
    return sources.sniff(plain[: sources.SNIFF]) is sitemap.read or (is_named_so and sitemap.is_text(plain))


def _feeds(page: Fetched) -> list[str]:
    """The feeds that a page names."""
    try:
        tree = lxml_html.document_fromstring(page.data or b"", parser=lxml_html.HTMLParser())
    except (etree.ParserError, ValueError):
        return []
    links = (link for link in tree.iter("link") if "alternate" in link.get("rel", "").lower().split())
    return [
        urljoin(page.url, link.get("href", "")) for link in links if link.get("type", "").lower().strip() in _ALTERNATE
    ]
