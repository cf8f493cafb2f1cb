"""Read IPTC ninjs, versions 1 and 2: news as agencies send it in JSON (https://iptc.org/standards/ninjs/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from . import entries, markup
from .json_stream import objects
from .origin import NotAnArticle, Origin, Read, Refused, people

MARK = re.compile(rb'"(?:versioncreated|pubstatus|body_xhtml|bodies)"\s*:')
_STATUS = {"usable": "live", "withheld": "withdrawn", "canceled": "withdrawn", "cancelled": "withdrawn"}
_TEXTS = ("text", "composite", "")  # the others are pictures, sounds, graphics
_BY = re.compile(r"by\s+", re.I)
_USED = frozenset(
    (
        *("uri", "type", "headline", "headlines", "pubstatus", "embargoed", "language", "byline", "by", "subject"),
        *("subjects", "genre", "genres", "keywords", "versioncreated", "firstcreated", "contentcreated"),
        *("associations", "renditions", "standard", "representationtype", "mimetype", "profile", "urgency", "$schema"),
    )
)


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every item: one, a list, or several one after the other."""
    numbered = ((f"entry {number:,}", item) for number, item in enumerate(objects(stream), start=1))
    try:
        yield from entries.articles(numbered, _fields, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, f"{refusal}; behind it nothing is read", unread=True)


def _fields(item: Any, origin: Origin) -> tuple[Mapping[str, Any], list[str]]:
    del origin
    if not isinstance(item, dict):
        raise NotAnArticle("not an article: it is no object")
    if (kind := _text(item.get("type"))) not in _TEXTS:
        raise NotAnArticle(f"not an article: its type is {kind}")
    status = _text(item.get("pubstatus")) or "usable"
    if status not in _STATUS:
        raise NotAnArticle(f"pubstatus {status!r} is none of {', '.join(_STATUS)}")
    body, subheads = markup.paragraphs(_said(item, "body", "bodies"))
    subjects, uri = _named(item, "subject", "subjects"), _text(item.get("uri"))
    created = next(filter(None, map(item.get, ("firstcreated", "contentcreated", "versioncreated"))), None)
    return {
        "id": uri,
        "url": uri if uri.startswith(("http://", "https://")) else None,
        "title": markup.line(_said(item, "headline", "headlines")),
        "summary": markup.line(_said(item, "description", "descriptions")),
        "body": body,
        "subheads": subheads,
        "section": subjects[0] if subjects else None,
        "tags": [*subjects, *_named(item, "keywords", "keywords")],
        "authors": people(_BY.sub("", _text(item.get("byline") or item.get("by")), count=1)),
        "type": next(iter(_named(item, "genre", "genres")), None),
        "published": created,
        "updated": item.get("versioncreated"),
        "embargo_until": item.get("embargoed"),
        "language": _text(item.get("language")) or None,
        "image": _image(item.get("associations")),
        "status": _STATUS[status],
        "extra": {name: value for name, value in item.items() if name not in _USED and not name.startswith(_SAYING)},
    }, []


_SAYING = ("body", "bodies", "description", "headline")


def _said(item: Mapping[str, Any], name: str, names: str) -> str:
    """As HTML: version 1 has a field for each form of a text, version 2 a list of them."""
    told = item.get(names)
    if isinstance(told, list):
        parts = [part for part in told if isinstance(part, dict) and _text(part.get("value"))]
        parts.sort(key=lambda part: (part.get("role") not in ("main", None), "html" not in _kind(part)))
        return _html(parts[0]["value"], "html" in _kind(parts[0])) if parts else ""
    for form in (f"{name}_xhtml", f"{name}_html", f"{name}_text", name):
        if text := _text(item.get(form)):
            return _html(text, form.endswith("html"))
    return ""


def _kind(part: Mapping[str, Any]) -> str:
    return _text(part.get("contenttype"))


def _html(text: str, is_html: bool) -> str:
    return text if is_html else text.replace("&", "&amp;").replace("<", "&lt;")


def _named(item: Mapping[str, Any], name: str, names: str) -> list[str]:
    told = item.get(name) or item.get(names) or []
    told = told if isinstance(told, list) else [told]
    return [text for one in told if (text := _text(one.get("name") if isinstance(one, dict) else one))]


def _image(associations: Any) -> str | None:
    """The first picture that goes with it: version 1 has them by name, version 2 in a list."""
    pictures = (one for one in _objects(associations) if one.get("type") == "picture")
    addresses = (_text(one.get("href")) for picture in pictures for one in _objects(picture.get("renditions")))
    return next((address for address in addresses if address.startswith(("http://", "https://"))), None)


def _objects(told: Any) -> list[Mapping[str, Any]]:
    items = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return [item for item in items if isinstance(item, dict)]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
