"""Addresses of the same search with something changed: each says only what differs from the defaults."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any
from urllib.parse import quote, urlencode

from search.dates import Span
from web.schemas import DEEPEST, Asked

_DEFAULT = Asked()
_NAMES = tuple(field.name for field in fields(Asked) if field.name != "key")  # an address is passed on, a key is not
# Of the web, or of this site: not //host, and not /\host, which browsers read as the same.
_WEB = re.compile(r"https?://[^/\s]|/(?![/\\])", re.IGNORECASE)


def pairs(asked: Asked, default: Asked = _DEFAULT, /, **changes: Any) -> list[tuple[str, str]]:
    """The parameters that ask for this, with these fields changed; in one order, so that equal asks are equal.

    `default`: what is asked at that address by no parameter.
    """
    asked = replace(asked, **changes)
    found: list[tuple[str, str]] = []
    for name in _NAMES:
        value = getattr(asked, name)
        if value == getattr(default, name):
            continue
        texts = [",".join(value)] if name == "facets" else value if isinstance(value, tuple) else [value]
        found += [(name, _text(text)) for text in texts]
    return found


def link(path: str, asked: Asked, default: Asked = _DEFAULT, /, **changes: Any) -> str:
    """The address below `path` that asks for this, with these fields changed."""
    query = urlencode(pairs(asked, default, **changes), quote_via=quote)
    return f"{path}?{query}" if query else path


def neighbours(asked: Asked, pages: int) -> tuple[int | None, int | None]:
    """The pages before and after, if there are such; before a page beyond the end comes the last."""
    before = min(asked.page - 1, pages)
    after = asked.page + 1
    return before or None, after if after <= reachable(asked, pages) else None


def reachable(asked: Asked, pages: int) -> int:
    """The last page that may be asked for."""
    return min(pages, DEEPEST // asked.per_page) if asked.per_page else 0


def web_address(url: str | None) -> str | None:
    """The address if a browser may follow it: http, https or a path of the site, and no javascript: or data:."""
    return url if url and _WEB.match(url) else None


def _text(value: Any) -> str:
    if isinstance(value, Span):
        return value.text
    return str(int(value)) if isinstance(value, bool) else str(value)
