"""Read ninjs, the IPTC's news in JSON, versions 1 to 3 (https://iptc.org/standards/ninjs/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from . import dates, entries, feed, iptc, lines, markup
from .json_stream import objects
from .origin import NotAnArticle, Origin, Read, Refused, begun

# An item has an address or, where Superdesk wrote it, a guid; and no other format has one of these beside it.
MARK = re.compile(
    rb'\A(?=.*"(?:uri|guid)"\s*:).*"(?:\$standard|bodies|body_text|body_xhtml|headlines|pubstatus|versioncreated)"\s*:',
    re.S | re.I,
)
_LIST = re.compile(rb'\{[^\[{]*"(items|_items)"\s*:\s*\[')  # of an answer of an API
_HEAD = 64 * 1024
_TEXTS = ("text", "composite", "")  # the others are pictures, sounds, graphics, events
_SAYING = ("body_", "bodies", "description", "headline")
_USED = frozenset(
    (
        *("associations", "authors", "by", "byline", "contentcreated", "embargoed", "firstcreated", "genre", "genres"),
        *("guid", "keywords", "language", "pubstatus", "section", "service", "subject", "subjects", "type", "uri"),
        *("versioncreated", "$schema", "$standard", "mimetype", "profile", "renditions", "representationtype"),
        *("standard", "title", "urgency"),
    )
)
_WIDTH = 1200  # pixels; what pages show of an article elsewhere is about that: https://ogp.me


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every item."""
    head, stream = begun(stream, _HEAD)
    path = found[1].decode() if (found := _LIST.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())) else ""
    number = 0

    def numbered() -> Iterator[tuple[str, Any]]:
        nonlocal number
        for number, item in enumerate(objects(stream, path), start=1):
            yield f"entry {number:,}", item

    try:
        yield from entries.articles(numbered(), _fields, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, f"{refusal}; behind it nothing is read", unread=True)
        return
    if not number:
        yield Refused(origin.file, None, "a list without items")


def _fields(found: Any, origin: Origin) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(found, dict):
        raise NotAnArticle("not an article: it is no object")
    item = {name.lower(): value for name, value in found.items()}  # since version 3 it is versionCreated
    if (kind := _text(item.get("type"))) not in _TEXTS:
        raise NotAnArticle(f"not an article: its type is {kind}")
    status = iptc.status(str(item.get("pubstatus") or ""), "pubstatus")
    title = _title(item)
    body, subheads = _body(item)
    where = _text(item.get("uri")) or _text(item.get("guid"))
    subjects = _objects(item.get("subject")) or _objects(item.get("subjects"))
    updated = _date(item.get("versioncreated"), origin)
    published = _date(item.get("firstcreated") or item.get("contentcreated"), origin) or updated
    language = _text(item.get("language"))
    return {
        "id": where,
        "url": where if where.startswith(("http://", "https://")) else None,
        # What is called back may come without its text, and must hide it all the same.
        "title": title or (_text(item.get("slugline")) or where if status == "withdrawn" else ""),
        "summary": _summary(item),
        "body": _without(title, body),
        "subheads": [head for head in subheads if lines.key(head) != lines.key(title)],
        "section": _section(item, subjects),
        "tags": [*map(_name, subjects), *_named(item.get("keywords"))],
        "authors": _authors(item),
        "type": next(iter([*_named(item.get("genre")), *_named(item.get("genres"))]), None),
        "published": published,
        "updated": updated if updated != published else None,
        "embargo_until": _date(item.get("embargoed"), origin),
        "language": language if feed.LANGUAGE.fullmatch(language) else None,
        "image": _image(item),
        "status": status,
        "extra": {name: value for name, value in item.items() if name not in _USED and not name.startswith(_SAYING)},
    }, []


def _title(item: Mapping[str, Any]) -> str:
    return _text(item.get("headline")) or _said(item, "headlines", "main") or _text(item.get("title"))


def _body(item: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The text: of HTML where there is any."""
    bodies = [body for body in _objects(item.get("bodies")) if _text(body.get("value"))]
    html = next((_text(body["value"]) for body in bodies if "html" in _type(body)), "")
    html = html or next((text for name in ("body_xhtml", "body_html") if (text := _text(item.get(name)))), "")
    if html:
        return markup.paragraphs(html)
    plain = next((_text(body["value"]) for body in bodies if _type(body) in ("", "text/plain")), "")
    return "\n\n".join(filter(None, lines.paragraphs(plain or _text(item.get("body_text"))))), []


def _without(title: str, body: str) -> str:
    """Agencies send the headline above the text, too."""
    first, _, rest = body.partition("\n\n")
    return rest if title and lines.key(first) == lines.key(title) else body


def _summary(item: Mapping[str, Any]) -> str:
    told = next((text for name in ("description_text", "description_html") if (text := _text(item.get(name)))), "")
    return markup.line(told or _said(item, "descriptions", "text"))


def _said(item: Mapping[str, Any], name: str, role: str) -> str:
    """The text in this role, else the first, of a list of texts."""
    texts = [text for text in _objects(item.get(name)) if _text(text.get("value"))]
    chosen = sorted(texts, key=lambda text: text.get("role") != role)
    return markup.line(_text(chosen[0]["value"])) if chosen else ""


def _section(item: Mapping[str, Any], subjects: list[dict[str, Any]]) -> str | None:
    """What is called so, as Superdesk does by `service`; else a subject of the top level, else the first."""
    top = [
        _name(subject)
        for subject in subjects
        if any(iptc.is_top(_text(subject.get(field))) for field in ("code", "literal", "uri"))
    ]
    told = (_text(item.get("section")), *_named(item.get("service")), *top, *map(_name, subjects))
    return next(filter(None, told), None)


def _authors(item: Mapping[str, Any]) -> list[str]:
    byline = iptc.authors(_text(item.get("byline")) or _text(item.get("by")))
    return byline or _named(item.get("authors"))


def _image(item: Mapping[str, Any]) -> str | None:
    """The first picture that goes with it, in a size for pages."""
    for other in _objects(item.get("associations")):
        found = [
            (abs((width if isinstance(width := rendition.get("width"), int) else 0) - _WIDTH), href)
            for rendition in _objects(other.get("renditions"))
            if (href := _text(rendition.get("href"))).startswith(("http://", "https://"))
        ]
        if found and _text(other.get("type")) in ("picture", "graphic", ""):
            return min(found)[1]
    return None


def _type(body: Mapping[str, Any]) -> str:
    return _text(body.get("contenttype") or body.get("contentType")).partition(";")[0].lower()


def _date(value: Any, origin: Origin) -> Any:
    return dates.parse(value, origin.timezone) or value if isinstance(value, str) else value


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, or under names, as version 1 has it."""
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in found if isinstance(item, dict)]


def _named(value: Any) -> list[str]:
    """The texts of a list, or the names of the objects in it."""
    items = value if isinstance(value, list) else [value]
    return [text for item in items if (text := _name(item) if isinstance(item, dict) else _text(item))]


def _name(item: Mapping[str, Any]) -> str:
    return _text(item.get("name"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
