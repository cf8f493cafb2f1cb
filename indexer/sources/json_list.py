"""Read JSON: a list of articles, one article, or several one after the other, in the memory of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from . import entries, foreign
from .json_stream import objects
from .mapping import Names
from .origin import NotAnArticle, Origin, Read, Refused

_KEY = re.compile(rb'"((?:[^"\\]|\\.){1,80})"\s*:')


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every object, as an article or refused with its number."""
    path = origin.mapping.articles if origin.mapping else ""
    number = 0

    def numbered() -> Iterator[tuple[str, object]]:
        nonlocal number
        for number, found in enumerate(objects(stream, path), start=1):
            yield f"entry {number:,}", found

    try:
        yield from entries.articles(numbered(), foreign.fields, origin)
    except NotAnArticle as refusal:
        # What stands behind it nobody knows: a rebuild must not remove it.
        behind = f" behind entry {number:,}, where reading ended" * bool(number)
        yield Refused(origin.file, None, f"{refusal}{behind}", unread=True)
        return
    if not number:
        yield Refused(origin.file, None, f"no article lies at {path!r}" if path else "empty")


def may_hold_articles(head: bytes, mapping: Names | None = None) -> bool:
    """Whether JSON that begins so looks like articles, by the names in it."""
    names = (name.decode("utf-8", "replace") for name in _KEY.findall(head))
    return head.startswith((b"{", b"[")) and foreign.may_be_articles(names, mapping)
