"""Read the export of Ghost: its posts and pages that are published, with their tags and authors from other tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

from . import dates, entries, feed, koenig, markup
from .json_stream import objects_at
from .origin import NotAnArticle, Origin, Read, Refused, seekable

MARK = re.compile(
    rb'\A\{\s*(?:"db"\s*:\s*\[\s*\{\s*"(?:meta|data)"|"meta"\s*:\s*\{[^{}]*"exported_on"[^{}]*\}\s*,\s*"data")\s*:'
)
_BASES = ("db.data", "data")  # with and without the shell that newer versions have
_METAS = ("db.meta", "meta")
_TABLES = ("users", "tags", "posts_tags", "posts_authors", "posts_meta", "settings")
_PLACE = "__GHOST_URL__"  # stands for the address of the site, which the export does not say
_LANGUAGES = ("locale", "lang", "default_locale", "defaultLang")  # as the setting has been called
NO_SITE = (
    "the export does not say where its site is, so posts have no address, nor pictures of the site's own"
    " (jq '.db[0].meta.url = \"https://news.example\"' FILE says it)"
)
MEMBERS = "posts for members are read too: their words are found, and passages of them shown"


@dataclass(slots=True)
class _Site:
    """The small tables, which stand behind the posts as often as before."""

    url: str = ""
    language: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)  # by post, as search engines are told
    tags: dict[str, str] = field(default_factory=dict)  # without those of the site's machinery
    tags_of: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # post -> order and tag
    authors_of: dict[str, list[tuple[int, str]]] = field(default_factory=dict)


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """Every post and page that is published; the others are counted."""
    left_out: Counter[str] = Counter()
    try:
        with seekable(stream) as file:
            begin = file.tell()
            site = _site(file)
            file.seek(begin)
            found = entries.articles(_published(file, left_out), partial(_fields, site), origin)
            yield from entries.without(found, left_out, origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, f"{refusal}; behind it nothing is read", unread=True)


def _site(file: BinaryIO) -> _Site:
    site = _Site()
    tables = [f"{base}.{table}" for base in _BASES for table in _TABLES]
    for path, row in objects_at(file, [*tables, *_METAS]):
        if not isinstance(row, dict):
            continue
        match path.rpartition(".")[2]:
            case "meta":
                site.url = _text(row, "url").rstrip("/")
            case "settings" if row.get("key") in _LANGUAGES:
                site.language = _language(_text(row, "value")) or site.language
            case "posts_meta":
                site.summaries[str(row.get("post_id"))] = _text(row, "meta_description")
            case "users":
                site.names[str(row.get("id"))] = str(row.get("name") or "")
            case "tags" if row.get("visibility") != "internal" and not str(row.get("name")).startswith("#"):
                site.tags[str(row.get("id"))] = str(row.get("name") or "")
            case "posts_tags":
                _add(site.tags_of, row, "tag_id")
            case "posts_authors":
                _add(site.authors_of, row, "author_id")
    return site


def _add(to: dict[str, list[tuple[int, str]]], row: Mapping[str, Any], name: str) -> None:
    order = row.get("sort_order")
    to.setdefault(str(row.get("post_id")), []).append((order if isinstance(order, int) else 0, str(row.get(name))))


def _published(file: BinaryIO, left_out: Counter[str]) -> Iterator[tuple[str, Any]]:
    for _, post in objects_at(file, [f"{base}.posts" for base in _BASES]):
        if not isinstance(post, dict):
            yield "an entry", post
            continue
        kind = "page" if post.get("type") == "page" or post.get("page") in (1, True) else "post"
        if post.get("status") == "published":
            yield f"{kind} {post.get('slug') or post.get('id')}", {**post, "type": kind}
        else:
            left_out[f"{kind}, {post.get('status')}"] += 1


def _fields(site: _Site, post: Any, origin: Origin) -> tuple[Mapping[str, Any], list[str]]:
    del origin
    if not isinstance(post, dict):
        raise NotAnArticle("not a post: it is no object")
    body, subheads = markup.paragraphs(koenig.html(post))
    id = str(post.get("id"))
    tags = [site.tags[tag] for _, tag in sorted(site.tags_of.get(id, ())) if site.tags.get(tag)]
    writers = [writer for _, writer in sorted(site.authors_of.get(id, ()))] or [str(post.get("author_id"))]
    slug, visibility = _text(post, "slug"), _text(post, "visibility") or "public"
    url = f"{site.url}/{slug}/" if site.url and slug else _text(post, "canonical_url")
    image = str(post.get("feature_image") or post.get("image") or "").replace(_PLACE, site.url or _PLACE)
    published, updated = _moment(post.get("published_at")), _moment(post.get("updated_at"))
    fields = {
        # Of an address it is made by itself, so that a post and its page are one article.
        "id": None if site.url and slug else _text(post, "uuid") or slug or id,
        "url": url or None,
        "title": _text(post, "title"),
        "summary": markup.line(
            _text(post, "custom_excerpt") or _text(post, "meta_description") or site.summaries.get(id, "")
        ),
        "body": body,
        "subheads": subheads,
        "section": tags[0] if tags else None,
        "tags": tags[1:],
        "authors": [site.names[writer] for writer in writers if site.names.get(writer)],
        "type": "page" if post["type"] == "page" else None,
        "published": published,
        "updated": updated if updated != published else None,
        "language": _language(_text(post, "locale") or _text(post, "language")) or site.language,
        "image": image if image.startswith(("http://", "https://")) else None,
        "extra": {"slug": slug} | ({"visibility": visibility} if visibility != "public" else {}),
    }
    return fields, [NO_SITE] * (not site.url) + [MEMBERS] * (visibility != "public")


def _moment(value: Any) -> datetime | str:
    """Milliseconds in the first versions, `2018-03-01 10:00:00` or ISO 8601 since; all by Greenwich."""
    if isinstance(value, int | float):
        with suppress(ValueError, OverflowError, OSError):  # no year of ours
            return datetime.fromtimestamp(value / 1000, UTC)
    written = "" if value is None else str(value)
    return dates.parse(written, UTC) or written


def _language(text: str) -> str | None:
    text = text.replace("_", "-")
    return text if feed.LANGUAGE.fullmatch(text) else None


def _text(post: Mapping[str, Any], name: str) -> str:
    """A text of it; an address within the site, which is not known, is none."""
    value = post.get(name)
    return "" if not isinstance(value, str) or value.startswith(_PLACE) else value.strip()
