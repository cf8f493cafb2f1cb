"""The pages that a sitemap lists, and the sitemaps that it lists: what may have changed is fetched, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from indexer.fetch import FetchError
from indexer.fetch.visits import Visit
from indexer.items import Item, Known, Listing
from indexer.site import Site, as_before
from indexer.sources import Refused, sitemap
from indexer.sources.origin import NotAnArticle
from search.article import canonical_url

DEEPEST = 3  # indexes of indexes of sitemaps; the protocol allows one
MOST_SITEMAPS = 10_000  # of one address: two a day for fourteen years


@dataclass(frozen=True, slots=True)
class _Walk:
    """The way through the sitemaps of one address."""

    site: Site
    url: str
    depth: int = 0
    entered: set[str] = field(default_factory=set)
    named: dict[str, set[str]] = field(default_factory=dict)  # by host, the sitemaps that its robots.txt names


def read(site: Site, url: str, data: bytes) -> Iterator[Item]:
    """Every article of a sitemap."""
    return _entries(_Walk(site, url, entered={url}), url, data)


def _entries(walk: _Walk, url: str, data: bytes) -> Iterator[Item]:
    try:
        entries = sitemap.entries(data)
    except NotAnArticle as refusal:
        yield Refused(url, None, str(refusal), unread=True)
        return
    pages = {entry.url for entry in entries if not entry.is_sitemap}
    yield Listing(walk.url, pages=len(pages))
    for entry in entries:
        if entry.is_sitemap:
            yield from _below(walk, entry)
        elif _may_list(walk, url, entry.url):
            yield from _page(walk.site, url, entry)
        else:
            reason = f"{url} lists it, and its own site does not name that sitemap in robots.txt"
            yield Refused(entry.url, None, reason)
    if pages:
        yield from walk.site.left_out(url, pages)


def _below(walk: _Walk, entry: sitemap.Entry) -> Iterator[Item]:
    """A sitemap that an index lists."""
    site = walk.site
    if entry.url in walk.entered:
        return
    walk.entered.add(entry.url)
    if walk.depth == DEEPEST or len(walk.entered) > MOST_SITEMAPS:
        bound = f"more than {DEEPEST} deep" if walk.depth == DEEPEST else f"more than {MOST_SITEMAPS:,} sitemaps"
        yield Refused(entry.url, None, f"{bound}: index it by itself", unread=True)
        return
    known = _unchanged(site, entry)
    if known is not None:
        yield Listing(walk.url, pages=len(known))
        for visit in known:
            yield as_before(visit)
        return
    try:
        data = site.fetcher.get(entry.url).data or b""
    except FetchError as problem:
        yield Refused(entry.url, None, str(problem), unread=True)
        return
    is_complete = True
    for item in _entries(replace(walk, depth=walk.depth + 1), entry.url, data):
        is_complete = is_complete and not (isinstance(item, Refused) and site.visits.of(item.file) is None)
        yield item
    if is_complete and entry.changed:
        site.visits.add(Visit(entry.url, changed=entry.changed))


def _unchanged(site: Site, entry: sitemap.Entry) -> list[Visit] | None:
    """The visits of the pages of a sitemap that has not changed since all of them were read."""
    visit = site.visits.of(entry.url) if entry.changed and not site.afresh else None
    if not visit or visit.changed != entry.changed:
        return None
    listed = site.visits.listed_by(entry.url)
    return listed if all(site.visits.of(one.url) and not one.missing for one in listed) else None


def _page(site: Site, listed_by: str, entry: sitemap.Entry) -> Iterator[Item]:
    """A page that a sitemap lists: fetched if it may have changed."""
    before = site.visits.of(entry.url)
    visit = None if site.afresh else before
    changed = entry.changed or ""
    if visit and changed and visit.changed == changed:
        site.visits.add(replace(visit, listed_by=listed_by, missing=0))
        yield as_before(visit)
        return
    try:
        page = site.fetcher.get(entry.url, visit.validators if visit else None)
    except FetchError as problem:
        if problem.status == 410:
            yield site.gone(entry.url)
            return
        # Not there now: what it gave before stays, and is not taken for gone.
        yield Refused(entry.url, None, str(problem), unread=not before and problem.status != 404)
        if before:
            yield Known(entry.url, before.ids)
        return
    if page.data is None and visit:
        site.visits.add(replace(visit, changed=changed, listed_by=listed_by, missing=0))
        yield as_before(visit)
    else:
        yield from site.file(page, Visit(entry.url, changed=changed, listed_by=listed_by), entry.news)


def _may_list(walk: _Walk, url: str, page: str) -> bool:
    """Whether a sitemap may name this page: of its own host and those below it, else if robots.txt there names it.

    So the protocol has it: https://www.sitemaps.org/protocol.html#sitemaps_cross_submits
    """
    own, other = _host(url), _host(page)
    if other == own or other.endswith(f".{own}"):
        return True
    if other not in walk.named:
        walk.named[other] = {canonical_url(named) for named in walk.site.fetcher.sitemaps(page)}
    return bool(walk.named[other] & {canonical_url(walk.url), canonical_url(url)})


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
