"""XML of strangers -> elements: nothing is fetched, no entity is resolved, and one element is kept at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

from lxml import etree

from .origin import UTF_16, NotAnArticle, begun

# Without `huge_tree` libxml2 keeps its own limits: 10 MB a text, 256 levels, and what entities in attributes unfold to.
_SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False}
_CHUNK = 64 * 1024
_WITHIN = 2  # levels above: those of <rss><channel>
# XML 1.0 forbids them, and of a CDATA section with one of them the parser keeps nothing; U+FFFE and U+FFFF alike.
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r"))
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_TOO_LARGE = ("too big", "Resource limit", "XML_PARSE_HUGE")  # libxml2 goes on after these with a part of the text


def elements(chunks: Iterable[bytes], root: str, names: Collection[str], notes: list[str]) -> Iterator[Any]:
    """The elements of these names within the first of the root, each as soon as it is whole; then it is forgotten.

    What had to be mended is added to the notes.

    Raises:
        NotAnArticle: with the line from which on nothing can be read.
    """
    parser = etree.XMLPullParser(
        ("start", "end"), tag=[f"{{*}}{name}" for name in (root, *names)], recover=True, **_SAFE
    )
    is_open, is_whole, known = False, False, 0
    for chunk in chunks:
        parser.feed(chunk)
        log = parser.feed_error_log
        for error in islice(log, known, None):
            if any(mark in error.message for mark in _TOO_LARGE):
                raise NotAnArticle(f"cannot be read from here on: {_said(error)}", error.line)
        if len(log) > known == 0:
            notes.append(_mended(log[0]))
        known = len(log)
        for event, element in parser.read_events():
            if not is_open:
                _refuse_entities(element)
                is_open = True
            if event == "end" and (level := sum(1 for _ in element.iterancestors())) == _WITHIN:
                yield element
                while element.getprevious() is not None:
                    del element.getparent()[0]
            elif event == "end":
                is_whole = level == 0
    if not is_whole:
        with suppress(etree.XMLSyntaxError):  # of an empty file
            parser.close()  # what it closes by itself is cut short, and not given
        error = parser.feed_error_log.last_error
        raise NotAnArticle(f"broken XML: {_said(error)}" if error else "broken XML: it is empty", error and error.line)


def chunks(stream: BinaryIO, notes: list[str]) -> Iterator[bytes]:
    """The bytes, without those that no XML may have. Those of UTF-16 stay as they are."""
    head, stream = begun(stream, 2)
    is_clean = head in UTF_16
    line, kept = 1, b""
    while chunk := stream.read(_CHUNK):
        if head in UTF_16:
            yield chunk
            continue
        clean = chunk.translate(None, _CONTROL)
        if len(clean) < len(chunk) and not is_clean:
            first = next(n for n, byte in enumerate(chunk) if byte in _CONTROL)
            where = line + chunk.count(b"\n", 0, first)
            notes.append(f"control characters left out, the first in line {where}")
            is_clean = True
        line += chunk.count(b"\n")
        clean = kept + clean
        for none in _NO_CHARACTERS:
            clean = clean.replace(none, b"")
        # The first bytes of such a character may be the last of this chunk.
        cut = next((n for n in (2, 1) if clean.endswith(_NO_CHARACTERS[0][:n])), 0)
        kept, clean = clean[len(clean) - cut :], clean[: len(clean) - cut]
        yield clean
    yield kept


def root(data: bytes) -> Any:
    """The whole of one document.

    Raises:
        NotAnArticle: where it is broken; what may be cut short is not mended.
    """
    try:
        clean = data if data.startswith(UTF_16) else data.translate(None, _CONTROL).lstrip()
        root = etree.fromstring(clean, etree.XMLParser(**_SAFE, remove_comments=True, remove_pis=True))
    except etree.XMLSyntaxError as error:
        raise NotAnArticle(f"broken XML: {error.msg}", error.lineno or None) from None
    _refuse_entities(root)
    return root


def inner(element: Any) -> str:
    """What stands between the tags as HTML, with the entities and the tags in it."""
    if not len(element):
        return element.text or ""
    parts = (etree.tostring(child, encoding="unicode") for child in element)
    return "".join((element.text or "", *parts))


def local(element: Any) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _refuse_entities(element: Any) -> None:
    """Entities of its own are how a file reaches for others, or unfolds to more than memory holds.

    Raises:
        NotAnArticle: if it declares any.
    """
    dtd = element.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:
        raise NotAnArticle("it declares entities (<!ENTITY), which are not read: write out what they stand for")


def _mended(error: Any) -> str:
    return f"not well-formed, read as far as it goes: line {error.line}: {_said(error)}"


def _said(error: Any) -> str:
    return " ".join(str(error.message).split())
