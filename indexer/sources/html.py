"""Read saved pages: the text by trafilatura, the rest from JSON-LD, Open Graph and what else a page says of itself."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import unescape
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import htmldate
import trafilatura
from lxml import etree
from lxml import html as lxml_html

from . import dates
from .origin import NotAnArticle, Origin, Read, Refused, load

# They warn of each page without an article, which is said here as a refusal.
for _library in ("trafilatura", "htmldate"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

# schema.org: every kind of article, by what it means to a reader.
TYPES = {
    "NewsArticle": "news",
    "ReportageNewsArticle": "news",
    "BackgroundNewsArticle": "news",
    "AnalysisNewsArticle": "analysis",
    "AskPublicNewsArticle": "news",
    "OpinionNewsArticle": "opinion",
    "ReviewNewsArticle": "review",
    "Review": "review",
    "LiveBlogPosting": "live",
    "BlogPosting": "blog",
    "SatiricalArticle": "satire",
    "AdvertiserContentArticle": "advertising",
    "ScholarlyArticle": "scholarly",
    "TechArticle": None,
    "Report": None,
    "Article": None,
}
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
# Letters, since not every script has spaces between words, of what is no link: a sentence. A page with less, and
# without a headline of its own, is a menu, a wall or an error; with a headline three words are something to find.
FEWEST = 60
FEWEST_WITH_HEADLINE = 9
CARD = 80  # words: a linked heading with its teaser, date and author
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NO_ARTICLE = re.compile(
    r"(?:error )?(?:40[0-9]|50[0-9])\b.{0,40}|(?:page |file )?not found|access denied|forbidden|just a moment\W*"
    r"|attention required!?|are you a robot\??|log ?in|sign ?in|redirecting\W*|page unavailable",
    re.I,
)
# Between the parts of a <title>. The colon divides headlines too, so it does not cut.
_SEPARATOR = re.compile(r"\s+(?:[|\-–—·•»«>✩]|::|/{1,2})\s+|\s*\|\s*")
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_XML = re.compile(r"^\s*<\?xml[^>]*\?>")
_BY = re.compile(r"^\s*by\s+", re.I)
_PEOPLE = re.compile(r"\s*[;,]\s*|\s+(?:and|&)\s+")
_WEB = ("http://", "https://")


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a page."""
    try:
        yield _article(load(stream), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def _article(data: bytes, origin: Origin) -> Read:
    tree = _tree(_decode(data))
    page = Page(tree, _meta(tree), _json_ld(tree))
    title = page.title()
    body, subheads = _text(tree)
    if not page.is_article(title, body):
        raise NotAnArticle("no article found in this page")
    notes = [f"date {text!r} not understood" for text in page.strange_dates(origin.timezone)]
    published = page.date("datePublished", "published", origin.timezone)
    if published is None and (published := _written_date(tree, origin.timezone)):
        notes.append(
            f"published {published:%Y-%m-%d} found in the address or the text of the page, not in its metadata"
        )
    blocks = body.split("\n\n")
    if title and _key(blocks[0]) == _key(title):
        body = "\n\n".join(blocks[1:])
    fields = {
        "url": page.url(),
        "title": title,
        "summary": page.first("description", "summary"),
        "body": body,
        "subheads": [head for head in subheads if _key(head) != _key(title)],
        "section": page.section(),
        "authors": page.authors(),
        "tags": page.tags(),
        "type": page.type(),
        "published": published,
        "updated": page.date("dateModified", "updated", origin.timezone),
        "language": page.language(),
        "image": page.image(),
    }
    return origin.article(fields, notes)


def _decode(data: bytes) -> str:
    """The text of a page: by its mark, as UTF-8 if it is that, by what it declares, and then as browsers do."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data.count(b"\0") > len(data) // 100:
        raise NotAnArticle("a binary file, not a page")
    declared = _CHARSET.search(data[:4096])
    # UTF-8 first: no other text of some length happens to be UTF-8, while declarations are often left over.
    for encoding in ("utf-8-sig", declared[1].decode() if declared else "", "windows-1252"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("utf-8", "replace")


def _tree(text: str) -> Any:
    text = _XML.sub("", text.replace("\0", ""))
    try:
        # 2,000 levels and more: lxml's own limit is 256, what follows walks trees without recursion.
        tree = lxml_html.document_fromstring(text.encode("utf-8", "replace"), parser=_parser())
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise NotAnArticle(f"no article found in this page: {error}") from None
    return tree


def _parser() -> Any:
    return lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)


def _text(tree: Any) -> tuple[str, list[str]]:
    """The paragraphs of the article, and its subheads, which stand in the text too."""
    shown = _without_hidden(tree)
    for candidate in (shown, tree):
        found = _extracted(candidate)
        if found is not None and len(_key(found.text or "")) >= FEWEST:
            break
    if found is None or not found.text:
        return "", []
    lines = [" ".join(line.split()) for line in found.text.splitlines()]
    heads = [
        " ".join(" ".join(head.itertext()).split()) for head in found.body.iter("head") if head.get("rend") != "h1"
    ]
    return "\n\n".join(filter(None, lines)), [head for head in heads if head]


def _without_hidden(tree: Any) -> Any:
    """The tree without what the page itself hides: no reader sees it."""
    copy = lxml_html.document_fromstring(etree.tostring(tree, encoding="utf-8", method="html"), parser=_parser())
    for element in copy.xpath("//body//*[@hidden or @style]"):
        if (
            element.get("hidden") is not None or _HIDDEN.search(element.get("style", ""))
        ) and element.getparent() is not None:
            element.drop_tree()
    return copy


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says of itself."""

    tree: Any
    meta: Mapping[str, list[str]]
    ld: Mapping[str, Any]  # the JSON-LD object of the article

    def named(self, field: str) -> list[str]:
        """What the <meta> of a field hold, best first."""
        return [value for name in META[field] for value in self.meta.get(name, ())]

    def first(self, ld: str, field: str) -> str:
        """The JSON-LD property, else the best <meta>."""
        return next(iter([*_texts(self.ld.get(ld)), *self.named(field)]), "")

    def title(self) -> str:
        """What the newsroom says the headline is, else what two places of the page agree on.

        JSON-LD and Open Graph are written to be read by machines; a heading may be the site's name and <title> has it
        added. So a heading counts if <title> confirms it, and <title> counts without the name.
        """
        outer = next(filter(None, map(_words, self.tree.xpath("//title[not(ancestor::svg)]"))), "")
        headings = [heading for heading in map(_words, self.tree.xpath("//h1")) if heading]
        told = [self._without_site(text) for text in (*_texts(self.ld.get("headline")), *self.named("title")[:1])]
        told = [text for text in told if text]
        shown = [_key(text) for text in (outer, *headings)]
        agreed = [
            text for text in told if any(_key(text) in other or (other and other in _key(text)) for other in shown)
        ]
        in_title = [text for text in map(self._without_site, headings) if text and _key(text) in _key(outer)]
        return next(iter([*agreed, *in_title, *told, *filter(None, [self._without_site(outer)]), *headings]), "")

    def is_article(self, title: str, body: str) -> bool:
        """Whether there is something to read here: not a menu, a wall or an error."""
        if _NO_ARTICLE.fullmatch(title):
            return False
        kinds = {*_kinds(self.ld), *self.meta.get("og:type", ())}
        if title and kinds & {*TYPES, "article"}:
            return True  # by its own word; the text may be behind a wall, the headline is to be found
        # The longest first: "Story 1" is part of "Story 10".
        links = sorted({key for key in map(_key, map(_words, self._links())) if key}, key=len, reverse=True)
        share = self._share(body, links)
        if share.is_listing or kinds & {"ProfilePage", "CollectionPage", "SearchResultsPage", "profile"}:
            return False
        if "website" in kinds and not share.prose:
            return False
        own = title if _key(title) not in map(_key, self._sites()) else ""
        return len(_without([*links, _key(title)], _key(body))) >= (FEWEST_WITH_HEADLINE if own else FEWEST)

    def _links(self) -> list[Any]:
        return list(self.tree.xpath("//a[@href and not(starts-with(@href, '#') or starts-with(@href, 'javascript:'))]"))

    def _share(self, body: str, links: list[str]) -> Share:
        """How much of the text is prose of its own, and how much leads elsewhere: links and the teasers of cards."""
        long = [link for link in links if len(link) >= 4]  # "a" is part of every word
        teasers = self._teasers()
        share = Share()
        for key in map(_key, body.split("\n\n")):
            left = _without(long, key)
            # A link with a name and a date behind it, and not a name that is a link in a short sentence.
            leads = len(left) < FEWEST and left != key and (key.startswith(tuple(long)) or 2 * len(left) <= len(key))
            if key in teasers or leads:
                share.lines += 1
                share.linked += len(key)
            elif len(key) >= FEWEST:
                share.prose += len(key)
            else:
                share.short += len(key)
        return share

    def _teasers(self) -> set[str]:
        """The texts beside headings that are links: of the cards of other articles."""
        teasers: set[str] = set()
        for heading in self.tree.iter(*_HEADINGS[1:]):
            links = [*heading.xpath(".//a[@href and not(contains(@href, '#'))]"), *heading.xpath("ancestor::a[@href]")]
            if not any(_key(_words(heading)) in _key(_words(link)) for link in links):
                continue
            card = heading
            for above in islice(heading.iterancestors(), 6):
                if len(list(islice(above.iter(*_HEADINGS), 2))) > 1:
                    break
                card = above
            # Longer ones are articles of a list of them, or the one of a page whose headline links to itself.
            if len(_words(card).split()) <= CARD:
                teasers |= {_key(_words(part)) for part in card.iter("p", "div", "span", "time", "a")}
        return teasers - {""}

    def _sites(self) -> list[str]:
        publisher = self.ld.get("publisher")
        host = urlsplit(self.url() or "").hostname or ""
        names = [*self.named("site"), *(_texts(publisher.get("name")) if isinstance(publisher, Mapping) else ())]
        return [name for name in (*names, host.removeprefix("www.")) if _key(name)]

    def _without_site(self, title: str) -> str:
        """The title without the name of the site before or behind it."""
        sites = [_key(name) for name in self._sites()]
        parts = [(0, 0), *(found.span() for found in _SEPARATOR.finditer(title)), (len(title), len(title))]
        if len(parts) < 3:
            return "" if _key(title) in sites else title
        for (_, start), (end, _) in (parts[-2:], parts[:2]):
            part = _key(title[start:end])
            if part and any(part == site or (len(part) > 3 and (part in site or site in part)) for site in sites):
                kept = title[: parts[-2][0]] if end == len(title) else title[parts[1][1] :]
                return kept.strip()
        return title

    def url(self) -> str | None:
        """The page's own address."""
        links = self.tree.xpath("//link[@rel='canonical']/@href")
        main = self.ld.get("mainEntityOfPage")
        told = [*links, *self.meta.get("og:url", ()), *_texts(self.ld.get("url")), *_texts(main)]
        return next((url.strip() for url in told if url.strip().startswith(_WEB) and _is_url(url.strip())), None)

    def section(self) -> str | None:
        return self.first("articleSection", "section") or None

    def type(self) -> str | None:
        return next((TYPES[kind] for kind in _kinds(self.ld) if TYPES.get(kind)), None)

    def tags(self) -> list[str]:
        told = [*_texts(self.ld.get("keywords")), *self.meta.get("article:tag", ())] or self.named("tags")
        tags = [tag.strip() for text in told for tag in text.split(",")]
        return [tag for tag in dict.fromkeys(tags) if tag and len(tag) <= 100]

    def authors(self) -> list[str]:
        """Who wrote it. An address in place of a name, as Facebook once asked for, is none."""
        marked = "//*[@rel='author' or @itemprop='author' or contains(concat(' ', @class, ' '), ' byline ')]"
        for told in (
            _texts(self.ld.get("author")),
            self.named("authors"),
            [_words(e) for e in self.tree.xpath(marked)[:3]],
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
        for text in (*_texts(self.ld.get(ld)), *self.named(field), *marked):
            if moment := _instant(text, timezone):
                return moment
        return None

    def strange_dates(self, timezone: tzinfo) -> list[str]:
        """What JSON-LD says of dates and is none."""
        told = [text for name in ("datePublished", "dateModified") for text in _texts(self.ld.get(name))]
        return [text for text in dict.fromkeys(told) if not _instant(text, timezone)]

    def language(self) -> str | None:
        told = [*_texts(self.ld.get("inLanguage")), *self.tree.xpath("/html/@lang"), *self.named("language")]
        tags = (text.strip().replace("_", "-") for text in told)
        return next((tag for tag in tags if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag)), None)

    def image(self) -> str | None:
        told = [*_texts(self.ld.get("image")), *self.named("image")]
        urls = (urljoin(self.url() or "", text) for text in told if _is_url(text))
        return next((url for url in urls if url.startswith(_WEB)), None)


@dataclass(slots=True)
class Share:
    """Letters of a text by what their lines are."""

    prose: int = 0
    linked: int = 0
    short: int = 0
    lines: int = 0  # how many are links and teasers

    @property
    def is_listing(self) -> bool:
        """More than the links below an article: of 188 judged pages one, a line of text under a podcast, is refused."""
        return self.lines >= 5 and self.linked > 2 * self.prose and self.linked > self.short


def _without(links: Iterable[str], text: str) -> str:
    for link in links:
        text = text.replace(link, "") if link else text
    return text


def _extracted(tree: Any) -> Any:
    try:
        return trafilatura.bare_extraction(tree, include_comments=False, favor_recall=True, with_metadata=False)
    except Exception as error:  # whatever a page does to the library, the next page is read
        raise NotAnArticle(f"no article found in this page: {type(error).__name__}: {error}") from None


def _written_date(tree: Any, timezone: tzinfo) -> datetime | None:
    """The day as the address or the text tells it."""
    try:
        return dates.parse(htmldate.find_date(tree, original_date=True, extensive_search=False) or "", timezone)
    except Exception:  # as above; a page without a date is still a page
        return None


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


def _json_ld(tree: Any) -> Mapping[str, Any]:
    """The article among the JSON-LD objects of a page, else the page among them, else nothing."""
    nodes: list[Mapping[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "").lower():
            nodes += _nodes(_loads(script.text or ""))
    articles = [node for node in nodes if TYPES.keys() & set(_kinds(node))]
    pages = [node for node in nodes if any(kind.endswith("Page") for kind in _kinds(node))]
    # Teasers of other articles are articles too: the page's own is the one that has most to say.
    return max(articles or pages, key=lambda node: len(node.keys() & _OWN), default={})


_OWN = {"headline", "datePublished", "dateModified", "author", "publisher", "mainEntityOfPage", "articleBody", "image"}


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object that stands for itself: in a list, in an `@graph`, as the subject of a page."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += reversed(value)
        elif isinstance(value, Mapping):
            yield value
            stack += [value[name] for name in ("mainEntity", "@graph") if isinstance(value.get(name), list | Mapping)]


def _loads(text: str) -> Any:
    """JSON as pages have it: in comments, with line breaks in texts, commas too many; of what is worse, the texts."""
    text = _WRAPPING.sub("", text).strip(" \t\r\n;/")
    for attempt in (text, _COMMA.sub(r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    found = {name: _unescape(value) for name, value in reversed(_PAIR.findall(text)) if name in _OWN | {"@type"}}
    return found if found.keys() & {"headline", "datePublished"} else None


_WRAPPING = re.compile(r"<!--|-->|/\*\s*<!\[CDATA\[\s*\*/|/\*\s*\]\]>\s*\*/|(?://)?<!\[CDATA\[|(?://)?\]\]>")
_COMMA = re.compile(r",\s*([}\]])")
_PAIR = re.compile(r'"(@?\w+)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _kinds(node: Mapping[str, Any]) -> list[str]:
    return [kind.rsplit("/", 1)[-1] for kind in _texts(node.get("@type"))]


def _texts(value: Any) -> list[str]:
    """The texts of a property: itself, those of a list, the name of a person or the address of an image."""
    if isinstance(value, str):
        text = " ".join(_words_of(value).split())
        return [text] if text else []
    if isinstance(value, list):
        return [text for item in value if not isinstance(item, list) for text in _texts(item)]
    if isinstance(value, Mapping):
        return next((texts for name in ("name", "url", "@id", "@value") if (texts := _texts(value.get(name)))), [])
    return [str(value)] if isinstance(value, int) and not isinstance(value, bool) else []


def _words_of(text: str) -> str:
    """JSON-LD is written by the templates that write the page: its texts may be escaped for it."""
    return unescape(text) if "&" in text else text


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _key(text: str) -> str:
    """What two spellings of the same title have in common: their letters and digits."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


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
