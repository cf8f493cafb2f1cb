"""Read saved pages: the text by trafilatura, the rest from what a page says of itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, BinaryIO

import htmldate
import trafilatura
from lxml import etree
from lxml import html as lxml_html

from . import dates, readable
from .lines import key
from .origin import NotAnArticle, Origin, Read, Refused, load
from .page import Page

# They warn of each page without an article, which is said here as a refusal.
for _library in ("trafilatura", "htmldate"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

NO_ARTICLE = "no article found in this page"
_HIDDEN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_XML = re.compile(r"^\s*<\?xml[^>]*\?>")


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a page."""
    try:
        yield _article(load(stream), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def _article(data: bytes, origin: Origin) -> Read:
    tree = _tree(_decode(data))
    page = Page.of(tree)
    title = page.title()
    body, subheads = _text(tree)
    if not readable.has_article(page, title, body):
        raise NotAnArticle(NO_ARTICLE)
    notes = [f"date {text!r} not understood" for text in page.strange_dates(origin.timezone)]
    published = page.date("datePublished", "published", origin.timezone)
    if published is None and (published := _written_date(tree, origin.timezone)):
        notes.append(
            f"published {published:%Y-%m-%d} found in the address or the text of the page, not in its metadata"
        )
    blocks = body.split("\n\n")
    if title and key(blocks[0]) == key(title):
        body = "\n\n".join(blocks[1:])
    fields = {
        "url": page.url() or origin.url,
        "title": title,
        "summary": page.first("description", "summary"),
        "body": body,
        "subheads": [head for head in subheads if key(head) != key(title)],
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
        raise NotAnArticle(f"{NO_ARTICLE}: {error}") from None
    return tree


def _parser() -> Any:
    return lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)


def _text(tree: Any) -> tuple[str, list[str]]:
    """The paragraphs of the article, and its subheads, which stand in the text too."""
    shown = _without_hidden(tree)
    for candidate in (shown, tree):
        found = _extracted(candidate)
        if found is not None and len(key(found.text or "")) >= readable.FEWEST:
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


def _extracted(tree: Any) -> Any:
    try:
        return trafilatura.bare_extraction(tree, include_comments=False, favor_recall=True, with_metadata=False)
    except Exception as error:  # whatever a page does to the library, the next page is read
        raise NotAnArticle(f"{NO_ARTICLE}: {type(error).__name__}: {error}") from None


def _written_date(tree: Any, timezone: tzinfo) -> datetime | None:
    """The day as the address or the text tells it."""
    try:
        return dates.parse(htmldate.find_date(tree, original_date=True, extensive_search=False) or "", timezone)
    except Exception:  # as above; a page without a date is still a page
        return None
