"""Read the export of Ghost: its posts and pages that are published, with their tags and authors from other tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from . import entries, koenig, markup
from .json_stream import objects_at
from .origin import NotAnArticle, Origin, Read, Refused, seekable

MARK = re.compile(rb'\{\s*"db"\s*:\s*\[|"meta"\s*:\s*\{\s*"exported_on"\s*:')
_BASES = ("db.data", "data")  # with and without the shell that newer versions have
_TABLES = ("users", "tags", "posts_tags", "posts_authors")
_PLACE = "__GHOST_URL__"  # stands for the address of the site, which the export does not say


@dataclass(slots=True)
class _Site:
    """The small tables, which stand behind the posts as often as before."""

    names: dict[str, str] = field(default_factory=dict)
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
    for path, row in objects_at(file, [f"{base}.{table}" for base in _BASES for table in _TABLES]):
        if not isinstance(row, dict):
            continue
        match path.rsplit(".", 1)[1]:
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
    url = _text(post, "canonical_url")
    visibility = _text(post, "visibility")
    return {
        "id": _text(post, "uuid") or id,
        "url": url or None,
        "title": _text(post, "title"),
        "summary": markup.line(_text(post, "custom_excerpt") or _text(post, "meta_description")),
        "body": body,
        "subheads": subheads,
        "section": tags[0] if tags else None,
        "tags": tags[1:],
        "authors": [site.names[writer] for writer in writers if site.names.get(writer)],
        "type": "page" if post["type"] == "page" else None,
        "published": _text(post, "published_at"),
        "updated": _text(post, "updated_at"),
        "language": _text(post, "locale") or None,
        "image": _text(post, "feature_image") or None,
        "extra": {"slug": _text(post, "slug")} | ({"visibility": visibility} if visibility != "public" else {}),
    }, []


def _text(post: Mapping[str, Any], name: str) -> str:
    """A text of it; an address within the site, which is not known, is none."""
    value = post.get(name)
    return "" if not isinstance(value, str) or value.startswith(_PLACE) else value.strip()
