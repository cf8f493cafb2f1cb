"""Read NITF, the XML in which agencies and archives have single articles (https://iptc.org/standards/nitf/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any, BinaryIO

from lxml import etree

from . import dates, feed, iptc, markup
from .origin import NotAnArticle, Origin, Read, Refused, load
from .xml_stream import local, root

# What stands for a part of HTML; the rest is called as in HTML, or is words within a line.
_AS_HTML = {
    **{"hl1": "h2", "hl2": "h2", "hedline": "div", "block": "div", "body.content": "div", "bq": "blockquote"},
    **dict.fromkeys(("abstract", "byline", "credit", "dateline", "tagline"), "div"),
    **{"media": "figure", "media-caption": "figcaption", "fn": "aside", "note": "aside", "nitf-table": "div"},
}
_NO_TEXT = frozenset(("media-metadata", "media-object", "media-producer", "media-reference", "nitf-table-metadata"))
_WEB = ("http://", "https://")
# What is called back is told in words, too: "Mandatory kill", at the beginning of a message to editors.
_KILL = re.compile(r"\W*(?:mandatory\s+)?(?:kill|withdraw|withhold)\b", re.I)


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a document."""
    try:
        yield _article(root(load(stream)), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal))


def _article(document: Any, origin: Origin) -> Read:
    head, body, above = (_first(document, name) for name in ("head", "body", "body.head"))
    notes: list[str] = []
    id, url = _value(head, "doc-id", "id-string"), _value(head, "pubdata", "ex-ref")
    status = _status(head, notes)
    released = _value(head, "date.release", "norm")
    if _value(head, "docdata", "management-status").lower() == "embargoed" and not released:
        raise NotAnArticle("it is embargoed, and no date.release says until when")
    issued = _moment(_value(head, "date.issue", "norm"), origin, notes)
    written = _moment(_value(head, "pubdata", "date.publication"), origin, notes)
    revised = [_moment(revision.get("norm", ""), origin, notes) for revision in _all(head, "revision-history")]
    text, subheads = markup.paragraphs("".join(map(_as_html, _contents(body))))
    subjects = _all(head, "tobject.subject")
    language = document.get("{http://www.w3.org/XML/1998/namespace}lang") or document.get("baselang") or ""
    fields = {
        "id": id,
        "url": url if url.startswith(_WEB) else None,
        # What is called back may come without its text, and must hide it all the same.
        "title": _line(above, "hl1") or _line(head, "title") or (id if status == "withdrawn" else ""),
        "summary": _line(above, "abstract") or _line(above, "hl2"),
        "body": text,
        "subheads": subheads,
        "section": _value(head, "pubdata", "position.section") or _subject(subjects, ("type",)),
        "tags": [
            *(_subject([subject], ("detail", "matter", "type")) for subject in subjects),
            *(keyword.get("key", "") for keyword in _all(head, "keyword")),
            *(found.get("value", "") for found in _all(head, "classifier") if found.get("type") == "tag"),
            _value(head, "series", "series.name"),
        ],
        "authors": _authors(above),
        "type": _value(head, "tobject.property", "tobject.property.type").lower() or None,
        "published": issued or written,
        "updated": revised[-1] if revised else None,
        # As it is written where it is no date: that is refused, as it might be too early.
        "embargo_until": dates.parse(released, origin.timezone) or released,
        "language": language if feed.LANGUAGE.fullmatch(language) else None,
        "image": _image(body),
        "status": status,
        "extra": {name: value for name, value in _extra(head, above).items() if value},
    }
    return origin.article(fields, notes)


def _status(head: Any, notes: list[str]) -> str:
    message = _value(head, "ed-msg", "info")
    if _KILL.match(message):
        notes.append(f"withdrawn, as its message to editors says {message[:40]!r}")
        return "withdrawn"
    return iptc.status(_value(head, "docdata", "management-status"), "management-status")


def _contents(body: Any) -> list[Any]:
    """What holds the text. The New York Times has its first paragraph as one block, and the whole text as another."""
    whole = [block for block in _all(body, "block") if block.get("class") == "full_text"]
    return whole or _all(body, "body.content")


def _as_html(element: Any) -> str:
    copy = deepcopy(element)
    for part in copy.iter("*"):
        name = local(part)
        part.tag = "template" if name in _NO_TEXT else _AS_HTML.get(name, name.replace(".", "-"))
        part.attrib.clear()
    copy.tail = None
    return str(etree.tostring(copy, encoding="unicode", method="html"))


def _authors(above: Any) -> list[str]:
    names = []
    for byline in _all(above, "byline"):
        people = [_inline(person) for person in _all(byline, "person")]
        if not people:
            for title in _all(byline, "byttl"):
                title.getparent().remove(title)
        names += people or iptc.authors(_inline(byline))
    return names


def _image(body: Any) -> str | None:
    sources = (reference.get("source", "") for reference in _all(body, "media-reference")
               if reference.getparent().get("media-type", "image") == "image")  # fmt: skip
    return next((source for source in sources if source.startswith(_WEB)), None)


def _subject(subjects: list[Any], parts: tuple[str, ...]) -> str:
    """The first name that is told: of what it is in detail, or of what kind."""
    names = (str(subject.get(f"tobject.subject.{part}", "")) for subject in subjects for part in parts)
    return next(filter(None, names), "")


def _extra(head: Any, above: Any) -> dict[str, str]:
    return {
        "dateline": _line(above, "dateline"),
        "urgency": _value(head, "urgency", "ed-urg"),
        "expires": _value(head, "date.expire", "norm"),
        "fixture": _value(head, "fixture", "fix-id"),
        "story": _value(head, "du-key", "key"),  # the same for all versions
        "ednote": _value(head, "ed-msg", "info"),
        "copyright": _value(head, "doc.copyright", "holder"),
    }


def _all(element: Any, name: str) -> list[Any]:
    """With the namespace or without, which NITF has since version 3.4."""
    return [] if element is None else list(element.iter(f"{{*}}{name}"))


def _first(element: Any, name: str) -> Any:
    return next(iter(_all(element, name)), None)


def _value(element: Any, name: str, attribute: str) -> str:
    return next((value for found in _all(element, name) if (value := found.get(attribute, "").strip())), "")


def _line(element: Any, name: str) -> str:
    found = _first(element, name)
    return "" if found is None else _inline(found)


def _inline(element: Any) -> str:
    return markup.line(_as_html(element))


def _moment(text: str, origin: Origin, notes: list[str]) -> datetime | None:
    """ISO 8601, which NITF writes without marks: 20250806T143000+0200."""
    moment = dates.parse(text, origin.timezone) if text else None
    if text and not moment:
        notes.append(f"date {text!r} not understood")
    return moment
