"""What a dry run shows: the first articles as they would be indexed, or all of them as JSONL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from search.article import Article, to_dict, to_json
from search.terminal import plain

FIRST = 3
LENGTH = 160  # characters of a text, of which the length is told


class Showing:
    """Shows each article that it is called with, on standard output."""

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self._as_json = as_json
        self._most = 0 if quiet else FIRST
        self._number = 0

    def __call__(self, article: Article) -> None:
        self._number += 1
        if self._as_json:
            click.echo(to_json(article))
        elif self._number <= self._most:
            for line in (f"{self._number}. {article.id}", *_lines(article), ""):
                click.echo(plain(line))


def _lines(article: Article) -> Iterator[str]:
    data = to_dict(article)
    del data["id"]
    for name, value in data.items():
        yield f"   {name:<14}{_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " | ".join(map(_short, value))
    text = " ".join(str(value).split())
    return text if len(text) <= LENGTH else f"{text[:LENGTH].rstrip()}… ({len(str(value)):,} characters)"
