"""XML of strangers -> elements: nothing is fetched, no entity is resolved, and one element is kept at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from .origin import NotAnArticle

_SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False, "remove_comments": True, "remove_pis": True}
_NO_XML = bytes(range(9)) + b"\x0b\x0c" + bytes(range(14, 32))  # editors paste them; XML forbids them


def elements(stream: BinaryIO, *names: str) -> Iterator[Any]:
    """The elements of these local names in order, each as soon as it ends; what is before them is forgotten.

    Raises:
        NotAnArticle: where it is broken; what stood before was given.
    """
    try:
        for _, element in etree.iterparse(_Clean(stream), events=("end",), tag=[f"{{*}}{n}" for n in names], **_SAFE):
            yield element
            parent = element.getparent()
            if parent is None or local(parent) in names:  # it goes with what it stands in
                continue
            element.clear()
            while element.getprevious() is not None:
                del parent[0]
    except etree.XMLSyntaxError as error:
        raise NotAnArticle(f"broken XML: {error.msg}", error.lineno or None) from None


def root(data: bytes) -> Any:
    """The whole of one document.

    Raises:
        NotAnArticle: where it is broken.
    """
    try:
        return etree.parse(
            io.BytesIO(data.translate(None, _deleted(data)).lstrip()), etree.XMLParser(**_SAFE)
        ).getroot()
    except etree.XMLSyntaxError as error:
        raise NotAnArticle(f"broken XML: {error.msg}", error.lineno or None) from None


def local(element: Any) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text(element: Any, name: str) -> str:
    """The text of the first child of this local name; empty if there is none."""
    child = element.find(f"{{*}}{name}")
    return "" if child is None else "".join(child.itertext()).strip()


def _deleted(data: bytes) -> bytes:
    return b"" if data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")) else _NO_XML


class _Clean:
    """A stream without bytes that no XML may hold, and without space before it begins."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._deleted: bytes | None = None

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        if self._deleted is None:
            data = data.lstrip()
            self._deleted = _deleted(data)
        return data.translate(None, self._deleted)
