"""Read JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO
from urllib.parse import urljoin

from . import dates, feed, markup
from .origin import NotAnArticle, Origin, Read, Refused, decode, load

# Told by the version, which each must name, wherever in the object it stands.
MARK = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version\\?/1')


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every item of a JSON Feed."""
    try:
        yield from _items(decode(load(stream)), replace(origin, shared=True))
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def _items(text: str, origin: Origin) -> Iterator[Read | Refused]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAnArticle(f"no JSON Feed that can be read: {error}") from None
    items = whole.get("items") if isinstance(whole, dict) else None
    if not isinstance(items, list):
        raise NotAnArticle("a JSON Feed without a list of items")
    if not items:
        raise NotAnArticle("a feed without entries")
    for item in items:
        if not isinstance(item, dict):
            yield Refused(origin.file, None, "an entry: it is no object")
            continue
        fields = _fields(item, whole, origin)
        strange = [
            f"date {item[name]!r} not understood"
            for name, field in (("date_published", "published"), ("date_modified", "updated"))
            if item.get(name) and not fields[field]
        ]
        yield feed.entry(fields, strange, origin)


def _fields(item: Mapping[str, Any], whole: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    base = origin.url or _text(whole, "feed_url") or _text(whole, "home_page_url")
    plain = _text(item, "content_text").replace("&", "&amp;").replace("<", "&lt;")
    url = _address(_text(item, "url"), base)
    tags = item.get("tags")
    published = dates.parse(_text(item, "date_published"), origin.timezone)
    updated = dates.parse(_text(item, "date_modified"), origin.timezone)
    language = _text(item, "language") or _text(whole, "language")
    return {
        **feed.texts(_text(item, "summary"), _text(item, "content_html") or plain),
        "url": url,
        "id": None if url else _text(item, "id"),
        "title": markup.line(_text(item, "title")),
        "authors": _authors(item) or _authors(whole),
        "tags": [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [],
        "published": published or updated,
        "updated": updated,
        "language": language if feed.LANGUAGE.fullmatch(language) else None,
        "image": _address(_text(item, "image") or _text(item, "banner_image"), base),
    }


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _authors(data: Mapping[str, Any]) -> list[str]:
    """Version 1.1 has a list, 1 had one."""
    told = data.get("authors") or data.get("author") or ()
    return [
        name
        for author in (told if isinstance(told, list) else [told])
        if isinstance(author, dict) and (name := _text(author, "name"))
    ]


def _address(url: str, base: str) -> str | None:
    try:
        whole = urljoin(base, url) if url else ""
    except ValueError:  # half an IPv6 address
        return None
    return whole if whole.startswith(("http://", "https://")) else None
