"""Read feeds: RSS, RDF and Atom by feedparser, as articles with their text or as teasers without it."""

from __future__ import annotations

import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from email.utils import parseaddr
from typing import Any, BinaryIO

import feedparser

from . import dates, markup
from .origin import NotAnArticle, Origin, Read, Refused, load, people

TEASER = 100  # words; WordPress cuts at 55, and what is longer is the text of feeds that have nothing but descriptions
TEASERS = "a teaser without its text, as the feed has it (index the sitemap for the whole text)"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TTL = re.compile(rb"<ttl>\s*(\d{1,5})\s*</ttl>", re.I)
_HEAD = 16 * 1024  # bytes before the first entry
_WEB = ("http://", "https://")
# What feedparser finds amiss and reads none the worse for.
_HARMLESS = (feedparser.NonXMLContentType, feedparser.CharacterEncodingOverride)
_PICTURES = ("image", "")  # what a media:content without a medium and a type is, is told by nothing else


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every entry of a feed."""
    try:
        yield from _entries(load(stream), replace(origin, shared=True))
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def ttl(data: bytes) -> float:
    """Seconds for which a feed need not be asked again, as it says itself."""
    found = _TTL.search(data[:_HEAD])
    return float(found[1]) * 60 if found else 0.0


def texts(summary: str, content: str) -> dict[str, Any]:
    """The summary, the text and its headings, of what an entry has as HTML under these names."""
    body, subheads = markup.paragraphs(content)
    if not body:
        body, subheads = markup.paragraphs(summary)
        if len(body.split()) <= TEASER:
            return {"summary": " ".join(body.split())}
        return {"body": body, "subheads": subheads}
    teaser = markup.line(summary)
    if teaser == " ".join(body.split()) or len(teaser.split()) > TEASER:  # the text again
        teaser = ""
    return {"summary": teaser, "body": body, "subheads": subheads}


def entry(fields: Mapping[str, Any], notes: list[str], origin: Origin) -> Read | Refused:
    """What an entry of a feed is."""
    is_teaser = not fields.get("body")
    if is_teaser and not fields.get("title"):
        # A summary alone is no article; a note without a headline has it for its text.
        fields, is_teaser = {**fields, "body": fields.get("summary"), "summary": None}, False
    try:
        read = origin.article(fields, [*notes, TEASERS] if is_teaser else notes)
    except NotAnArticle as refusal:
        where = fields.get("url") or fields.get("id") or fields.get("title")
        return Refused(origin.file, None, f"entry {where}: {refusal}" if where else f"an entry: {refusal}")
    return replace(read, is_teaser=is_teaser)


def _entries(data: bytes, origin: Origin) -> Iterator[Read | Refused]:
    # A stream, since feedparser takes bytes for an address first; without leading space, which XML forbids and sites
    # send. What is embedded becomes text, so nothing in it is cleaned or made absolute before.
    feed = feedparser.parse(
        io.BytesIO(data.lstrip()),
        response_headers={"content-location": origin.url} if origin.url else None,
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    broken = feed.bozo and not isinstance(feed.bozo_exception, _HARMLESS)
    if not feed.entries:
        raise NotAnArticle(_why_empty(feed, broken))
    notes = [f"not well-formed, read as far as it goes: {_said(feed.bozo_exception)}"] if broken else []
    for found in feed.entries:
        if found.get("app_draft") == "yes":
            yield Refused(origin.file, None, f"entry {found.get('link') or found.get('title')}: a draft")
            continue
        strange = [
            f"date {text!r} not understood"
            for name in ("published", "updated")
            if (text := _own(found, name)) and not _date(found, name, origin.timezone)
        ]
        yield entry(_fields(found, feed, origin.timezone), [*notes, *strange], origin)


def _why_empty(feed: Any, broken: bool) -> str:
    if broken:
        return f"no feed that can be read: {_said(feed.bozo_exception)}"
    return "a feed without entries" if feed.version else "no feed: it has neither entries nor a known root"


def _said(error: Exception) -> str:
    return " ".join(str(getattr(error, "getMessage", lambda: error)()).split())


def _fields(found: Any, feed: Any, timezone: tzinfo) -> dict[str, Any]:
    contents = [_html(part) for part in found.get("content", ()) if _is_text(part)]
    summary = _html(found["summary_detail"] if "summary_detail" in found else {"value": found.get("summary", "")})
    title = found.get("title_detail")
    url = next((url for url in (found.get("feedburner_origlink"), found.get("link")) if _is_web(url)), None)
    return {
        **texts(summary, max(contents, key=len, default="")),
        "url": url,
        "id": None if url else found.get("id"),  # so that a page and its entry are one article
        "title": markup.line(_html(title)) if title else "",
        "section": _section(found),
        "authors": _authors(found, feed),
        "tags": [
            tag for tag in (str(tag.get("label") or tag.get("term") or "") for tag in found.get("tags", ())) if tag
        ],
        "published": _date(found, "published", timezone) or _date(found, "updated", timezone),
        "updated": _date(found, "updated", timezone),
        "language": _language(found, feed),
        "image": _image(found),
    }


def _authors(found: Any, feed: Any) -> list[str]:
    """Those of the entry; in Atom those of the feed are meant where it has none (RFC 4287, 4.2.1)."""
    told = found if "authors" in found or not feed.version.startswith("atom") else feed.feed
    authors = told.get("authors", ())
    if len(authors) == 1 and "@" in told.get("author", ""):
        # RSS has `desk@post.media (Ana Lima)`, of which feedparser knows only the oldest top-level domains.
        return people(parseaddr(told["author"])[0])
    return [name for author in authors for name in people(str(author.get("name") or ""))]


def _own(found: Any, name: str) -> Any:
    """What the entry itself has: feedparser answers for an `updated` that is not there with `published`."""
    return dict.get(found, name)


def _date(found: Any, name: str, timezone: tzinfo) -> datetime | None:
    """As we read dates, in the zone of the settings where it has none; else as feedparser does, which knows more."""
    written = _own(found, name)
    if written and (moment := dates.parse(str(written), timezone)):
        return moment
    told = _own(found, f"{name}_parsed")
    try:
        return datetime.fromtimestamp(timegm(told), UTC) if told else None
    except (ValueError, OverflowError):  # no year of ours
        return None


def _is_text(part: Mapping[str, Any]) -> bool:
    kind = str(part.get("type") or "text/")
    return kind.startswith("text/") or "html" in kind


def _html(detail: Mapping[str, Any]) -> str:
    """The value as HTML: what is plain text has no markup in it, whatever it looks like."""
    value = str(detail.get("value") or "")
    if str(detail.get("type") or "").endswith("plain"):
        return value.replace("&", "&amp;").replace("<", "&lt;")
    return value


def _is_web(url: Any) -> bool:
    return isinstance(url, str) and url.lower().startswith(_WEB)


def _section(found: Any) -> str | None:
    """A section that is called one: which of the categories is the section nobody can tell."""
    marked = (tag.get("label") or tag.get("term") for tag in found.get("tags", ()) if _is_section(tag.get("scheme")))
    return next(filter(None, (found.get("prism_section"), *marked)), None)


def _is_section(scheme: Any) -> bool:
    return str(scheme or "").rstrip("/#").lower().endswith(("section", "sections"))


def _language(found: Any, feed: Any) -> str | None:
    told = (
        *(part.get("language") for part in found.get("content", ())),
        found.get("language"),
        feed.feed.get("language"),
    )
    return next((text for text in told if text and LANGUAGE.fullmatch(text)), None)


def _image(found: Any) -> str | None:
    media = (m.get("url") for m in found.get("media_content", ()) if _kind(m) in _PICTURES)
    enclosed = (link.get("href") for link in found.get("enclosures", ()) if _kind(link) == "image")
    own = (found["image"].get("href"),) if "image" in found else ()
    thumbnails = (m.get("url") for m in found.get("media_thumbnail", ()))
    return next(filter(_is_web, (*media, *enclosed, *own, *thumbnails)), None)


def _kind(media: Mapping[str, Any]) -> str:
    return str(media.get("medium") or str(media.get("type") or "").split("/")[0]).lower()
