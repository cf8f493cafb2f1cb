"""JSON-LD: the article among the objects that a page holds for machines, and what its properties say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

# schema.org: every kind of article, by what it means to a reader.
TYPES = {
    "NewsArticle": "news",
    "ReportageNewsArticle": "news",
    "BackgroundNewsArticle": "news",
    "AnalysisNewsArticle": "analysis",
    "AskPublicNewsArticle": "news",
    "OpinionNewsArticle": "opinion",
    "ReviewNewsArticle": "review",
    "Review": "review",
    "LiveBlogPosting": "live",
    "BlogPosting": "blog",
    "SatiricalArticle": "satire",
    "AdvertiserContentArticle": "advertising",
    "ScholarlyArticle": "scholarly",
    "TechArticle": None,
    "Report": None,
    "Article": None,
}


def article(tree: Any) -> Mapping[str, Any]:
    """The article among the JSON-LD objects of a page, else the page among them, else nothing."""
    nodes: list[Mapping[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "").lower():
            nodes += _nodes(_loads(script.text or ""))
    articles = [node for node in nodes if TYPES.keys() & set(kinds(node))]
    pages = [node for node in nodes if any(kind.endswith("Page") for kind in kinds(node))]
    # Teasers of other articles are articles too: the page's own is the one that has most to say.
    return max(articles or pages, key=lambda node: len(node.keys() & _OWN), default={})


_OWN = {"headline", "datePublished", "dateModified", "author", "publisher", "mainEntityOfPage", "articleBody", "image"}


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object that stands for itself: in a list, in an `@graph`, as the subject of a page."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += reversed(value)
        elif isinstance(value, Mapping):
            yield value
            stack += [value[name] for name in ("mainEntity", "@graph") if isinstance(value.get(name), list | Mapping)]


def _loads(text: str) -> Any:
    """JSON as pages have it: in comments, with line breaks in texts, commas too many; of what is worse, the texts."""
    text = _WRAPPING.sub("", text).strip(" \t\r\n;/")
    for attempt in (text, _COMMA.sub(r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    found = {name: _unescape(value) for name, value in reversed(_PAIR.findall(text)) if name in _OWN | {"@type"}}
    return found if found.keys() & {"headline", "datePublished"} else None


_WRAPPING = re.compile(r"<!--|-->|/\*\s*<!\[CDATA\[\s*\*/|/\*\s*\]\]>\s*\*/|(?://)?<!\[CDATA\[|(?://)?\]\]>")
_COMMA = re.compile(r",\s*([}\]])")
_PAIR = re.compile(r'"(@?\w+)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def kinds(node: Mapping[str, Any]) -> list[str]:
    return [kind.rsplit("/", 1)[-1] for kind in texts(node.get("@type"))]


def texts(value: Any) -> list[str]:
    """The texts of a property: itself, those of a list, the name of a person or the address of an image."""
    if isinstance(value, str):
        text = " ".join(_words_of(value).split())
        return [text] if text else []
    if isinstance(value, list):
        return [text for item in value if not isinstance(item, list) for text in texts(item)]
    if isinstance(value, Mapping):
        return next((found for name in ("name", "url", "@id", "@value") if (found := texts(value.get(name)))), [])
    return [str(value)] if isinstance(value, int) and not isinstance(value, bool) else []


def _words_of(text: str) -> str:
    """JSON-LD is written by the templates that write the page: its texts may be escaped for it."""
    return unescape(text) if "&" in text else text
