"""What a page says of itself: title, dates, authors and more, chosen among JSON-LD, <meta>, marks and headings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urljoin, urlsplit

from . import dates, json_ld
from .lines import key

# What the <meta> of each field is called: Open Graph, schema.org, Dublin Core, and the analytics of large sites.
META = {
    "title": ("og:title", "dc.title", "dcterms.title", "headline", "parsely-title", "twitter:title", "title"),
    "summary": ("og:description", "description", "twitter:description", "dc.description", "dcterms.description"),
    "section": ("article:section", "articlesection", "parsely-section", "section"),
    "published": (
        "article:published_time",
        "og:published_time",
        "og:article:published_time",
        "datepublished",
        "rnews:datepublished",
        "parsely-pub-date",
        "sailthru.date",
        "dc.date.issued",
        "dcterms.issued",
        "dc.date.created",
        "dcterms.created",
        "dc.date",
        "dcterms.date",
        "article_date_original",
        "originalpublicationdate",
        "publish-date",
        "publishdate",
        "publication_date",
        "pubdate",
        "date",
    ),
    "updated": ("article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "last-modified"),
    "image": ("og:image", "og:image:url", "twitter:image", "twitter:image:src", "thumbnail"),
    "language": ("og:locale", "content-language", "dc.language", "dcterms.language"),
    "site": ("og:site_name", "application-name", "apple-mobile-web-app-title", "twitter:site", "publisher"),
    "authors": (
        "article:author",
        "author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "byl",
    ),
    "tags": ("article:tag", "news_keywords", "parsely-tags", "keywords"),
}
# Between the parts of a <title>. The colon divides headlines too, so it does not cut.
_SEPARATOR = re.compile(r"\s+(?:[|\-–—·•»«>✩]|::|/{1,2})\s+|\s*\|\s*")
_BY = re.compile(r"^\s*by\s+", re.I)
_PEOPLE = re.compile(r"\s*[;,]\s*|\s+(?:and|&)\s+")
_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself."""

    tree: Any
    meta: Mapping[str, list[str]]
    ld: Mapping[str, Any]  # the JSON-LD object of the article

    @classmethod
    def of(cls, tree: Any) -> Page:
        return cls(tree, _meta(tree), json_ld.article(tree))

    def named(self, field: str) -> list[str]:
        """What the <meta> of a field hold, best first."""
        return [value for name in META[field] for value in self.meta.get(name, ())]

    def first(self, ld: str, field: str) -> str:
        """The JSON-LD property, else the best <meta>."""
        return next(iter([*json_ld.texts(self.ld.get(ld)), *self.named(field)]), "")

    def title(self) -> str:
        """What the newsroom says the headline is, else what two places of the page agree on.

        JSON-LD and Open Graph are written to be read by machines; a heading may be the site's name and <title> has it
        added. So a heading counts if <title> confirms it, and <title> counts without the name.
        """
        outer = next(filter(None, map(words, self.tree.xpath("//title[not(ancestor::svg)]"))), "")
        headings = [heading for heading in map(words, self.tree.xpath("//h1")) if heading]
        told = [
            self._without_site(text) for text in (*json_ld.texts(self.ld.get("headline")), *self.named("title")[:1])
        ]
        told = [text for text in told if text]
        shown = [key(text) for text in (outer, *headings)]
        agreed = [text for text in told if any(key(text) in other or (other and other in key(text)) for other in shown)]
        in_title = [text for text in map(self._without_site, headings) if text and key(text) in key(outer)]
        return next(iter([*agreed, *in_title, *told, *filter(None, [self._without_site(outer)]), *headings]), "")

    def sites(self) -> list[str]:
        """The names of the site."""
        publisher = self.ld.get("publisher")
        host = urlsplit(self.url() or "").hostname or ""
        names = [*self.named("site"), *(json_ld.texts(publisher.get("name")) if isinstance(publisher, Mapping) else ())]
        return [name for name in (*names, host.removeprefix("www.")) if key(name)]

    def _without_site(self, title: str) -> str:
        """The title without the name of the site before or behind it."""
        sites = [key(name) for name in self.sites()]
        parts = [(0, 0), *(found.span() for found in _SEPARATOR.finditer(title)), (len(title), len(title))]
        if len(parts) < 3:
            return "" if key(title) in sites else title
        for (_, start), (end, _) in (parts[-2:], parts[:2]):
            part = key(title[start:end])
            if part and any(part == site or (len(part) > 3 and (part in site or site in part)) for site in sites):
                kept = title[: parts[-2][0]] if end == len(title) else title[parts[1][1] :]
                return kept.strip()
        return title

    def url(self) -> str | None:
        """The page's own address."""
        links = self.tree.xpath("//link[@rel='canonical']/@href")
        main = self.ld.get("mainEntityOfPage")
        told = [*links, *self.meta.get("og:url", ()), *json_ld.texts(self.ld.get("url")), *json_ld.texts(main)]
        return next((url.strip() for url in told if url.strip().startswith(_WEB) and _is_url(url.strip())), None)

    def section(self) -> str | None:
        return self.first("articleSection", "section") or None

    def type(self) -> str | None:
        return next((json_ld.TYPES[kind] for kind in json_ld.kinds(self.ld) if json_ld.TYPES.get(kind)), None)

    def tags(self) -> list[str]:
        told = [*json_ld.texts(self.ld.get("keywords")), *self.meta.get("article:tag", ())] or self.named("tags")
        tags = [tag.strip() for text in told for tag in text.split(",")]
        return [tag for tag in dict.fromkeys(tags) if tag and len(tag) <= 100]

    def authors(self) -> list[str]:
        """Who wrote it. An address in place of a name, as Facebook once asked for, is none."""
        marked = "//*[@rel='author' or @itemprop='author' or contains(concat(' ', @class, ' '), ' byline ')]"
        for told in (
            json_ld.texts(self.ld.get("author")),
            self.named("authors"),
            [words(e) for e in self.tree.xpath(marked)[:3]],
        ):
            names = [name for text in told if len(text) < 200 for name in _PEOPLE.split(_BY.sub("", text))]
            if names := [name.strip() for name in names if _is_name(name)]:
                return list(dict.fromkeys(names))
        return []

    def date(self, ld: str, field: str, timezone: tzinfo) -> datetime | None:
        """The instant that the page says for machines."""
        marked = self.tree.xpath(f"//time[@itemprop='{ld}']/@datetime | //*[@itemprop='{ld}']/@content")
        if field == "published":
            marked += self.tree.xpath("//time[@pubdate]/@datetime | //*[contains(@class, 'dt-published')]/@datetime")
            marked += self.tree.xpath("//time[contains(@class, 'publish') or contains(@class, 'entry-date')]/@datetime")
        for text in (*json_ld.texts(self.ld.get(ld)), *self.named(field), *marked):
            if moment := _instant(text, timezone):
                return moment
        return None

    def strange_dates(self, timezone: tzinfo) -> list[str]:
        """What JSON-LD says of dates and is none."""
        told = [text for name in ("datePublished", "dateModified") for text in json_ld.texts(self.ld.get(name))]
        return [text for text in dict.fromkeys(told) if not _instant(text, timezone)]

    def language(self) -> str | None:
        told = [*json_ld.texts(self.ld.get("inLanguage")), *self.tree.xpath("/html/@lang"), *self.named("language")]
        tags = (text.strip().replace("_", "-") for text in told)
        return next((tag for tag in tags if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag)), None)

    def image(self) -> str | None:
        told = [*json_ld.texts(self.ld.get("image")), *self.named("image")]
        urls = (urljoin(self.url() or "", text) for text in told if _is_url(text))
        return next((url for url in urls if url.startswith(_WEB)), None)


def _meta(tree: Any) -> dict[str, list[str]]:
    """Every <meta> by its lower-case name: Open Graph writes `property`, schema.org `itemprop`."""
    meta: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        content = " ".join(element.get("content", "").split())
        # Several names may stand in one attribute, as RDFa has it.
        for name in " ".join(element.get(kind, "") for kind in ("property", "name", "itemprop", "http-equiv")).split():
            if content:
                meta.setdefault(name.lower(), []).append(content)
    return meta


def words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _is_name(text: str) -> bool:
    return bool(text.strip()) and not text.strip().startswith((*_WEB, "@", "www.")) and len(text.split()) <= 6


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text)) and urlsplit(text).port != 0
    except ValueError:
        return False


def _instant(text: str, timezone: tzinfo) -> datetime | None:
    """A date as pages write it for machines; also seconds or milliseconds since 1970."""
    if re.fullmatch(r"1\d{9}(\d{3})?", text):
        return datetime.fromtimestamp(int(text[:10]), UTC)
    return dates.parse(text, timezone)
