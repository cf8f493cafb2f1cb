"""Read pages of templates with front matter, as Eleventy and Jekyll have them: Nunjucks, Liquid and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from . import markdown, markup
from .origin import NotAnArticle, Origin, Read, Refused, decode, load


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a template: its text, without what it takes from elsewhere."""
    try:
        yield markdown.article(decode(load(stream)), origin, _plain)
    except NotAnArticle as refusal:
        yield Refused(origin.file, refusal.line, str(refusal))


def _plain(text: str) -> tuple[str, list[str]]:
    body, heads = markup.paragraphs(markdown.written(text))
    if not body:
        raise NotAnArticle("not an article: a template without a text of its own")
    return body, heads
