"""A piece of HTML -> plain text: what feeds and exports hold of an article, with nothing around it to leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml import html as lxml_html

_NO_TEXT = frozenset(
    ("script", "style", "template", "iframe", "object", "embed", "audio", "video", "svg", "math", "form", "head")
)
_HEADS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# What begins a paragraph of its own, by the rendering rules of HTML: display block, list-item and table.
_BLOCKS = _HEADS | frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dir", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "header", "hr", "li", "main", "menu", "nav", "ol", "p", "pre"),
        *("section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
_CELLS = frozenset(("td", "th"))
_BREAK = "\0"  # no text has it: lxml takes none
_TWO_BREAKS = re.compile(r"\0\s*\0")  # as blogs part paragraphs that never heard of <p>
_MARKUP = re.compile(r"<[a-zA-Z/!]|&(?:#\d+|#[xX][\da-fA-F]+|[A-Za-z]\w+);")


def line(html: str) -> str:
    """All of it as one line."""
    return " ".join(paragraphs(html)[0].split())


def paragraphs(html: str) -> tuple[str, list[str]]:
    """The paragraphs, with an empty line between them, and the headings among them."""
    if not _MARKUP.search(html):
        lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", html))
        return "\n\n".join(filter(None, lines)), []
    parts = [
        (" ".join(text.replace(_BREAK, " ").split()), is_head)
        for run, is_head in _parts(_tree(html))
        for text in _TWO_BREAKS.split(run)
    ]
    return "\n\n".join(text for text, _ in parts if text), [text for text, is_head in parts if text and is_head]


def _tree(html: str) -> Any:
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # Within an element of our own, so that text alone and several paragraphs alike have one root.
    data = f"<div>{html}</div>".replace("\0", "").encode("utf-8", "replace")
    try:
        return lxml_html.document_fromstring(data, parser=parser)
    except etree.ParserError:  # nothing but comments
        return lxml_html.Element("div")


def _parts(root: Any) -> Iterator[tuple[str, bool]]:
    """Every run of text between the borders of blocks, and whether it is a heading."""
    words: list[str] = []
    is_head, skipped = False, None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if skipped is None and tag in _NO_TEXT:
                skipped = element
            if skipped is not None:
                continue
            if tag in _BLOCKS:
                yield "".join(words), is_head
                words, is_head = [], tag in _HEADS
            elif tag == "br":
                words.append(_BREAK)
            elif tag in _CELLS:
                words.append(" ")
            words.append(element.text or "")
            continue
        if skipped is element:
            skipped = None
        elif skipped is None and tag in _BLOCKS:
            yield "".join(words), is_head
            words, is_head = [], False
        if skipped is None:
            words.append(element.tail or "")
    yield "".join(words), is_head
