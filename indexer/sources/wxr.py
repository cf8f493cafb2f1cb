"""Read the export of WordPress (WXR): the posts and pages that are published, whatever the length of the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import chain
from typing import Any, BinaryIO

from . import dates, entries, feed, markup, shortcodes
from .origin import NotAnArticle, Origin, Read, Refused, seekable
from .xml_stream import chunks, elements, inner, local

# Told from other RSS by the namespace that its versions 1.0 to 1.2 declare.
MARK = re.compile(rb"<rss\b[^>]*\bxmlns:wp\s*=\s*[\"']https?://wordpress\.org/export/")
_HEAD = ("author", "category", "language")
_STRUCTURED = ("wp:comment", "wp:postmeta")
_READ = ("post", "page")  # other types are the machinery of plugins, some of it private: orders, letters from readers
_PRIMARY = ("_yoast_wpseo_primary_category", "rank_math_primary_category")
_DEFAULT = "uncategorized"  # what WordPress calls the category of posts that have none
_BLANK = re.compile(r"\n[ \t]*\n")  # WordPress makes paragraphs of them when it shows a post
# What ends a CDATA section here is followed by the end of its element, or by the next section of the same text.
_END = re.compile(rb"\]\]>(?!\s*</(?:\w+:\w+|category|description|guid|link|title)\s*>|<!\[CDATA\[)")
_NEAR = 64  # bytes: longer than that is no such end
_NO_DATE = "0000"


@dataclass(slots=True)
class _Site:
    """What posts refer to; it may stand behind them."""

    language: str | None = None
    names: dict[str, str] = field(default_factory=dict)  # of authors, by login
    categories: dict[str, str] = field(default_factory=dict)  # by number
    pictures: dict[str, str] = field(default_factory=dict)  # addresses, by number


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every published post and page. The file is read twice: once for what they refer to."""
    left_out: Counter[str] = Counter()
    with seekable(stream) as file:
        here = file.tell()
        site = _site(file)
        file.seek(here)
        yield from entries.without(_posts(file, site, left_out, origin), left_out, origin)


def _site(stream: BinaryIO) -> _Site:
    site = _Site()
    try:
        for element in elements(_mended(stream, []), "rss", ("item", *_HEAD), []):
            _note(_texts(element), _name(element), element, site)
    except NotAnArticle:  # said when it is read for its posts
        pass
    return site


def _note(texts: Mapping[str, str], name: str, element: Any, site: _Site) -> None:
    match name:
        case "language":
            site.language = site.language or (element.text or "").strip()
        case "wp:author":
            site.names[texts.get("wp:author_login", "")] = markup.line(texts.get("wp:author_display_name", ""))
        case "wp:category":
            site.categories[texts.get("wp:term_id", "")] = markup.line(texts.get("wp:cat_name", ""))
        case "item" if texts.get("wp:post_type") == "attachment":
            site.pictures[texts.get("wp:post_id", "")] = texts.get("wp:attachment_url", "")
        case "item" if texts.get("wp:post_type") == "guest-author":  # of the plugin Co-Authors Plus
            meta = _meta(element)
            site.names[meta.get("cap-user_login", "")] = meta.get("cap-display_name", "")


def _posts(stream: BinaryIO, site: _Site, left_out: Counter[str], origin: Origin) -> Iterator[Read | Refused]:
    mended: list[str] = []

    def published() -> Iterator[tuple[int, Any]]:
        for item in elements(_mended(stream, mended), "rss", ("item",), mended):
            if kind := _left_out(texts := _texts(item)):
                left_out[kind] += 1
            else:
                yield item.sourceline, (item, texts)

    def fields(found: tuple[Any, dict[str, str]], origin: Origin) -> tuple[dict[str, Any], list[str]]:
        return _fields(*found, site, origin.timezone), [*mended]

    try:
        yield from entries.articles(published(), fields, origin)
    except NotAnArticle as refusal:
        # What stands behind it nobody knows: a rebuild must not remove it.
        yield Refused(origin.file, refusal.line, f"{refusal}; behind it nothing is read", unread=True)


def _mended(stream: BinaryIO, notes: list[str]) -> Iterator[bytes]:
    """The bytes, with `]]>` in a text written so that it does not end it, as later versions of WordPress do."""
    kept, is_told = b"", False
    for chunk in chain(chunks(stream, notes), (b"",)):
        whole = kept + chunk
        # What tells stands behind it, perhaps in the next chunk.
        cut = whole.rfind(b"]", -_NEAR) if chunk else -1
        cut = len(whole) if cut < 0 else len(whole[:cut].rstrip(b"]"))
        kept = whole[cut:]
        escaped, count = _END.subn(b"]]]]><![CDATA[>", whole[:cut])
        if count and not is_told:
            notes.append("not well-formed: ]]> within a text, read as a part of it")
            is_told = True
        yield escaped


def _left_out(texts: Mapping[str, str]) -> str | None:
    """The kind of what is no article that everybody may read; the words are WordPress's own.

    What is scheduled (`future`) is not taken for an embargo: it comes with an export after its day, rather than too
    early where it was put off since.
    """
    kind, status = texts.get("wp:post_type"), texts.get("wp:status")
    if kind not in _READ:
        return kind or "an item without a type"
    if status != "publish":
        return f"{kind}, {status or 'without status'}"
    return f"{kind}, behind a password" if texts.get("wp:post_password") else None


def _fields(item: Any, texts: Mapping[str, str], site: _Site, timezone: tzinfo) -> dict[str, Any]:
    meta = _meta(item)
    terms = _terms(item)
    body, subheads = markup.paragraphs(_BLANK.sub("<br><br>", shortcodes.remove(texts.get("content:encoded", ""))))
    published = _date(texts, "wp:post_date", timezone)
    updated = _date(texts, "wp:post_modified", timezone)
    categories = [name for slug, name in terms.get("category", ()) if slug != _DEFAULT]
    primary = next((site.categories.get(meta[key], "") for key in _PRIMARY if meta.get(key)), "")
    section = primary if primary in categories else next(iter(categories), None)
    logins = [name for _, name in terms.get("author", ())] or [texts.get("dc:creator", "")]
    language = next((slug for slug, _ in terms.get("language", ())), site.language)  # of the plugin Polylang
    url = texts.get("link", "")
    is_web = url.startswith(("http://", "https://"))
    return {
        "url": url if is_web else None,
        "id": None if is_web else texts.get("guid") or texts.get("wp:post_id"),
        "title": markup.line(texts.get("title", "")),
        "summary": markup.line(shortcodes.remove(texts.get("excerpt:encoded", ""))),
        "body": body,
        "subheads": subheads,
        "section": section,
        "authors": [site.names.get(login) or login for login in logins],
        "tags": [name for name in categories if name != section] + [name for _, name in terms.get("post_tag", ())],
        "type": "page" if texts.get("wp:post_type") == "page" else None,
        "published": published,
        "updated": updated if updated != published else None,
        "language": language if language and feed.LANGUAGE.fullmatch(language) else None,
        "image": site.pictures.get(meta.get("_thumbnail_id", "")),
    }


def _texts(element: Any) -> dict[str, str]:
    """What its elements of one value hold, by their names with the prefixes that WordPress always writes."""
    return {
        name: inner(child).strip() for child in element.iterchildren("*") if (name := _name(child)) not in _STRUCTURED
    }


def _name(element: Any) -> str:
    return f"{element.prefix}:{local(element)}" if element.prefix else local(element)


def _meta(item: Any) -> dict[str, str]:
    pairs = map(_texts, item.iterchildren("{*}postmeta"))
    return {pair.get("wp:meta_key", ""): pair.get("wp:meta_value", "") for pair in pairs}


def _terms(item: Any) -> dict[str, list[tuple[str, str]]]:
    """Slugs and names of what it is filed under, by taxonomy."""
    found: dict[str, list[tuple[str, str]]] = {}
    for term in item.iterchildren("{*}category"):
        found.setdefault(term.get("domain", ""), []).append((term.get("nicename", ""), markup.line(term.text or "")))
    return found


def _date(texts: Mapping[str, str], name: str, timezone: tzinfo) -> datetime | str | None:
    """In UTC where the export has that, else as the site's clocks told it; as it is written where that is no date."""
    for written, zone in ((texts.get(f"{name}_gmt", ""), UTC), (texts.get(name, ""), timezone)):
        if written and not written.startswith(_NO_DATE):
            return dates.parse(written, zone) or written
    return None
