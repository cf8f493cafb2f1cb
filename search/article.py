"""Article: the one document model, and how it is made from and turned into plain data."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import UTC, datetime, time, tzinfo
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

STATUSES = ("live", "corrected", "retracted", "withdrawn")
ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,200}")  # RFC 3986 unreserved; `.` and `..` are steps in a URL
# Not `si` and `ref`: elsewhere they name a page, and two articles would become one.
TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|gad_source|gad_campaignid|_gl|_ga|srsltid|msclkid|ttclid|twclid|yclid"
    r"|ysclid|li_fat_id|igshid|igsh|mc_cid|mc_eid|mkt_tok|_hsenc|_hsmi|ref_src|ref_url|cmpid"
)
_IS_CANONICAL = re.compile(r"https?://[a-z0-9.-]+/[\w.~%/:@!$&'()*+,;=-]*", re.ASCII)  # as most are


class ArticleError(ValueError):
    """What was given is not an article. `reasons` names every problem, not the first alone."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Article:
    """One article, as accepted. Dates are aware and in UTC; text is plain text, never HTML."""

    id: str
    url: str | None = None
    title: str = ""
    summary: str = ""
    body: str = ""
    subheads: tuple[str, ...] = ()
    section: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    type: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    language: str | None = None
    image: str | None = None
    status: str = "live"
    notice: str | None = None
    embargo_until: datetime | None = None
    related: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


FIELDS = tuple(f.name for f in fields(Article))
_KNOWN = frozenset(FIELDS)
_TEXTS = ("title", "summary", "body", "url", "section", "type", "language", "image", "notice", "status")
_LISTS = ("subheads", "authors", "tags")
_DATES = ("published", "updated", "embargo_until")
_TUPLES = (*_LISTS, "related")
_HEAD = tuple(name for name in FIELDS if name != "body")
_Draft: Any = make_dataclass(
    "_Draft",
    [(f.name, Any, field(default=f.default, default_factory=f.default_factory)) for f in fields(Article)],
    slots=True,
)
_values = attrgetter(*FIELDS)
_head = attrgetter(*_HEAD)
_DECODER = json.JSONDecoder()
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=dict)


def from_dict(data: Mapping[str, Any], *, timezone: tzinfo = UTC, path: str | None = None) -> Article:
    """Make an article of plain data (one object of JSONL).

    Fields of another name go to `extra`. Without an `id` it is `make_id` of the URL, else of `path`.
    `timezone` is that of dates without a zone.

    Raises:
        ArticleError: with every reason why this is no article.
    """
    reasons: list[str] = []
    values: dict[str, Any] = {}  # what is empty is left to the defaults
    for name in _TEXTS:
        if name in data and (text := _text(data[name], name, reasons)):
            values[name] = text
    for name in _LISTS:
        if name in data and (texts := _list(data[name], name, reasons)):
            values[name] = texts
    for name in _DATES:
        if name in data and (moment := _date(data[name], name, timezone, reasons)):
            values[name] = moment
    if values.get("status", "live") not in STATUSES:
        reasons.append(f"status {values['status']!r} is none of {', '.join(STATUSES)}")
    if "related" in data:
        values["related"] = _related(data["related"], reasons)
    if "extra" in data:
        values["extra"] = _extra(data["extra"], reasons)
    if not _KNOWN.issuperset(data):
        values["extra"] = {**values.get("extra", {}), **{k: v for k, v in data.items() if k not in _KNOWN}}
    if not ("title" in values or "body" in values):
        reasons.append("it has neither title nor body")
    values["id"] = _id(data.get("id"), values.get("url") or path, reasons)
    if reasons:
        raise ArticleError(reasons)
    return _made(values)


def to_dict(article: Article) -> dict[str, Any]:
    """The article as plain data that `from_dict` turns back into the same article; empty fields are left out."""
    data = {name: value for name, value in zip(FIELDS, _values(article), strict=True) if value}
    for name in _DATES:
        if name in data:
            data[name] = iso(data[name])
    for name in _TUPLES:
        if name in data:
            data[name] = list(data[name])
    if "related" in data:
        data["related"] = [dict(item) for item in data["related"]]
    if "extra" in data:
        data["extra"] = dict(data["extra"])
    return data


def to_json(article: Article) -> str:
    """One line of JSONL, the canonical form: sorted by name; equal articles give equal lines."""
    return _CANONICAL.encode(to_dict(article))


def to_line(article: Article) -> bytes:
    """The form that is kept: `to_json` without the body, a line feed, the body; equal articles give equal bytes.

    So the longest text is neither escaped nor looked through for escapes.
    """
    data = {name: value for name, value in zip(_HEAD, _head(article), strict=True) if value}
    for name in _DATES:
        if name in data:
            data[name] = iso(data[name])
    return f"{_CANONICAL.encode(data)}\n{article.body}".encode()


def from_stored(line: bytes) -> Article:
    """The article of what `to_line` made: as it is written, nothing is looked at twice.

    Raises:
        ValueError, TypeError, AttributeError: it was not made so.
    """
    end = line.index(b"\n")
    values = _DECODER.decode(line[:end].decode())
    for name in _TUPLES:
        if name in values:
            values[name] = tuple(values[name])
    for name in _DATES:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return _made(values, body=line[end + 1 :].decode())


def digest(article: Article) -> str:
    """The digest of what is kept of it: articles with the same one are the same."""
    return digest_of(to_line(article))


def digest_of(line: bytes) -> str:
    """16 bytes of BLAKE2b, in hex."""
    return hashlib.blake2b(line, digest_size=16).hexdigest()


def tie_break(id: str) -> int:
    """An order among equals that no engine, segment or update changes: 8 bytes of BLAKE2b of the id."""
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "big")


def as_id(text: str) -> str:
    """An id as it was given, or what stands for it where it is not URL-safe: its digest."""
    return text if ID.fullmatch(text) else make_id(text)


def make_id(key: str) -> str:
    """A short digest of a canonical URL or a path: 64 bits, which two of n share with a chance of n * n / 2**65."""
    return hashlib.blake2b(canonical_url(key).encode(), digest_size=8).hexdigest()


def canonical_url(url: str) -> str:
    """The same address for the same page: host in lower case, no default port, no fragment, no tracking parameters."""
    if _IS_CANONICAL.fullmatch(url):
        return url
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url.strip()
    if not parts.netloc:
        return url.strip()
    host = (parts.hostname or "").lower()
    if port and (parts.scheme.lower(), port) not in (("http", 80), ("https", 443)):
        host = f"{host}:{port}"
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.fullmatch(k)])
    return urlunsplit((parts.scheme.lower(), host, parts.path or "/", query, ""))


def iso(moment: datetime) -> str:
    """An aware moment in UTC, as ISO 8601 with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def whole(text: str) -> str:
    """The text without halves of surrogate pairs: they can stand in JSON but in no file or database."""
    return text.encode("utf-8", "replace").decode()


def parse_date(text: str, timezone: tzinfo = UTC) -> datetime:
    """ISO 8601 -> aware datetime in UTC. A date alone is its first instant; no zone means `timezone`.

    Raises:
        ValueError: for anything else.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a date (write 2025-08-06 or 2025-08-06T14:30:00Z)") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999") from None


def _made(values: Mapping[str, Any], **others: Any) -> Article:
    """The article of these values, in a third of the time: a frozen class sets each through a function."""
    draft = _Draft(**values, **others)
    draft.__class__ = Article  # it has the same slots
    return draft  # type: ignore[no-any-return]


def _text(value: Any, name: str, reasons: list[str]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int | float):
            reasons.append(f"{name} is {_kind(value)}, not text")
            return ""
        value = str(value)
    text = value if value.isascii() else whole(value)  # a half is shown as what it is, unreadable
    if "\0" in text or "\r" in text:
        text = text.replace("\0", "").replace("\r\n", "\n")
    return text.strip()


def _list(value: Any, name: str, reasons: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        reasons.append(f"{name} is {_kind(value)}, not a list of texts")
        return ()
    what = f"an item of {name}"
    kept = [text for item in items if (text := _text(item, what, reasons))]
    return tuple(kept if name == "subheads" else dict.fromkeys(kept))  # a tag holds once, a heading may come again


def _date(value: Any, name: str, timezone: tzinfo, reasons: list[str]) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        if isinstance(value, datetime):
            return parse_date(value.isoformat(), timezone)
        if hasattr(value, "isoformat") and not isinstance(value, time):
            return parse_date(value.isoformat(), timezone)
        if isinstance(value, str):
            return parse_date(value, timezone)
    except ValueError as problem:
        reasons.append(f"{name} {problem}")
        return None
    reasons.append(f"{name} is {_kind(value)}, not a date")
    return None


def _related(value: Any, reasons: list[str]) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        reasons.append(f"related is {_kind(value)}, not a list")
        return ()
    items: list[Mapping[str, Any]] = []
    for item in value:
        if isinstance(item, str):
            items.append({"id": item})
        elif isinstance(item, Mapping):
            items.append(dict(item))
        else:
            reasons.append(f"an item of related is {_kind(item)}, not an id or an object")
    return tuple(items)


def _extra(value: Any, reasons: list[str]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        reasons.append(f"extra is {_kind(value)}, not an object")
        return {}
    return dict(value)


def _id(value: Any, key: str | None, reasons: list[str]) -> str:
    text = _text(value, "id", reasons)
    if not text:
        if not key:
            reasons.append("it has neither id nor url nor path to make one of")
            return ""
        return make_id(key)
    return as_id(text)


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number"}.get(
        type(value), type(value).__name__
    )
