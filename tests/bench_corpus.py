"""The articles of `make bench`: one JSONL file, from which every engine indexes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import generated

from indexer import sources
from search.article import Article, to_json

GENERATED = 8000


class Row(NamedTuple):
    """What the other engines take of an article. `month` is `2025-08`, `published` counts seconds since 1970."""

    id: str
    title: str
    body: str
    section: str | None
    month: str | None
    published: int | None


def write(file: Path) -> list[str]:
    """Write the corpus, and give the ids of its articles."""
    ids: dict[str, None] = {}
    with file.open("w", encoding="utf-8") as lines:
        for article in _articles():
            if article.id not in ids:
                ids[article.id] = None
                lines.write(to_json(article) + "\n")
    return list(ids)


def _articles() -> Iterable[Article]:
    most = int(os.environ.get("BENCH_ARTICLES", 0))
    if corpus := os.environ.get("BENCH_CORPUS"):
        read = (item.article for item in sources.read([corpus]) if isinstance(item, sources.Read))
        return islice(read, most or None)
    return generated.articles(most or GENERATED)


def rows(file: Path) -> Iterator[Row]:
    with file.open("rb") as lines:
        for line in lines:
            data = json.loads(line)
            iso = data.get("published")
            yield Row(
                id=data["id"],
                title=data.get("title", ""),
                body=data.get("body", ""),
                section=data.get("section"),
                month=iso and iso[:7],
                published=iso and int(datetime.fromisoformat(iso).timestamp()),
            )
