"""Read NITF, the XML in which agencies and archives have single articles (https://iptc.org/standards/nitf/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any, BinaryIO

from lxml import etree

from . import dates, markup
from .origin import NotAnArticle, Origin, Read, Refused, load, people
from .xml_stream import local, root

_STATUS = {"usable": "live", "embargoed": "live", "withheld": "withdrawn", "canceled": "withdrawn"}
_BY = re.compile(r"by\s+", re.I)
_PARAGRAPHS = {"hl2": "h2", "block": "div"}  # what HTML calls otherwise
_NO_TEXT = frozenset(("media-metadata", "media-reference", "media-producer", "note"))


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a document."""
    try:
        yield _article(root(load(stream)), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal))


def _article(document: Any, origin: Origin) -> Read:
    for element in document.iter("*"):
        element.tag = local(element)  # some have the namespace of NITF, some none
    status = _first(document, "//docdata/@management-status") or "usable"
    if status not in _STATUS:
        raise NotAnArticle(f"management-status {status!r} is none of {', '.join(_STATUS)}")
    body, subheads = markup.paragraphs(_html(document))
    issued, written = _first(document, "//docdata/date.issue/@norm"), _first(document, "//pubdata/@date.publication")
    notes = [f"date {told!r} not understood" for told in (issued, written) if told and not _moment(told, origin)]
    subjects = _all(document, "//tobject.subject/@tobject.subject.type")
    fields = {
        "id": _first(document, "//docdata/doc-id/@id-string"),
        "url": _web(_first(document, "//pubdata/@ex-ref")),
        "title": _first(document, "//hedline/hl1") or _first(document, "//head/title"),
        "summary": _first(document, "//abstract") or _first(document, "//body.head//hedline/hl2"),
        "body": body,
        "subheads": subheads,
        "section": _first(document, "//pubdata/@position.section") or next(iter(subjects), None),
        "tags": [
            *subjects,
            *_all(document, "//key-list/keyword/@key"),
            *_all(document, "//classifier[@type='tag']/@value"),
        ],
        "authors": _authors(document),
        "type": _first(document, "//tobject/tobject.property/@tobject.property.type").lower() or None,
        "published": _moment(issued, origin) or _moment(written, origin),
        "updated": _moment(_first(document, "//revision-history[last()]/@norm"), origin),
        "embargo_until": _moment(_first(document, "//docdata/date.release/@norm"), origin),
        "language": _first(document, "/*/@xml:lang") or None,
        "image": next(
            filter(None, map(_web, _all(document, "//media[@media-type='image']/media-reference/@source"))), None
        ),
        "status": _STATUS[status],
    }
    return origin.article(fields, notes)


def _html(document: Any) -> str:
    """The content as HTML, of which NITF is a cousin."""
    content = document.find(".//body.content")
    if content is None:
        return ""
    content = deepcopy(content)
    for element in content.iter("*"):
        if element.tag in _NO_TEXT:
            element.clear(keep_tail=True)
        element.tag = _PARAGRAPHS.get(element.tag, element.tag)
    return str(etree.tostring(content, encoding="unicode", method="html"))


def _authors(document: Any) -> list[str]:
    """The people that are marked as such, else those of the byline."""
    marked = _all(document, "//byline/person")
    if marked:
        return marked
    lines = _all(document, "//byline[not(@class) or @class='print']") or _all(document, "//byline")
    return [name for line in lines[:1] for name in people(_BY.sub("", line, count=1))]


def _all(document: Any, path: str) -> list[str]:
    found = (item if isinstance(item, str) else "".join(item.itertext()) for item in document.xpath(path))
    return [text for text in (" ".join(item.split()) for item in found) if text]


def _first(document: Any, path: str) -> str:
    return next(iter(_all(document, path)), "")


def _moment(text: str, origin: Origin) -> datetime | None:
    """ISO 8601, which NITF writes without marks: 20250806T143000+0200."""
    return dates.parse(text, origin.timezone) if text else None


def _web(address: str) -> str | None:
    return address if address.startswith(("http://", "https://")) else None
