"""Which page an address means, however it is written: who takes one down means the page, not its spelling."""

from __future__ import annotations

import re
from contextlib import suppress
from unicodedata import normalize
from urllib.parse import parse_qsl, unquote, urlsplit

from search.article import TRACKING

_PLAIN = re.compile(r"https?://(?!www\.|\S*xn--)([a-z0-9.-]+(?:/(?!index\.)[a-z0-9._~-]+)+)")  # as most are
_END = re.compile(r"/+(?:index\.\w+)?$", re.I)
_PORTS = ("", ":80", ":443")


def page(url: str) -> str:
    """`paper.example/oak`, whatever the scheme, `www.`, case, escapes, fragment, tracking, slash or index at the end.

    Wider than `article.canonical_url`, which names articles: a takedown that misses one is worse than one that hides
    one more. What has a host or a path has a `/` in it, which no id has.
    """
    if plain := _PLAIN.fullmatch(url):
        return plain[1]
    text = url.strip()
    try:
        parts = urlsplit(text if "//" in text or text.startswith("/") else f"//{text}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return text.casefold()
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    with suppress(UnicodeError):  # of a name that is none
        host = host.encode("ascii").decode("idna")
    path = re.sub("/+", "/", _END.sub("", unquote(parts.path))) or "/"
    query = sorted(f"{k}={v}" for k, v in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.fullmatch(k))
    whole = f"{host}{'' if port in _PORTS else port}{path}{'?' * bool(query)}{'&'.join(query)}"
    return normalize("NFC", whole.casefold())
