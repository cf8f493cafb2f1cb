"""Read what a sitemap lists: pages with what it says of them, or other sitemaps (https://www.sitemaps.org/protocol.html)."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from lxml import etree

from .origin import NotAnArticle, Origin, Refused, decode

LARGEST = 50 * 2**20  # bytes, unpacked: the protocol's own limit
GZIP = b"\x1f\x8b"
_ADDRESS = re.compile(r"https?://\S+", re.I)
_ROOTS = {"urlset": "url", "sitemapindex": "sitemap"}
# What a news sitemap says, as the fields of an article (https://www.google.com/schemas/sitemap-news/0.9).
_NEWS = {"title": "title", "publication_date": "published", "language": "language", "keywords": "tags"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, or another sitemap."""

    url: str
    is_sitemap: bool = False
    changed: str | None = None  # its `lastmod`, as written: told from another one, and no more
    news: Mapping[str, Any] = field(default_factory=dict)  # fields of the article


def read(stream: BinaryIO, origin: Origin) -> Iterator[Refused]:
    """A sitemap as a file holds no article: its pages lie on the site."""
    del stream
    yield Refused(origin.file, None, "a sitemap lists pages and holds none: index its address instead (https://...)")


def entries(data: bytes) -> list[Entry]:
    """What a sitemap lists, in order.

    Raises:
        NotAnArticle: where it is none.
    """
    data = unpacked(data)
    found = _listed(data) if data.lstrip().startswith(b"<") else _lines(data)
    if not found:
        raise NotAnArticle("a sitemap without pages")
    return found


def is_text(data: bytes) -> bool:
    """Whether each of its lines is an address: the sitemap that is a text file."""
    try:
        lines = decode(data).split("\n")
    except NotAnArticle:
        return False
    return any(lines) and all(_ADDRESS.fullmatch(line.strip()) for line in lines if line.strip())


def unpacked(data: bytes) -> bytes:
    """What a .gz holds; anything else as it is."""
    if not data.startswith(GZIP):
        return data
    try:
        plain = gzip.GzipFile(fileobj=io.BytesIO(data)).read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotAnArticle(f"broken gzip: {error}") from None
    if len(plain) > LARGEST:
        raise NotAnArticle(f"larger than {LARGEST // 2**20} MiB unpacked, which no sitemap may be")
    return plain


def _lines(data: bytes) -> list[Entry]:
    if not is_text(data):
        raise NotAnArticle("no sitemap: neither XML nor one address a line")
    return [Entry(line.strip()) for line in decode(data).split("\n") if line.strip()]


def _listed(data: bytes) -> list[Entry]:
    """By local names: namespaces of sitemaps are often wrong, and nobody minds."""
    found: list[Entry] = []
    # Strictly: of a sitemap that breaks off nobody knows which pages it would still have named. Entities stay
    # unresolved and nothing is fetched: a sitemap is whatever a stranger sends.
    events = etree.iterparse(
        io.BytesIO(data.lstrip()),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    try:
        for _, element in events:
            name = _name(element)
            if name not in _ROOTS.values():
                continue
            if entry := _entry(element, is_sitemap=name == "sitemap"):
                found.append(entry)
            element.clear()
    except etree.XMLSyntaxError as error:
        raise NotAnArticle(f"no sitemap that can be read: {error}") from None
    if events.root is None or _name(events.root) not in _ROOTS:
        raise NotAnArticle("no sitemap: its root is neither urlset nor sitemapindex")
    return found


def _entry(element: Any, *, is_sitemap: bool) -> Entry | None:
    told = {_name(child): _text(child) for child in element}
    url = told.get("loc") or _text(element)  # seen without <loc>, in a collection of sitemaps that crawlers met
    if not _ADDRESS.fullmatch(url):
        return None
    news: dict[str, Any] = {}
    for child in element:
        if _name(child) == "news":
            told_news = {_name(part): _text(part) for part in child.iter()}
            news = {field: told_news[name] for name, field in _NEWS.items() if told_news.get(name)}
    if "tags" in news:
        news["tags"] = [tag for tag in (tag.strip() for tag in news["tags"].split(",")) if tag]
    return Entry(url, is_sitemap, told.get("lastmod") or None, news)


def _name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _text(element: Any) -> str:
    return (element.text or "").strip()
