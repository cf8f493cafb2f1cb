"""Read the export of WordPress (WXR): the posts and pages that are published, whatever the length of the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from . import dates, entries, markup
from .origin import NotAnArticle, Origin, Read, Refused, seekable
from .xml_stream import elements, text

MARK = re.compile(rb"=\s*[\"']https?://wordpress\.org/export/")  # its namespace, in any version
_KINDS = ("post", "page")
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"  # the excerpt is an `encoded` too, by another namespace
_NOBODY = "uncategorized"  # the category of what has none
_NEVER = "0000-00-00 00:00:00"
# What WordPress makes of a text only when it shows it: an empty line is a paragraph, [caption] and its like are code.
_EMPTY_LINE = re.compile(r"\n[ \t\r]*\n")
_SHORTCODE = re.compile(
    r"\[/?(?:caption|gallery|embed|audio|video|playlist)\b[^\[\]]*\]|\[\w+ [^\[\]<>]*=[^\[\]<>]*\]|\[/\w+\]"
)


@dataclass(slots=True)
class _Site:
    """What the items do not say themselves."""

    names: dict[str, str] = field(default_factory=dict)  # login -> name as it is shown
    images: dict[str, str] = field(default_factory=dict)  # id of an attachment -> address
    language: str | None = None


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every post and page that is published; the others are counted."""
    left_out: Counter[str] = Counter()
    try:
        with seekable(stream) as file:
            begin = file.tell()
            # Twice: the picture of a post has mostly a higher number, and so stands behind it.
            site = _site(file)
            file.seek(begin)
            found = entries.articles(_published(file, left_out), partial(_fields, site), origin)
            yield from entries.without(found, left_out, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, f"{refusal}; behind it nothing is read", unread=True)


def _site(file: BinaryIO) -> _Site:
    site = _Site()
    try:
        for element in elements(file, "author", "language", "item"):
            if login := text(element, "author_login"):
                site.names[login] = text(element, "author_display_name") or login
            elif address := text(element, "attachment_url"):
                site.images[text(element, "post_id")] = address
            elif element.tag == "language":
                site.language = (element.text or "").strip() or None
    except NotAnArticle:  # it is said by the second reading, behind the articles that stand before
        pass
    return site


def _published(file: BinaryIO, left_out: Counter[str]) -> Iterator[tuple[str, Any]]:
    for item in elements(file, "item"):
        kind, status = text(item, "post_type"), text(item, "status")
        if kind not in _KINDS:
            left_out[kind or "an item without a type"] += 1
        elif status != "publish":
            left_out[f"{kind}, {status}"] += 1
        elif text(item, "post_password"):
            left_out[f"{kind}, behind a password"] += 1
        else:
            yield f"{kind} {text(item, 'post_id')}", item


def _fields(site: _Site, item: Any, origin: Origin) -> tuple[Mapping[str, Any], list[str]]:
    body, subheads = markup.paragraphs(_as_shown(_encoded(item, is_content=True)))
    categories = [
        (category.get("domain"), category.get("nicename"), " ".join("".join(category.itertext()).split()))
        for category in item.findall("{*}category")
    ]
    sections = [name for domain, short, name in categories if domain == "category" and short != _NOBODY]
    url, creator = text(item, "link"), text(item, "creator")
    published = _moment(item, "post_date", origin)
    return {
        "id": None if url.startswith("http") else text(item, "guid") or text(item, "post_id"),
        "url": url if url.startswith("http") else None,
        "title": markup.line(text(item, "title")),
        "summary": markup.line(_as_shown(_encoded(item, is_content=False))),
        "body": body,
        "subheads": subheads,
        "section": sections[0] if sections else None,
        "tags": [*sections[1:], *(name for domain, _, name in categories if domain == "post_tag")],
        "authors": [site.names.get(creator, creator)] if creator else [],
        "type": "page" if text(item, "post_type") == "page" else None,
        "published": published or dates.parse(text(item, "pubDate")),
        "updated": _moment(item, "post_modified", origin),
        "language": site.language,
        "image": site.images.get(_meta(item, "_thumbnail_id")),
    }, []


def _encoded(item: Any, *, is_content: bool) -> str:
    found = (child for child in item.findall("{*}encoded") if (child.tag == _CONTENT) == is_content)
    return "".join(part for child in found for part in child.itertext())


def _as_shown(html: str) -> str:
    return _EMPTY_LINE.sub("<br><br>", _SHORTCODE.sub(" ", html))


def _moment(item: Any, name: str, origin: Origin) -> Any:
    """By Greenwich, else as the site's clock had it."""
    gmt, local = text(item, f"{name}_gmt"), text(item, name)
    if gmt and gmt != _NEVER:
        return dates.parse(gmt)
    return dates.parse(local, origin.timezone) if local and local != _NEVER else None


def _meta(item: Any, key: str) -> str:
    return next((text(meta, "meta_value") for meta in item.findall("{*}postmeta") if text(meta, "meta_key") == key), "")
